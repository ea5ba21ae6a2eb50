/** How long each command takes on the GPU: by timestamps where the adapter has them, else by the clock. */
import { BufferUsage, MapMode } from './gpu.ts';
import type { Step } from './recorder.ts';

export interface CommandTime {
  readonly label: string;
  readonly microseconds: number;
}

/** WebGPU's limit for one query set is 4096 entries; a command takes two. */
const CHUNK = 2048;

/** Runs each command in a pass of its own, `repeats` times, and measures one run of it. */
export async function timeCommands(
  device: GPUDevice,
  steps: readonly Step[],
  repeats: number,
  wait: <T>(promise: Promise<T>) => Promise<T>,
): Promise<CommandTime[]> {
  if (!device.features.has('timestamp-query')) return timeByClock(device, steps, repeats, wait);
  const times: CommandTime[] = [];
  for (let start = 0; start < steps.length; start += CHUNK) {
    times.push(...(await timeByTimestamps(device, steps.slice(start, start + CHUNK), repeats, wait)));
  }
  return times;
}

async function timeByTimestamps(
  device: GPUDevice,
  steps: readonly Step[],
  repeats: number,
  wait: <T>(promise: Promise<T>) => Promise<T>,
): Promise<CommandTime[]> {
  const size = 16 * steps.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * steps.length });
  const resolved = device.createBuffer({ size, usage: BufferUsage.queryResolve | BufferUsage.copySource });
  const staging = device.createBuffer({ size, usage: BufferUsage.mapRead | BufferUsage.copyTarget });
  try {
    const encoder = device.createCommandEncoder({ label: 'profile' });
    steps.forEach((step, index) => {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      };
      encodeStep(encoder, step, repeats, { timestampWrites });
    });
    encoder.resolveQuerySet(querySet, 0, 2 * steps.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await wait(staging.mapAsync(MapMode.read));
    const nanoseconds = new BigUint64Array(staging.getMappedRange());
    return steps.map(({ command }, index) => {
      const elapsed = nanoseconds[2 * index + 1] - nanoseconds[2 * index];
      return { label: command.label, microseconds: Number(elapsed) / 1000 / repeats };
    });
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

async function timeByClock(
  device: GPUDevice,
  steps: readonly Step[],
  repeats: number,
  wait: <T>(promise: Promise<T>) => Promise<T>,
): Promise<CommandTime[]> {
  const times: CommandTime[] = [];
  for (const step of steps) {
    await wait(device.queue.onSubmittedWorkDone());
    const start = performance.now();
    const encoder = device.createCommandEncoder({ label: 'profile' });
    encodeStep(encoder, step, repeats, {});
    device.queue.submit([encoder.finish()]);
    await wait(device.queue.onSubmittedWorkDone());
    times.push({ label: step.command.label, microseconds: (1000 * (performance.now() - start)) / repeats });
  }
  return times;
}

function encodeStep(
  encoder: GPUCommandEncoder,
  { command, pipeline, group }: Step,
  repeats: number,
  descriptor: GPUComputePassDescriptor,
): void {
  const pass = encoder.beginComputePass({ label: command.label, ...descriptor });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...command.workgroups);
  pass.end();
}
