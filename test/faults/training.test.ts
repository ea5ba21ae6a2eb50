/** F38 to F43: what the training calls do with bad arguments, odd sizes, second callers and abort signals. */
import { describe, expect, test } from 'vitest';
import {
  callbacks,
  initializers,
  layers,
  optimizers,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { refused, refusedLater } from './refused.ts';

const random = generator(38);
const rows = 40;
const data = random.array(rows * 4, -1, 1);
const x = () => tensor(data, { shape: [rows, 4] });
const labels = Uint8Array.from({ length: rows }, () => random.below(3));
const y = () => tensor(labels);
const quiet = { verbose: 0 } as const;

function model({ units = 3, compile = true } = {}) {
  const made = sequential([
    layers.input({ shape: [4] }),
    layers.dense({ units: 5, activation: 'tanh' }),
    layers.dense({ units, activation: 'softmax' }),
  ]);
  if (compile)
    made.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return made;
}
const weightsOf = (m: { getWeights(): Tensor[] }) => Promise.all(m.getWeights().map((w) => w.data()));

describe('F38 calls at the wrong moment, names that mean nothing', () => {
  test('fit, evaluate and trainOnBatch before compile', async () => {
    const m = model({ compile: false });
    await refusedLater(() => m.fit(x(), y(), quiet), 'STATE', /fit/, /compile/);
    await refusedLater(() => m.evaluate(x(), y(), quiet), 'STATE', /evaluate/, /compile/);
    await refusedLater(() => m.trainOnBatch(x(), y()), 'STATE', /compile/);
  });
  test('a model without an input builds itself from the data, without layers it is refused', async () => {
    const m = sequential([layers.dense({ units: 2 })]);
    expect((await m.predict(x(), quiet)).shape).toEqual([rows, 2]);
    await refusedLater(async () => sequential([]).predict(x()), 'STATE', /layer/);
  });
  test('unknown names are refused with the list of known ones', async () => {
    const m = model({ compile: false });
    await refused(
      () => m.compile({ optimizer: 'not an optimizer', loss: 'mse' }),
      'CONFIG',
      /not an optimizer/,
      /rmsprop/,
    );
    await refused(() => m.compile({ optimizer: 'sgd', loss: 'foo' }), 'CONFIG', /foo/);
    await refused(() => m.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['foo'] }), 'CONFIG', /foo/);
    await refused(
      () => layers.dense({ units: 4, activation: 'invalid_activation!' }),
      'CONFIG',
      /invalid_activation!/,
    );
    await refused(() => layers.dense({ units: 4, kernelInitializer: 'invalid!' }), 'CONFIG', /invalid!/);
  });
});

describe('F39 numbers outside their range', () => {
  test.each([0, -1, 3.14, Number.NaN, 'a', null])('batch size %o', async (batchSize) => {
    const m = model();
    const options = { ...quiet, batchSize: batchSize as never };
    await refusedLater(() => m.fit(x(), y(), options), 'VALUE', /batchSize/);
    await refusedLater(() => m.evaluate(x(), y(), options), 'VALUE', /batchSize/);
    await refusedLater(async () => m.predict(x(), { batchSize: batchSize as never }), 'VALUE', /batchSize/);
  });
  test.each([0, -1, 1.5, Number.NaN, '3'])('epochs %o', (epochs) =>
    refusedLater(() => model().fit(x(), y(), { ...quiet, epochs: epochs as never }), 'VALUE', /epochs/),
  );
  test.each([1, -0.1, 1.1, Number.NaN, '0.5'])('validation split %o', (validationSplit) =>
    refusedLater(
      () => model().fit(x(), y(), { ...quiet, validationSplit: validationSplit as never }),
      'VALUE',
      /validationSplit/,
    ),
  );
  test.each([0, -2, 2.5, 0.5, 10.9, '2', '64', undefined, null, Number.NaN])('units %o', (units) =>
    refused(() => layers.dense({ units: units as never }), 'VALUE', /units/),
  );
  test.each([-0.5, 1.5, Number.NaN, '0.5'])('dropout rate %o', (rate) =>
    refused(() => layers.dropout({ rate: rate as never }), 'VALUE', /rate/),
  );
  test('dropout rates 0 and 1 are legal', async () => {
    const ones = tensor(new Float32Array(8).fill(1), { shape: [2, 4] });
    for (const [rate, kept] of [
      [0, 1],
      [1, 0],
    ]) {
      const dropped = layers.dropout({ rate }).call(ones, { training: true });
      expect([...(await dropped.data())]).toEqual(new Array(8).fill(kept));
    }
  });
  test.each([{ momentum: -1 }, { momentum: 2 }, { learningRate: Number.NaN }, { learningRate: '0.1' }])(
    'sgd with %o',
    (options) => refused(() => optimizers.sgd(options as never), 'VALUE', Object.keys(options)[0]),
  );
});

