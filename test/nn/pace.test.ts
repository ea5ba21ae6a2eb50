/** How much goes into one submit, and how many submits are under way. */
import { expect, test } from 'vitest';
import { type Engine, init, layers, sequential, tensor } from '../../src/index.ts';
import { Pace } from '../../src/nn/training/pace.ts';
import { testEngine } from '../support/engine.ts';
import { settled } from './pace-clock.ts';

const inPage = 'document' in globalThis;

test('a submit keeps the GPU busy for as long as was asked for', () => {
  for (const submitMs of [2, 16, 500])
    expect(settled((now) => new Pace(submitMs, now), 0.5)).toBe(submitMs / 0.5);
  // A step is the least there is.
  expect(settled((now) => new Pace(4, now), 30)).toBe(1);
});

test('unless something was asked for, 8 ms beside a page and 40 ms alone', () => {
  expect(settled((now) => new Pace(undefined, now), 1)).toBe(inPage ? 8 : 40);
});

test.runIf(inPage)('a worker goes by its page, which it cannot see: 8 ms', async () => {
  const worker = new Worker(new URL('./pace-worker.ts', import.meta.url), { type: 'module' });
  const steps = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  expect(steps).toBe(8);
});

test('submitMs that is no time is refused', async () => {
  await expect(init({ submitMs: 0 })).rejects.toThrow('submitMs is 0');
});

/** Submits of steps and waits for them, in one epoch of `fit`. */
async function epoch(engine: Engine, stream: boolean) {
  const model = sequential([layers.input([8]), layers.dense(4, { activation: 'relu' }), layers.dense(1)]);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const { queue } = engine.device;
  const original = queue.onSubmittedWorkDone;
  const count = { waits: 0, underWay: 0, most: 0, submits: 0 };
  queue.onSubmittedWorkDone = async function (this: GPUQueue) {
    count.waits++;
    count.most = Math.max(count.most, ++count.underWay);
    await original.call(this);
    count.underWay--;
  };
  try {
    const steps = 512;
    const x = tensor(new Float32Array(steps * 4 * 8), { shape: [steps * 4, 8], engine });
    await model.fit(x, new Float32Array(steps * 4), {
      verbose: 0,
      batchSize: 4,
      epochs: 2,
      stream,
      callbacks: {
        onEpochBegin: () => {
          count.waits = 0;
          count.submits = engine.stats().submits;
        },
        onEpochEnd: () => {
          count.submits = engine.stats().submits - count.submits;
        },
      },
    });
    return { ...count, steps };
  } finally {
    queue.onSubmittedWorkDone = original;
  }
}

for (const stream of [false, true])
  test(`${stream ? 'streamed' : 'resident'} data: no wait for a batch, two submits under way`, async () => {
    const engine = await testEngine();
    const { steps, waits, most, submits } = await epoch(engine, stream);
    expect(most).toBe(2);
    // A wait follows a submit of many steps; two blocks of sums are read besides.
    expect(waits).toBeLessThanOrEqual(submits - 2 + 1);
    expect(submits).toBeLessThan(steps / 4);
  });

test('a time of its own for submits is heard by fit', async () => {
  const submits = async (submitMs: number) => (await epoch(await testEngine({ submitMs }), false)).submits;
  expect(await submits(1e-6)).toBeGreaterThan(4 * (await submits(1000)));
});
