/**
 * One engine in a process of its own, driven by messages from `engine-process.js`:
 * `prepare` builds the model and trains the check, `round` trains and times, `finish` judges the result.
 */
import { countCalls } from './counters.js';
import { loadData } from './data.js';
import { installWebGPU } from './dawn.js';
import { engines } from './engines.js';
import { startingWeights, workloads } from './workloads.js';

let session;
let gpu;
let calls;

const handlers = {
  async adapter() {
    return (await installWebGPU()).adapter;
  },

  async prepare({ engine, workload: id, dataFolder, checkSteps }) {
    const { module, backend } = engines[engine];
    gpu = await installWebGPU();
    calls = countCalls();
    const workload = workloads.find((w) => w.id === id);
    const data = await loadData(dataFolder);
    const { prepare } = await import(module);
    session = await prepare({ workload, data, weights: startingWeights(workload), backend });

    const { milliseconds, ...check } = await train(checkSteps, { shuffle: false });
    return {
      name: session.name,
      adapter: gpu.adapter,
      data: data.name,
      check,
      coldMilliseconds: milliseconds,
    };
  },

  round: ({ steps }) => train(steps, { shuffle: true }),

  async finish() {
    const testAccuracy = await session.evaluate();
    failOnGpuErrors();
    return { testAccuracy };
  },
};

async function train(steps, options) {
  const arranged = await session.arrange(steps, options);
  const before = { ...calls };
  const start = performance.now();
  const { loss, accuracy } = await arranged.run();
  const milliseconds = performance.now() - start;
  failOnGpuErrors();
  const perStep = Object.entries(calls).map(([name, total]) => [
    name,
    (total - before[name]) / arranged.steps,
  ]);
  return { steps: arranged.steps, milliseconds, loss, accuracy, calls: Object.fromEntries(perStep) };
}

function failOnGpuErrors() {
  if (gpu.errors.length > 0) throw new Error(`${gpu.errors.length} GPU errors, the first: ${gpu.errors[0]}`);
}

process.on('message', async ({ kind, ...request }) => {
  try {
    process.send({ result: await handlers[kind](request) });
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND';
    process.send({
      failure: missing
        ? `not installed: npm ci --prefix bench/peers. ${error.message}`
        : (error.stack ?? String(error)),
    });
  }
});

// Nobody is left to talk to.
process.on('disconnect', () => process.exit());