describe('F40 shapes that do not belong together', () => {
  test('x and y of different lengths', async () => {
    const short = tensor(labels.subarray(0, 7));
    await refusedLater(() => model().fit(x(), short, quiet), 'SHAPE', /\b40\b/, /\b7\b/);
    await refusedLater(() => model().evaluate(x(), short, quiet), 'SHAPE', /\b40\b/, /\b7\b/);
  });
  test('an input unlike the model', async () => {
    const wide = tensor(new Float32Array(rows * 5), { shape: [rows, 5] });
    await refusedLater(() => model().fit(wide, y(), quiet), 'SHAPE', /\b5\b/, /\b4\b/);
    await refusedLater(async () => model().predict(wide), 'SHAPE', /\b5\b/, /\b4\b/);
  });
  test('targets unlike the output', () =>
    refusedLater(
      () => model().fit(x(), tensor(new Float32Array(rows * 2), { shape: [rows, 2] }), quiet),
      'SHAPE',
      /\b2\b/,
    ));
  test('no data at all', async () => {
    const nothing = tensor([], { shape: [0, 4] });
    await refusedLater(() => model().fit(nothing, tensor([]), quiet), 'VALUE', /fit/);
    await refusedLater(() => model().evaluate(nothing, tensor([]), quiet), 'VALUE', /evaluate/);
  });
  test('class weights for a class that the model does not have, or without one that the data have', async () => {
    const weighted = (classWeight: Record<number, number>) => () =>
      model().fit(x(), y(), { ...quiet, classWeight });
    await refusedLater(weighted({ 0: 1, 1: 2, 2: 1, 7: 3 }), 'VALUE', /\b7\b/);
    await refusedLater(weighted({ 0: 1, 1: 2 }), 'SHAPE', /class 2/);
  });
  test('sample weights of another length', () =>
    refusedLater(
      () => model().fit(x(), y(), { ...quiet, sampleWeight: new Float32Array(3) }),
      'SHAPE',
      /\b3\b/,
      /\b40\b/,
    ));
  test('weights of another number or shape change nothing', async () => {
    const m = model();
    const before = await weightsOf(m);
    await refused(() => m.setWeights([]), 'SHAPE');
    await refused(() => m.setWeights([...before.slice(0, 3), new Float32Array(99)]), 'SHAPE');
    expect(await weightsOf(m)).toEqual(before);
  });
});

describe('F41 two callers at once', () => {
  test('a second fit is refused and the first is unharmed', async () => {
    const run = async (disturb: boolean) => {
      const m = model();
      m.setWeights(startingWeights());
      const first = m.fit(x(), y(), { ...quiet, epochs: 5, shuffle: false });
      if (disturb) {
        await expect(m.fit(x(), y(), quiet)).rejects.toMatchObject({ code: 'STATE' });
        await expect(async () => m.setWeights(startingWeights())).rejects.toMatchObject({ code: 'STATE' });
        await expect(async () => m.add(layers.dense({ units: 2 }))).rejects.toMatchObject({ code: 'STATE' });
      }
      const { history } = await first;
      return { loss: history.loss, weights: await weightsOf(m) };
    };
    expect(await run(true)).toEqual(await run(false));
  });
  test('a fit after a fit goes on from where the first ended', async () => {
    const m = model();
    const first = await m.fit(x(), y(), { ...quiet, epochs: 3, shuffle: false });
    const second = await m.fit(x(), y(), { ...quiet, epochs: 3, shuffle: false });
    expect(second.history.loss[0]).toBeLessThan(first.history.loss[0]);
    expect(second.history.loss).toHaveLength(3);
  });
});

