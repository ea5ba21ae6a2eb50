/** Counters round the WebGPU API itself, so that nothing the engine says about itself has to be believed. */
import type { Engine } from '../../src/index.ts';

export interface Calls {
  dispatches: number;
  submits: number;
  writes: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
  maps: number;
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

/**
 * Counts every call on the prototypes of the engine's device, queue, pass and buffer until `stop()`.
 * They are prototypes: other engines of the same implementation are counted as well.
 */
export function countCalls({ device }: Engine): { calls: Calls; stop(): void } {
  const calls: Calls = {
    dispatches: 0,
    submits: 0,
    writes: 0,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    maps: 0,
  };
  const undo: (() => void)[] = [];
  const wrap = (object: object, counter: keyof Calls, ...names: string[]) => {
    const prototype: Methods = Object.getPrototypeOf(object);
    for (const name of names) {
      const original = prototype[name];
      prototype[name] = function (this: unknown, ...args: unknown[]) {
        calls[counter]++;
        return original.apply(this, args);
      };
      undo.push(() => {
        prototype[name] = original;
      });
    }
  };
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const buffer = device.createBuffer({ size: 4, usage: 0x8 });
  wrap(pass, 'dispatches', 'dispatchWorkgroups', 'dispatchWorkgroupsIndirect');
  wrap(device.queue, 'submits', 'submit');
  wrap(device.queue, 'writes', 'writeBuffer');
  wrap(device, 'buffers', 'createBuffer');
  wrap(device, 'bindGroups', 'createBindGroup');
  wrap(device, 'pipelines', 'createComputePipeline', 'createComputePipelineAsync');
  wrap(buffer, 'maps', 'mapAsync');
  pass.end();
  encoder.finish();
  buffer.destroy();
  return {
    calls,
    stop() {
      for (const restore of undo) restore();
    },
  };
}
