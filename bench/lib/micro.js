/**
 * What an adapter can do, measured with kernels of a few lines and without Weft: the ceilings that shares are taken
 * of, and the floors that no library gets under (an empty dispatch, a submit, a wait).
 *
 * Needs a GPUDevice only, so it runs in Node and in a page.
 */
import {
  copyKernel,
  emptyKernel,
  fmaKernel,
  fmaRepeats,
  lanes,
  loadKernel,
  loadRepeats,
  tileDepth,
  tiles,
} from './micro-kernels.js';
import { spread } from './statistics.js';

/** WebGPU's flags; Dawn in Node has no globals for them before they are installed. */
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80 };
/**
 * Measures everything, in about `seconds`. Software adapters get smaller work.
 *
 * Each value is a spread { median, min, max } in the unit of its name.
 */
export async function measureCeilings(device, { seconds = 15, software = false } = {}) {
  const bench = new MicroBench(device, Math.max(20, (1000 * seconds) / 120));
  const results = {};
  const threads = software ? 2 ** 14 : 2 ** 20;
  const x = bench.buffer(software ? 2 ** 20 : 2 ** 26);
  const y = bench.buffer(4 * threads);

  const rate = async (code, perThread, unit = 1e9) => {
    const seconds = await bench.dispatches(code, [x, y], threads / lanes);
    return invert(seconds, (perThread * threads) / unit);
  };
  results.fmaGigaflops = best([
    await rate(fmaKernel('f32'), 2 * 8 * fmaRepeats),
    await rate(fmaKernel('vec4f'), 4 * 2 * 8 * fmaRepeats),
  ]);
  const kinds = [
    ['plain', 8, 8],
    ['plain', 16, 4],
    ['fours', 8, 8],
    ['fours', 16, 8],
    ...(device.features.has('subgroups') ? [['shared', 16, 4]] : []),
  ];
  const reached = [];
  for (const [kind, rows, columns] of kinds) {
    const gigaflops = await rate(tiles[kind](rows, columns), 2 * rows * columns * tileDepth);
    results[`tile ${kind} ${rows}×${columns} Gigaflops`] = gigaflops;
    reached.push(gigaflops);
  }
  results.tileGigaflops = best(reached);

  const elements = x.size / 4;
  const near = (size) => `(lane + i * stride) % ${elements / size}u`;
  results.loadScalarGigabytes = await rate(loadKernel('f32', near(1)), 4 * loadRepeats);
  results.loadVec4Gigabytes = await rate(loadKernel('vec4f', near(4)), 16 * loadRepeats);
  results.loadUniformGigaloads = await rate(loadKernel('f32', `(i * 16u) % ${elements}u`), loadRepeats);

  // In and out of the caches.
  for (const [name, bytes] of [
    ['copyNear', 2 ** 18],
    ['copyFar', software ? 2 ** 25 : 2 ** 28],
  ]) {
    const [from, to] = [bench.buffer(bytes), bench.buffer(bytes)];
    const workgroups = bytes / 16 / lanes;
    const grid = Math.min(workgroups, 65_535);
    const taken = await bench.dispatches(copyKernel, [from, to], grid);
    results[`${name}Gigabytes`] = invert(taken, (2 * 16 * lanes * grid) / 1e9);
    from.destroy();
    to.destroy();
  }
  results.copyBufferGigabytes = await bench.bufferCopies(software ? 2 ** 24 : 2 ** 27);

  Object.assign(results, await bench.overheads(emptyKernel, [x, y]));
  bench.end();
  return results;
}

const invert = ({ median, min, max }, work) => ({ median: work / median, min: work / max, max: work / min });
const best = (spreads) => spreads.reduce((a, b) => (b.median > a.median ? b : a));
const scale = ({ median, min, max }, by) => ({ median: median * by, min: min * by, max: max * by });

class MicroBench {
  #device;
  #sampleMilliseconds;
  #buffers = [];

  constructor(device, sampleMilliseconds) {
    this.#device = device;
    this.#sampleMilliseconds = sampleMilliseconds;
  }

  buffer(size, flags = usage.storage | usage.copySource | usage.copyTarget) {
    const buffer = this.#device.createBuffer({ size, usage: flags });
    this.#buffers.push(buffer);
    return buffer;
  }

  end() {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  async #kernel(code, buffers) {
    const pipeline = await this.#device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: this.#device.createShaderModule({ code }) },
    });
    const group = this.#group(pipeline, buffers);
    return { pipeline, group };
  }

  #group(pipeline, buffers) {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  #submit({ pipeline, group }, workgroups, count) {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < count; i++) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups);
    }
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  /** Seconds of one run of `work(count)`, which does it `count` times and waits: count grown until a sample is long enough. */
  async #perRun(work, most = 4096) {
    const timed = async (count) => {
      const start = performance.now();
      await work(count);
      return performance.now() - start;
    };
    await timed(1);
    let count = 1;
    while (count < most && (await timed(count)) < this.#sampleMilliseconds / 2) count *= 2;
    const samples = [];
    for (let s = 0; s < 5; s++) samples.push((await timed(count)) / count / 1000);
    return spread(samples);
  }

  #idle() {
    return this.#device.queue.onSubmittedWorkDone();
  }

  /** Seconds of one dispatch, from many in one pass. */
  async dispatches(code, buffers, workgroups) {
    const kernel = await this.#kernel(code, buffers);
    return this.#perRun(async (count) => {
      this.#submit(kernel, workgroups, count);
      await this.#idle();
    });
  }

  async bufferCopies(bytes) {
    const [from, to] = [this.buffer(bytes), this.buffer(bytes)];
    const seconds = await this.#perRun(async (count) => {
      const encoder = this.#device.createCommandEncoder();
      for (let i = 0; i < count; i++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      this.#device.queue.submit([encoder.finish()]);
      await this.#idle();
    }, 64);
    from.destroy();
    to.destroy();
    return invert(seconds, (2 * bytes) / 1e9);
  }

  /** Microseconds of what surrounds computing. */
  async overheads(code, buffers) {
    const device = this.#device;
    const kernel = await this.#kernel(code, buffers);
    const [, y] = buffers;
    const words = new Float32Array(1024);
    const staging = this.buffer(4096, usage.mapRead | usage.copyTarget);
    const micro = async (work, most) => scale(await this.#perRun(work, most), 1e6);
    return {
      emptyDispatchMicroseconds: await micro(async (count) => {
        this.#submit(kernel, 1, count);
        await this.#idle();
      }),
      submitMicroseconds: await micro(async (count) => {
        for (let i = 0; i < count; i++) this.#submit(kernel, 1, 1);
        await this.#idle();
      }, 512),
      submitAndWaitMicroseconds: await micro(async (count) => {
        for (let i = 0; i < count; i++) {
          this.#submit(kernel, 1, 1);
          await this.#idle();
        }
      }, 512),
      bindGroupMicroseconds: await micro(async (count) => {
        for (let i = 0; i < count; i++) this.#group(kernel.pipeline, buffers);
      }, 1024),
      readbackMicroseconds: await micro(async (count) => {
        for (let i = 0; i < count; i++) {
          const encoder = device.createCommandEncoder();
          encoder.copyBufferToBuffer(y, 0, staging, 0, 4096);
          device.queue.submit([encoder.finish()]);
          await staging.mapAsync(usage.mapRead);
          staging.unmap();
        }
      }, 512),
      writeBufferMicroseconds: await micro(async (count) => {
        for (let i = 0; i < count; i++) device.queue.writeBuffer(y, 0, words);
        await this.#idle();
      }, 1024),
    };
  }
}