const startingWeights = () => {
  const source = generator(5);
  return [source.array(20, -1, 1), source.array(5, -1, 1), source.array(15, -1, 1), source.array(3, -1, 1)];
};

describe('F42 batches that do not divide the data', () => {
  const frozen = () => {
    const m = model({ compile: false });
    m.setWeights(startingWeights());
    for (const layer of m.layers) layer.trainable = false;
    m.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    return m;
  };
  test('the epoch reports the mean over samples, whatever the batch size', async () => {
    const results: number[][] = [];
    for (const batchSize of [40, 32, 7, 1, 1000]) {
      const { history } = await frozen().fit(x(), y(), { ...quiet, batchSize, shuffle: false });
      const { loss, accuracy } = await frozen().evaluate(x(), y(), { ...quiet, batchSize });
      results.push([history.loss[0], history.accuracy[0], loss, accuracy]);
    }
    for (const [fitLoss, fitAccuracy, loss, accuracy] of results) {
      expect(fitLoss).toBeCloseTo(results[0][0], 5);
      expect(loss).toBeCloseTo(results[0][0], 5);
      expect(fitAccuracy).toBeCloseTo(results[0][1], 6);
      expect(accuracy).toBeCloseTo(results[0][1], 6);
    }
  });
  test('predictions do not depend on the batch size', async () => {
    const m = frozen();
    const whole = await (await m.predict(x(), quiet)).data();
    const pieces = await (await m.predict(x(), { ...quiet, batchSize: 7 })).data();
    for (const [i, value] of pieces.entries()) expect(value).toBeCloseTo(whole[i], 6);
  });
});

describe('F43 an AbortSignal during fit', () => {
  test('ends with AbortError and the weights of a whole step, and the model can go on', async () => {
    const epochs = 200;
    for (let trial = 0; trial < 20; trial++) {
      const m = model();
      m.setWeights(startingWeights());
      const controller = new AbortController();
      const fit = m.fit(x(), y(), {
        ...quiet,
        epochs,
        batchSize: 8,
        shuffle: false,
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(), 30 * random.uniform());
      const outcome = await fit.then(
        () => 'finished',
        (error) => error.code,
      );
      expect(outcome).toBe('ABORT');
      const stopped = await weightsOf(m);
      const steps = (await m.optimizer.iterations.item()) as number;
      expect(stopped).toEqual(await weightsAfter(steps));
      expect((await m.fit(x(), y(), quiet)).history.loss.every(Number.isFinite)).toBe(true);
    }
  });
  test('is heard in the middle of an epoch', async () => {
    const m = model();
    const many = 20_000;
    const controller = new AbortController();
    const fit = m.fit(
      tensor(new Float32Array(many * 4), { shape: [many, 4] }),
      tensor(new Uint8Array(many)),
      { ...quiet, batchSize: 1, shuffle: false, signal: controller.signal },
    );
    setTimeout(() => controller.abort(), 200);
    await expect(fit).rejects.toMatchObject({ code: 'ABORT' });
    expect(await m.optimizer.iterations.item()).toBeLessThan(many);
  });
  test('an aborted signal is heard before anything starts', () => {
    const m = model();
    return refusedLater(() => m.fit(x(), y(), { ...quiet, signal: AbortSignal.abort() }), 'ABORT');
  });

  /** The same training, stopped by hand after so many steps of 8 rows. */
  async function weightsAfter(steps: number) {
    const m = model();
    m.setWeights(startingWeights());
    for (let step = 0; step < steps; step++) {
      const from = (step % 5) * 8;
      await m.trainOnBatch(
        tensor(data.subarray(from * 4, (from + 8) * 4), { shape: [8, 4] }),
        tensor(labels.subarray(from, from + 8)),
      );
    }
    return weightsOf(m);
  }
});

test('callbacks and initializers are there by name', () => {
  expect(callbacks.earlyStopping).toBeTypeOf('function');
  expect(initializers.glorotUniform).toBeTypeOf('function');
});
