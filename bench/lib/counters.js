/**
 * Counts what an engine asks of WebGPU, by wrapping the API's prototypes. To be called before the engine is imported.
 *
 * Returns the running totals: dispatches, submits, buffers, bindGroups, pipelines, writes, reads.
 */
export function countCalls() {
  const totals = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0, pipelines: 0, writes: 0, reads: 0 };
  const count = (type, method, total) => {
    const original = type.prototype[method];
    type.prototype[method] = function (...args) {
      totals[total]++;
      return original.apply(this, args);
    };
  };
  count(GPUComputePassEncoder, 'dispatchWorkgroups', 'dispatches');
  count(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', 'dispatches');
  count(GPUQueue, 'submit', 'submits');
  count(GPUQueue, 'writeBuffer', 'writes');
  count(GPUDevice, 'createBuffer', 'buffers');
  count(GPUDevice, 'createBindGroup', 'bindGroups');
  count(GPUDevice, 'createComputePipeline', 'pipelines');
  count(GPUDevice, 'createComputePipelineAsync', 'pipelines');
  count(GPUBuffer, 'mapAsync', 'reads');
  return totals;
}
