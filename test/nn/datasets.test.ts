/** Models take datasets: the rows of arrays on the fast path, batches that are made on the way one by one. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RandomSequence } from '../../src/base/random.ts';
import {
  data,
  defaultEngine,
  type Engine,
  init,
  layers,
  optimizers,
  resetNames,
  sequential,
  setRandomSeed,
  tensor,
} from '../../src/index.ts';

let engine: Engine;
beforeAll(async () => {
  // Submits of so many steps as there are, however long a step takes: their number is exact.
  engine = await init({ seed: 5, submitMs: 1e6 });
});
beforeEach(resetNames);

const { Dataset } = data;
const COUNT = 30;
const random = new RandomSequence(3, 0);
const x = { data: Float32Array.from({ length: COUNT * 4 }, () => random.between(-1, 1)), shape: [COUNT, 4] };
const y = Uint8Array.from({ length: COUNT }, (_, i) => (x.data[i * 4] + x.data[i * 4 + 1] > 0 ? 1 : 0));
const weights = Float32Array.from({ length: COUNT }, (_, i) => (i % 3) + 0.5);

/** Weights that are the same each time. */
function network() {
  setRandomSeed(5);
  const model = sequential([
    layers.input([4]),
    layers.dense(5, {
      activation: 'tanh',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 1 } },
    }),
    layers.dense(2, {
      activation: 'softmax',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 2 } },
    }),
  ]);
  model.compile({
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}
type Network = ReturnType<typeof network>;
const state = async (model: Network) =>
  Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
const inputs = () => tensor(x.data, { shape: x.shape, engine });
const quiet = { verbose: 0 } as const;

describe('a dataset of rows', () => {
  test('trains to the bits that arrays train to', async () => {
    const [byArrays, byRows] = [network(), network()];
    const first = await byArrays.fit(inputs(), y, { ...quiet, batchSize: 8, epochs: 3, shuffle: false });
    const second = await byRows.fit(Dataset.fromTensorSlices([x, y]).batch(8), { ...quiet, epochs: 3 });
    expect(second.history).toEqual(first.history);
    expect(await state(byRows)).toEqual(await state(byArrays));
  });

  test('visits the rows of its own order, another in each epoch, and validates on the others', async () => {
    const all = Dataset.fromTensorSlices([x, y]).shuffle(COUNT, 9);
    const train = all.take(20).batch(6);
    const held = all.skip(20).batch(7);
    const model = network();
    const { history } = await model.fit(train, { ...quiet, epochs: 2, validationData: held });

    const twin = network();
    for (const epoch of [0, 1]) {
      let loss = 0;
      for await (const batch of train.iterate(epoch)) {
        const [bx, by] = batch as (typeof x)[];
        const logs = await twin.trainOnBatch(tensor(bx.data, { shape: bx.shape }), by.data);
        loss += logs.loss * bx.shape[0];
      }
      expect(history.loss[epoch]).toBeCloseTo(loss / 20, 5);
      const [[hx, hy]] = (await held
        .iterate(epoch)
        .next()
        .then(({ value }) => [value])) as (typeof x)[][];
      expect([hx.shape, hy.shape]).toEqual([[7, 4], [7]]);
    }
    const flat = (weightsOf: number[][]) => weightsOf.flat();
    const [mine, theirs] = [flat(await state(model)), flat(await state(twin))];
    mine.forEach((value, i) => {
      expect(value).toBeCloseTo(theirs[i], 5);
    });
    expect(history.val_loss).toHaveLength(2);
  });

  test('costs what shuffled arrays cost: as many kernels, submits and readings', async () => {
    const engine = await defaultEngine();
    const cost = async (train: (model: Network) => Promise<unknown>) => {
      const model = network();
      await train(model); // compiles
      const before = engine.stats();
      await train(model);
      const after = engine.stats();
      return (['dispatches', 'submits', 'reads'] as const).map((key) => after[key] - before[key]);
    };
    const arrays = await cost((model) =>
      model.fit(tensor(x.data, { shape: x.shape }), y, { ...quiet, batchSize: 8, epochs: 2 }),
    );
    const dataset = Dataset.fromTensorSlices([x, y]).shuffle(10, 1).batch(8);
    expect(await cost((model) => model.fit(dataset, { ...quiet, epochs: 2 }))).toEqual(arrays);
  });

  test('may be tensors, a third part weighs the samples, and a last batch may be dropped', async () => {
    const dataset = Dataset.fromTensorSlices([inputs(), tensor(y), weights])
      .skip(3)
      .batch(8, { dropRemainder: true });
    const [one, two] = [network(), network()];
    const a = await one.fit(dataset, { ...quiet, epochs: 2 });
    const b = await two.fit(inputs().slice([3, 0], [24, 4]), y.subarray(3, 27), {
      ...quiet,
      batchSize: 8,
      epochs: 2,
      shuffle: false,
      sampleWeight: weights.subarray(3, 27),
    });
    expect(a.history).toEqual(b.history);
  });

  test('is evaluated and predicted as its rows are', async () => {
    const model = network();
    const part = Dataset.fromTensorSlices({ x, y }).skip(5).take(20);
    const direct = await model.evaluate(inputs().slice([5, 0], [20, 4]), y.subarray(5, 25), {
      ...quiet,
      batchSize: 6,
    });
    expect(await model.evaluate(part.batch(6), quiet)).toEqual(direct);
    const shuffled = await model.evaluate(part.shuffle(20, 1).batch(6), quiet);
    expect(shuffled.loss).toBeCloseTo(direct.loss, 5);

    const all = (await (await model.predict(inputs(), quiet)).array()) as number[][];
    expect(await (await model.predict(part.batch(6), quiet)).array()).toEqual(all.slice(5, 25));
    const mixed = Dataset.fromTensorSlices(x).shuffle(COUNT, 2).batch(4);
    const order = [...mixed.rowPlan!.order(0)];
    expect(await (await model.predict(mixed, quiet)).array()).toEqual(order.map((row) => all[row]));
  });
});

describe('a dataset that makes its batches', () => {
  const rows = () => Dataset.fromTensorSlices<[typeof x, number]>([x, y]);
  /** The same, but nobody can know that. */
  const made = (size: number) =>
    rows()
      .map((row) => row)
      .batch(size);

  test('trains, validates, evaluates and predicts as its rows do', async () => {
    const [byRows, byBatch] = [network(), network()];
    const seen: number[] = [];
    const first = await byRows.fit(rows().batch(8), { ...quiet, epochs: 2, validationData: rows().batch(7) });
    const second = await byBatch.fit(made(8), {
      ...quiet,
      epochs: 2,
      validationData: made(7),
      callbacks: { onTrainBatchEnd: (batch: number) => void seen.push(batch) },
    });
    expect(seen).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(Object.keys(second.history)).toEqual(Object.keys(first.history));
    for (const [key, values] of Object.entries(first.history)) {
      values.forEach((value, i) => {
        expect(second.history[key][i]).toBeCloseTo(value, 5);
      });
    }
    const { loss } = await byBatch.evaluate(made(4), quiet);
    expect(loss).toBeCloseTo((await byBatch.evaluate(inputs(), y, quiet)).loss, 5);
    const predicted = (await (await byBatch.predict(made(4), quiet)).array()) as number[][];
    const direct = (await (await byBatch.predict(inputs(), quiet)).array()) as number[][];
    expect(predicted).toHaveLength(COUNT);
    predicted.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(direct.flat()[i], 6);
    });
  });

  test('may have an unknown number of batches, but not an endless one or none', async () => {
    const model = network();
    const filtered = rows()
      .filter(([, label]) => label === 1)
      .batch(4);
    const { history } = await model.fit(filtered, { ...quiet, validationData: inputsAnd() });
    expect(history.val_accuracy).toHaveLength(1);
    await expect(model.fit(made(4).repeat(), quiet)).rejects.toThrow('no end. Call take(count) on it');
    await expect(
      model.evaluate(
        rows()
          .filter(() => false)
          .batch(4),
        quiet,
      ),
    ).rejects.toThrow('no elements');
    expect((await model.fit(made(4).repeat().take(3), quiet)).history.loss).toHaveLength(1);
  });

  test('that fails ends the run with its own error and leaves the model usable', async () => {
    const failing = Dataset.fromGenerator(
      async function* () {
        yield [x, { data: y, shape: [COUNT] }];
        throw new Error('the disk is gone');
      },
      { cardinality: 2 },
    );
    const model = network();
    await expect(model.fit(failing, quiet)).rejects.toThrow('the disk is gone');
    await model.fit(failing.take(1), quiet);
  });

  const inputsAnd = () => [inputs(), y];
});

