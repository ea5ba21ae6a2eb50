/** Epochs of so many steps, as in Keras: they go on where the last one ended, and data without an end are enough. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RandomSequence } from '../../src/base/random.ts';
import { data, layers, type Model, resetNames, sequential, setRandomSeed, tensor } from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

beforeEach(resetNames);
afterEach(() => void vi.restoreAllMocks());

const quiet = { verbose: 0 } as const;
const COUNT = 26;
const random = new RandomSequence(11, 0);
const x = Float32Array.from({ length: COUNT * 3 }, () => random.between(-1, 1));
const y = Float32Array.from({ length: COUNT }, (_, i) => x[3 * i] - x[3 * i + 1]);

async function network() {
  setRandomSeed(7);
  const model = sequential([
    layers.input([3]),
    layers.dense(4, {
      activation: 'tanh',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 1 } },
    }),
    layers.dense(1, { kernelInitializer: { className: 'GlorotUniform', config: { seed: 2 } } }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  return model;
}
const state = async (model: Model) =>
  Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
const inputs = async () => tensor(x, { shape: [COUNT, 3], engine: await sharedEngine() });

/** What of the losses of single steps is left in the means over epochs. */
const steps = (history: { epoch: readonly number[]; params: { steps?: number | null } }) => [
  history.epoch.length,
  history.params.steps,
];

describe('arrays', () => {
  for (const stream of [false, true])
    test(`an epoch takes its steps and the next goes on (${stream ? 'streamed' : 'resident'})`, async () => {
      const [whole, parts, later] = [await network(), await network(), await network()];
      const options = { ...quiet, stream, batchSize: 4 };
      const all = await whole.fit(await inputs(), y, { ...options, epochs: 2 });
      // 3, 3 and 1 of 7 batches are a pass.
      const some = await parts.fit(await inputs(), y, { ...options, epochs: 6, stepsPerEpoch: 3 });
      expect(await state(parts)).toEqual(await state(whole));
      expect([steps(all), steps(some)]).toEqual([
        [2, 7],
        [6, 3],
      ]);
      const [a, b, c] = some.history.loss;
      expect((12 * a + 12 * b + 2 * c) / COUNT).toBeCloseTo(all.history.loss[0], 6);

      await later.fit(await inputs(), y, { ...options, epochs: 4, stepsPerEpoch: 3 });
      await later.fit(await inputs(), y, { ...options, initialEpoch: 4, epochs: 6, stepsPerEpoch: 3 });
      expect(await state(later)).toEqual(await state(whole));
    });

  test('without a batch size, the steps say it', async () => {
    const [model, twin] = [await network(), await network()];
    expect(steps(await model.fit(await inputs(), y, { ...quiet, stepsPerEpoch: 5 }))).toEqual([1, 5]);
    await twin.fit(await inputs(), y, { ...quiet, batchSize: 6 });
    expect(await state(model)).toEqual(await state(twin));
  });

  test('validation and evaluation take the first batches only', async () => {
    const model = await network();
    const four = tensor(x.slice(0, 24), { shape: [8, 3], engine: await sharedEngine() });
    const { loss } = await model.evaluate(four, y.slice(0, 8), quiet);
    const some = await model.evaluate(await inputs(), y, { ...quiet, batchSize: 4, steps: 2 });
    expect(some.loss).toBeCloseTo(loss, 6);
    const { history } = await model.fit(await inputs(), y, {
      ...quiet,
      epochs: 2,
      validationData: [await inputs(), y],
      validationSteps: 2,
      validationBatchSize: 4,
    });
    const after = await model.evaluate(four, y.slice(0, 8), quiet);
    expect(history.val_loss[1]).toBeCloseTo(after.loss, 6);
  });

  test('more steps than there are batches: a warning, and what there is', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const [model, twin] = [await network(), await network()];
    const options = { ...quiet, batchSize: 4, epochs: 2 };
    await model.fit(await inputs(), y, { ...options, stepsPerEpoch: 9 });
    expect(warn).toHaveBeenCalledWith('fit: stepsPerEpoch is 9, but the data end after 7 batches.');
    await twin.fit(await inputs(), y, options);
    expect(await state(model)).toEqual(await state(twin));
    await expect(model.fit(await inputs(), y, { stepsPerEpoch: 0 })).rejects.toThrow('stepsPerEpoch is 0');
    await expect(model.fit(await inputs(), y, { validation_steps: 1.5 } as never)).rejects.toThrow(
      'validationSteps is 1.5',
    );
  });
});

describe('datasets that make their batches', () => {
  const made = () =>
    data.Dataset.fromTensorSlices<[unknown, number]>([{ data: x, shape: [COUNT, 3] }, y])
      .map((row) => row)
      .batch(4);

  test('without an end: epochs go on through it, and it is let go afterwards', async () => {
    let ended = 0;
    const asked: number[] = [];
    const endless = () =>
      data.Dataset.fromGenerator(function* () {
        try {
          for (let i = 0; ; i++) {
            asked.push(i);
            const at = (4 * i) % 24;
            yield [{ data: x.subarray(3 * at, 3 * at + 12), shape: [4, 3] }, y.subarray(at, at + 4)];
          }
        } finally {
          ended++;
        }
      });
    const model = await network();
    const { history } = await model.fit(endless(), {
      ...quiet,
      epochs: 3,
      stepsPerEpoch: 6,
      validationData: endless(),
      validationSteps: 2,
    });
    expect(history.loss).toHaveLength(3);
    // 18 for training; two for each validation, from the first on. Whoever looks ahead sees one more.
    const firsts = asked.filter((i) => i === 0);
    expect(firsts).toHaveLength(4);
    expect(Math.max(...asked)).toBeLessThanOrEqual(18);
    expect(ended).toBe(4);

    const twin = await network();
    await twin.fit(tensor(x.slice(0, 72), { shape: [24, 3], engine: await sharedEngine() }), y.slice(0, 24), {
      ...quiet,
      batchSize: 4,
      epochs: 3,
      shuffle: false,
    });
    expect(await state(model)).toEqual(await state(twin));
    await expect(model.fit(made().repeat(), quiet)).rejects.toThrow('or give stepsPerEpoch');
  });

  test('with an end: the next pass begins after it', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const [whole, parts] = [await network(), await network()];
    await whole.fit(made(), { ...quiet, epochs: 2 });
    // 3, 3, 1 and again.
    const { history } = await parts.fit(made(), { ...quiet, epochs: 6, stepsPerEpoch: 3 });
    expect(await state(parts)).toEqual(await state(whole));
    expect(history.loss).toHaveLength(6);
    expect(warn).not.toHaveBeenCalled();
    await parts.fit(made(), { ...quiet, stepsPerEpoch: 9 });
    expect(warn).toHaveBeenCalledWith('fit: stepsPerEpoch is 9, but the data end after 7 batches.');
  });
});
