/** What a long-lived program meets: calls without number, calls that are cut off, reads that are not awaited. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  callbacks,
  capture,
  type Engine,
  gradients,
  layers,
  sequential,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { sharedEngine } from '../support/engine.ts';

const quiet = { verbose: 0 } as const;
const random = generator(11);
let engine: Engine;
beforeAll(async () => {
  engine = await sharedEngine();
  // Whether readings of progress meet depends on the clock; buffers for some at once are there from the beginning.
  await Promise.all([1, 2, 3, 4].map((i) => tensor(i, { engine }).add(1).data()));
});

const data = (rows: number) => ({
  x: tensor(random.array(rows * 3, -1, 1), { shape: [rows, 3], engine }),
  y: tensor(random.array(rows, -1, 1), { shape: [rows, 1], engine }),
});
function made(loss: unknown = 'mse') {
  const model = sequential([layers.input([3]), layers.dense(4, { activation: 'tanh' }), layers.dense(1)]);
  model.compile({ optimizer: 'adam', loss: loss as 'mse', metrics: ['mae'] });
  return model;
}
const held = async () => {
  await engine.idle();
  const { tensors, liveBytes, allocatedBytes } = engine.memory();
  return { tensors, liveBytes, allocatedBytes };
};

test('F33 fits, evaluations, predictions in one batch and in many, and validation leave memory as it was', async () => {
  const { x, y } = data(50);
  const model = made();
  const round = async () => {
    await model.fit(x, y, {
      ...quiet,
      batchSize: 8,
      epochs: 2,
      validationSplit: 0.2,
      callbacks: callbacks.history(),
    });
    await model.evaluate(x, y, { ...quiet, batchSize: 16 });
    for (const batchSize of [50, 25, 3]) {
      const p = await model.predict(x, { ...quiet, batchSize });
      await p.data();
      p.dispose();
    }
    await model.trainOnBatch(x, y);
    await model.testOnBatch(x, y);
  };
  await round();
  await round();
  const before = await held();
  for (let i = 0; i < 4; i++) await round();
  expect(await held()).toEqual(before);
});

describe('F34 an exception in what the user wrote is the call’s, frees all of it, and leaves a usable model', () => {
  const bad = new Error('of the user');
  const fail = () => {
    throw bad;
  };
  const fit = { ...quiet, batchSize: 8, epochs: 3 };

  test.each<[string, object]>([
    ['onTrainBegin', { onTrainBegin: fail }],
    ['onEpochBegin', { onEpochBegin: (epoch: number) => epoch === 1 && fail() }],
    ['onTrainBatchEnd', { onTrainBatchEnd: (batch: number) => batch === 2 && fail() }],
    ['onEpochEnd, later', { onEpochEnd: async (epoch: number) => epoch === 1 && fail() }],
    ['onProgress', { onProgress: fail }],
  ])('in %s', async (_, callback) => {
    const { x, y } = data(40);
    const model = made();
    await model.fit(x, y, fit);
    const before = await held();
    const refused = model.fit(x, y, { ...fit, callbacks: callback });
    if ('onProgress' in callback) await refused.catch(() => {});
    else await expect(refused).rejects.toBe(bad);
    expect(await held()).toEqual(before);
    // A whole number of steps was made, and the next fit goes on from them.
    expect(Number.isInteger(await model.optimizer.iterations.item())).toBe(true);
    expect((await model.fit(x, y, fit)).history.loss.every(Number.isFinite)).toBe(true);
    expect(await held()).toEqual(before);
  });

  test('in a loss, and in a captured function', async () => {
    const { x, y } = data(40);
    let broken = true;
    const model = made((t: Tensor, p: Tensor) => (broken ? fail() : t.sub(p).square().mean(-1)));
    await expect(model.fit(x, y, fit)).rejects.toBe(bad);
    broken = false;
    expect((await model.fit(x, y, fit)).history.loss.every(Number.isFinite)).toBe(true);

    const w = variable([1], { engine });
    const step = capture(() => {
      void w.assign(w.sub(gradients(w.square().sum(), [w])[0].mul(0.1)));
      if (broken) fail();
    });
    broken = true;
    await expect(step()).rejects.toBe(bad);
    expect(await w.array()).toEqual([1]);
    broken = false;
    await step();
    expect(await w.item()).toBeCloseTo(0.8, 6);
  });

  test('stopTraining ends after a whole step', async () => {
    const { x, y } = data(40);
    const model = made();
    const stop = callbacks.lambda({
      onTrainBatchEnd(batch) {
        if (batch === 2) model.stopTraining = true;
      },
    });
    await model.fit(x, y, { ...fit, callbacks: stop });
    expect(await model.optimizer.iterations.item()).toBe(3);
  });
});

test('F36 reads at once get the same values, and a tensor that is let go before it was read is read', async () => {
  const x = tensor([1, 2, 3], { engine }).mul(2);
  const [one, two] = [x.data(), x.data()];
  x.dispose();
  expect([...(await one)]).toEqual([2, 4, 6]);
  expect([...(await two)]).toEqual([2, 4, 6]);
  const many = Array.from({ length: 300 }, (_, i) => tensor([i], { engine }).add(1).item());
  expect(await Promise.all(many)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
});