describe('what contradicts a dataset is refused before any work', () => {
  const rows = Dataset.fromTensorSlices([x, y]);
  test('sizes, shares, targets beside it, single rows', async () => {
    const model = network();
    const train = (dataset: unknown, options: object, targets?: unknown) =>
      model.fit(dataset, targets, options);
    await expect(train(rows.batch(4), { batchSize: 8 })).rejects.toThrow('Call batch(size) on the dataset');
    await expect(train(rows.batch(4), { batch_size: 8 })).rejects.toThrow('Call batch(size) on the dataset');
    await expect(model.evaluate(rows.batch(4), { batch_size: 8 } as never)).rejects.toThrow(
      'Call batch(size)',
    );
    await expect(train(rows.batch(4), { sampleWeight: y })).rejects.toThrow('sampleWeight beside a dataset');
    await expect(train(rows.batch(4), { validationSplit: 0.2 })).rejects.toThrow('take(n) and skip(n)');
    await expect(train(rows.batch(4), {}, y)).rejects.toThrow('y beside a dataset');
    await expect(train(rows, {})).rejects.toThrow('gives single rows. Call batch(size) on it');
    await expect(train(rows.take(0).batch(4), {})).rejects.toThrow('no elements');
    await expect(model.evaluate(Dataset.fromTensorSlices([x, y, y, y]).batch(4), quiet)).rejects.toThrow(
      '4 parts',
    );
  });
});
