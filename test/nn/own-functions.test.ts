/** What functions, generators and options of the user's give is brought into form or refused, never taken as it comes. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  callbacks,
  data,
  init,
  layers,
  meanMetric,
  ones,
  optimizers,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';

beforeAll(async () => {
  await init({ seed: 3 });
});

const quiet = { verbose: 0, shuffle: false } as const;

/** y = 0 · x, so that every error is |y|. */
function nothing(options: object = {}) {
  const model = sequential([layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })]);
  model.compile({ optimizer: optimizers.sgd(0), loss: 'mae', ...options });
  return model;
}
const x = [[0], [0], [0], [0], [0]];
const y = [1, 2, 3, 4, 10];

describe('a metric function that gives one number for a batch', () => {
  const meanError = (t: Tensor, p: Tensor) =>
    t
      .sub(p.reshape([p.size]))
      .abs()
      .mean();
  const scalar = { metrics: [meanError], weightedMetrics: [{ name: 'weighted', call: meanError }] };

  test('counts for each of its samples, in fit, evaluate and on single batches', async () => {
    const model = nothing(scalar);
    // Batches of 2: errors 1 2 | 3 4 | 10; all of them have the mean 4.
    expect(await model.evaluate(x, y, { verbose: 0, batchSize: 2 })).toEqual({
      loss: 4,
      meanError: 4,
      weighted: 4,
    });
    const { history } = await model.fit(x, y, { ...quiet, batchSize: 2 });
    expect(history).toEqual({ loss: [4], meanError: [4], weighted: [4] });
    expect(await model.testOnBatch(x, y)).toEqual({ loss: 4, meanError: 4, weighted: 4 });
    expect((await model.trainOnBatch(x, y)).meanError).toBe(4);
  });

  test('counts so in the smaller last batch of a generator, and in compute', async () => {
    const rows = data.Dataset.fromGenerator(function* () {
      for (const t of y) yield [{ data: Float32Array.of(0), shape: [1] }, t];
    });
    const { history } = await nothing(scalar).fit(rows.batch(2), quiet);
    expect(history.meanError).toEqual([4]);
    expect(await meanMetric('m', meanError).compute([1, 2, 3, 4], tensor([[0], [0], [0], [0]]))).toBe(2.5);
  });
});

describe('a function that gives no tensor, or one of another size, is refused before any step', () => {
  test.each([
    ['loss', { loss: (t: Tensor) => void t }, /loss .*undefined.*Return one/],
    ['loss', { loss: async (t: Tensor) => t }, /loss .*a promise.*async/],
    ['loss', { loss: () => ones([3]) }, /loss .*\[3\] for 5 samples/],
    ['metric', { metrics: [(t: Tensor) => void t] }, /metric .*undefined/],
    ['metric', { metrics: [{ name: 'own', call: () => ones([2]) }] }, /metric own .*\[2\] for 5 samples/],
    [
      'schedule',
      { optimizer: optimizers.sgd({ learningRate: (async () => 1) as never }) },
      /schedule.*a promise/,
    ],
    ['schedule', { optimizer: optimizers.sgd({ learningRate: () => ones([2]) }) }, /schedule.*\[2\]/],
  ])('%s %#', async (_kind, options, message) => {
    const model = nothing(options);
    await expect(model.fit(x, y, quiet)).rejects.toThrow(message as RegExp);
    await expect(model.trainOnBatch(x, y)).rejects.toThrow(message as RegExp);
    expect(await model.optimizer.iterations.item()).toBe(0);
  });

  test('an activation, a layer and a schedule by epochs', async () => {
    expect(() => layers.dense({ units: 1, activation: (() => 3) as never }).apply(ones([1, 1]))).toThrow(
      /activation.*3/,
    );
    const absent = layers.custom({ className: 'Absent', call: (() => {}) as never });
    expect(() => absent.apply(ones([1, 1]))).toThrow(/absent.*call gave undefined/);
    const schedule = callbacks.learningRateScheduler((async () => 0.1) as never);
    await expect(nothing().fit(x, y, { ...quiet, callbacks: schedule })).rejects.toThrow(/a promise.*async/);
  });

  test('an initializer that gives a tensor which is still to be computed', () => {
    const dense = (kernelInitializer: never) =>
      layers.dense({ units: 1, inputShape: [2], kernelInitializer });
    expect(() => sequential([dense(((shape: number[]) => ones(shape)) as never)])).toThrow(
      /expected 2 numbers/,
    );
    const model = sequential([dense((() => tensor([[1], [2]])) as never)]);
    expect(model.weights[0].shape).toEqual([2, 1]);
  });
});

describe('data', () => {
  test('a generator that is used up is told, and its empty passes are no epochs', async () => {
    const rows = (function* () {
      for (let i = 0; i < 4; i++) yield [{ data: Float32Array.of(i), shape: [1] }, i];
    })();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const set = data.Dataset.fromGenerator(() => rows as never).batch(2);
      const { epoch, history } = await nothing().fit(set, { ...quiet, epochs: 3 });
      expect([epoch, history.loss.length]).toEqual([[0], 1]);
      expect(warn).toHaveBeenCalledWith(expect.stringMatching(/used up.*makes a new one/));
    } finally {
      warn.mockRestore();
    }
  });

  test('a flat list is rows, as a flat typed array is', async () => {
    const model = nothing();
    expect((await model.predict([1, 2, 3], { verbose: 0 })).shape).toEqual([3, 1]);
    expect((await model.predict(Float32Array.of(1, 2, 3), { verbose: 0 })).shape).toEqual([3, 1]);
  });

  test('forms that are none are refused with the fix', async () => {
    const model = nothing();
    const of = (element: unknown) => data.Dataset.fromGenerator(() => [element] as never);
    await expect(model.fit(of({ xs: [1], ys: [1] }), quiet)).rejects.toThrow(
      /xs, ys.*\{ x, y, sampleWeight \}/,
    );
    await expect(model.fit(of([{ data: [1], shape: [1] }, 1]), quiet)).rejects.toThrow(/batch\(size\)/);
    await expect(model.predict([Float32Array.of(1)], { verbose: 0 })).rejects.toThrow(/\{ data, shape \}/);
  });
});

test('dropout drops together what noiseShape says', async () => {
  const drop = layers.dropout({ rate: 0.5, noiseShape: [1, 6] });
  const [first, ...rest] = (await drop.apply(ones([3, 6]), { training: true }).array()) as number[][];
  for (const row of rest) expect(row).toEqual(first);
  const apart = layers.dropout({ rate: 0.5, noiseShape: [null, 1, 4] });
  const values = (await apart.apply(ones([8, 5, 4]), { training: true }).array()) as number[][][];
  for (const rows of values) for (const row of rows) expect(row).toEqual(rows[0]);
  expect(new Set(values.map(([row]) => row.join())).size).toBeGreaterThan(2);
  expect(() =>
    layers.dropout({ rate: 0.5, noiseShape: [2, 6] }).apply(ones([3, 6]), { training: true }),
  ).toThrow(/noiseShape \[2, 6\] does not fit inputs \[3, 6\]/);
});
