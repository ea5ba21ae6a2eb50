/**
 * Counts what an engine asks of WebGPU, by wrapping the API's prototypes. To be called before the engine is imported.
 *
 * Returns `totals`, the running totals of dispatches, submits, buffers, bindGroups, pipelines, writes and reads, and
 * `latest(n)`, the labels of the pipelines of the last n dispatches.
 */
export function countCalls() {
  const totals = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0, pipelines: 0, writes: 0, reads: 0 };
  const kept = 256;
  const labels = [];
  const pipelineOf = new WeakMap();

  const wrap = (type, method, before) => {
    const original = type.prototype[method];
    type.prototype[method] = function (...args) {
      before(this, args);
      return original.apply(this, args);
    };
  };
  const count = (type, method, total) => wrap(type, method, () => totals[total]++);
  const dispatched = (pass) => {
    totals.dispatches++;
    labels[totals.dispatches % kept] = pipelineOf.get(pass)?.label ?? '';
  };
  wrap(GPUComputePassEncoder, 'setPipeline', (pass, [pipeline]) => pipelineOf.set(pass, pipeline));
  wrap(GPUComputePassEncoder, 'dispatchWorkgroups', dispatched);
  wrap(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', dispatched);
  count(GPUQueue, 'submit', 'submits');
  count(GPUQueue, 'writeBuffer', 'writes');
  count(GPUDevice, 'createBuffer', 'buffers');
  count(GPUDevice, 'createBindGroup', 'bindGroups');
  count(GPUDevice, 'createComputePipeline', 'pipelines');
  count(GPUDevice, 'createComputePipelineAsync', 'pipelines');
  count(GPUBuffer, 'mapAsync', 'reads');

  const latest = (n) => {
    const from = Math.max(0, totals.dispatches - Math.min(n, kept));
    return Array.from({ length: totals.dispatches - from }, (_, i) => labels[(from + i + 1) % kept]);
  };
  return { totals, latest };
}
