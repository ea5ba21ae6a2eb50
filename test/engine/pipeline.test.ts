import { expect, test, vi } from 'vitest';
import { Pipelines } from '../../src/engine/pipeline.ts';
import { specialize } from '../../src/engine/shader.ts';
import { testEngine } from '../support/engine.ts';
import { affine } from './affine.ts';

test('a kernel that compiles for seconds is told of by name, once, and a quick one is not', async () => {
  const { device } = await testEngine();
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const pipelines = new Pipelines(device);
    await pipelines.get(specialize(affine), { WORKGROUP: 32 }, 'quick');
    vi.advanceTimersByTime(60_000);
    expect(warn).not.toHaveBeenCalled();

    let finish!: (pipeline: GPUComputePipeline) => void;
    const compiling = new Promise<GPUComputePipeline>((done) => {
      finish = done;
    });
    vi.spyOn(device, 'createComputePipelineAsync').mockReturnValue(compiling);
    const slow = [1, 2].map(() => pipelines.get(specialize(affine), { WORKGROUP: 64 }, 'pow+sum'));
    vi.advanceTimersByTime(60_000);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^compile: the kernel 'pow\+sum' .*Fix: /)]]);
    finish({} as GPUComputePipeline);
    await Promise.all(slow);
  } finally {
    vi.useRealTimers();
    warn.mockRestore();
  }
});
