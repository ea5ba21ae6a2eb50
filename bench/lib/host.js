/**
 * What an engine is asked, wherever it lives: in a process (`child.js`) or in a page (`page/main.js`).
 *
 * `place` differs between the two: { installWebGPU, loadData, loadEngine(name), where(name), importedBefore?(name), rss?() }.
 */
import { countCalls } from './counters.js';
import { engines } from './engines.js';
import { measureCeilings } from './micro.js';
import { productInputs } from './product.js';
import { inputSize, startingWeights, workloads } from './workloads.js';

export function makeHost(place) {
  let session;
  let gpu;
  let totals;
  let data;

  const failOnGpuErrors = () => {
    if (gpu.errors.length > 0)
      throw new Error(`${gpu.errors.length} GPU errors, the first: ${gpu.errors[0]}`);
  };

  async function openGpu() {
    gpu ??= await place.installWebGPU();
    totals ??= countCalls();
  }

  async function prepareModel({ engine, workload: given, tuning, ...request }) {
    const workload = typeof given === 'string' ? workloads.find((w) => w.id === given) : given;
    data = await place.loadData(request);
    const start = performance.now();
    const { prepare } = await place.loadEngine(engine);
    const weights = startingWeights(workload);
    const { backend } = engines[engine];
    session = await prepare({ workload, data, weights, backend, tuning, ...place.where(engine) });
    return start;
  }

  /** Runs `work`, an arranged number of times, and says how long that took and what it asked of WebGPU. */
  async function timed(count, work) {
    const before = { ...totals };
    const start = performance.now();
    const result = await work();
    const milliseconds = performance.now() - start;
    failOnGpuErrors();
    const perRun = Object.entries(totals).map(([name, total]) => [name, (total - before[name]) / count]);
    return { count, milliseconds, calls: Object.fromEntries(perRun), ...result };
  }

  async function train(steps, options) {
    const arranged = await session.arrange(steps, options);
    return timed(arranged.steps, arranged.run);
  }

  return {
    async adapter() {
      await openGpu();
      return gpu.adapter;
    },

    async prepare(request) {
      await openGpu();
      await prepareModel(request);
      const { milliseconds, count, ...check } = await train(request.checkSteps, { shuffle: false });
      return {
        name: session.name,
        adapter: gpu.adapter,
        data: data.name,
        check: { ...check, count },
        coldMilliseconds: milliseconds,
      };
    },

    round: ({ count }) => train(count, { shuffle: true }),

    async finish() {
      const testAccuracy = await session.evaluate();
      const explained = await session.explain?.();
      failOnGpuErrors();
      return { testAccuracy, explained };
    },

    /** From before the engine is imported until its first training step is done and its loss read. */
    async startup(request) {
      await openGpu();
      const imported = await prepareModel(request);
      const start = imported - (place.importedBefore?.(request.engine) ?? 0);
      const prepared = performance.now();
      await train(1, { shuffle: false });
      return {
        name: session.name,
        data: data.name,
        milliseconds: performance.now() - start,
        prepareMilliseconds: prepared - start,
      };
    },

    /** what: 'one' (latency: one image in, ten numbers out, awaited) or 'all' (the test set). */
    async predict({ what, count }) {
      const pixels = (i) => data.test.images.subarray(i * inputSize, (i + 1) * inputSize);
      return timed(count, async () => {
        let probabilities;
        for (let i = 0; i < count; i++) {
          probabilities =
            what === 'all'
              ? await session.predictAll()
              : await session.predictOne(pixels(i % data.test.labels.length));
        }
        return { samples: data.test.labels.length, sum: probabilities.reduce((a, b) => a + b, 0) };
      });
    },

    async prepareProduct({ engine, product, tuning }) {
      await openGpu();
      const { prepareProduct } = await place.loadEngine(engine);
      const inputs = productInputs(product);
      await session?.dispose?.();
      const { backend } = engines[engine];
      session = await prepareProduct({ ...inputs, product, backend, tuning, ...place.where(engine) });
      await session.run(1);
      inputs.check(await session.result());
      failOnGpuErrors();
      return { name: session.name, adapter: gpu.adapter };
    },

    productRound: ({ count }) => timed(count, () => session.run(count)),

    /** After the last round: the result must still be right. */
    async finishProduct({ product }) {
      productInputs(product).check(await session.result());
      failOnGpuErrors();
      return {};
    },

    memory: async () => ({ rss: place.rss?.() ?? null, ...(await session.memory?.()) }),

    async ceilings({ seconds }) {
      await openGpu();
      const adapter = await navigator.gpu.requestAdapter();
      const device = await adapter.requestDevice({
        requiredLimits: bigBuffers(adapter),
        requiredFeatures: ['subgroups'].filter((name) => adapter.features.has(name)),
      });
      const results = await measureCeilings(device, { seconds, software: gpu.adapter.software });
      failOnGpuErrors();
      device.destroy();
      return results;
    },
  };
}

const bigBuffers = ({ limits: { maxBufferSize, maxStorageBufferBindingSize } }) => ({
  maxBufferSize,
  maxStorageBufferBindingSize,
});

/** A failure as text that makes sense on its own. */
export function failureText(error) {
  const missing = error.code === 'ERR_MODULE_NOT_FOUND';
  return missing
    ? `not installed: npm ci --prefix bench/peers. ${error.message}`
    : (error.stack ?? String(error));
}
