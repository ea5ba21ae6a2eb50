/** Data that do not stay on the GPU: the same numbers as those that do, in little memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { RandomSequence } from '../../src/base/random.ts';
import {
  data,
  type Engine,
  layers,
  type Model,
  optimizers,
  resetNames,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { sharedEngine, testEngine } from '../support/engine.ts';
import { type Calls, countCalls } from '../training/counters.ts';

beforeEach(resetNames);

const FEATURES = 6;
const CLASSES = 3;
const quiet = { verbose: 0 } as const;

/** Bytes with odd row sizes, labels that follow from them, and weights. */
function samples(count: number, features = FEATURES, seed = 3) {
  const random = new RandomSequence(seed, 0);
  const bytes = Uint8Array.from({ length: count * features }, () => random.below(256));
  const labels = Uint8Array.from({ length: count }, (_, i) => bytes[i * features] % CLASSES);
  const weights = Float32Array.from({ length: count }, () => random.between(0.5, 2));
  return { bytes, labels, weights, shape: [count, features] };
}

/** Weights that are the same each time; dropout, so that the counting of steps matters. */
function network(features = FEATURES) {
  setRandomSeed(3);
  const model = sequential([
    layers.input([features]),
    layers.rescaling(1 / 255),
    layers.dense(7, {
      activation: 'tanh',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 1 } },
    }),
    layers.dropout(0.2, { seed: 4 }),
    layers.dense(CLASSES, {
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

const state = async (model: Model) =>
  Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));

/** What fit makes of the same data, resident and streamed: histories, weights, evaluations, predictions. */
async function bothWays(
  engine: Engine,
  { bytes, labels, weights, shape }: ReturnType<typeof samples>,
  form: (x: Tensor) => Tensor,
  options: object,
) {
  const results = [];
  for (const stream of [false, true]) {
    const model = network(shape[1]);
    const x = form(tensor(bytes, { shape, engine }));
    const writes = engine.stats().writes;
    const { history } = await model.fit(x, labels, { ...quiet, stream, sampleWeight: weights, ...options });
    const fitted = engine.stats().writes - writes;
    const fresh = form(tensor(bytes, { shape, engine }));
    const evaluated = await model.evaluate(fresh, labels, { ...quiet, batchSize: 7, stream });
    const predicted = await (
      await model.predict(form(tensor(bytes, { shape, engine })), { ...quiet, stream })
    ).data();
    results.push({ history, weights: await state(model), evaluated, predicted, writes: fitted });
    model.dispose();
  }
  return results;
}

describe('streamed data train to the bits of resident data', () => {
  const forms = {
    bytes: (x: Tensor) => x,
    'bytes, converted and scaled': (x: Tensor) => x.cast('f32').mul(2).sub([1, 2, 3, 4, 5, 6]),
    'bytes in another shape': (x: Tensor) =>
      x.reshape([x.shape[0], 2, 3]).cast('f32').reshape([x.shape[0], FEATURES]),
  };
  for (const [name, form] of Object.entries(forms))
    test(`${name}, shuffled, with a smaller last batch and validation`, async () => {
      const engine = await sharedEngine();
      const [resident, streamed] = await bothWays(engine, samples(131), form, {
        batchSize: 10,
        epochs: 2,
        validationSplit: 0.2,
      });
      expect(streamed.writes).toBeGreaterThan(resident.writes);
      expect({ ...streamed, writes: 0 }).toEqual({ ...resident, writes: 0 });
    });

  test('floats and one-hot rows, in order, weighted by class', async () => {
    const engine = await sharedEngine();
    const { bytes, labels, shape } = samples(60);
    const x = { data: Float32Array.from(bytes), shape };
    const hot = {
      data: Float32Array.from({ length: 60 * CLASSES }, (_, i) =>
        Number(labels[Math.floor(i / CLASSES)] === i % CLASSES),
      ),
      shape: [60, CLASSES],
    };
    const runs = [];
    for (const stream of [false, true]) {
      const model = network();
      model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
      const { history } = await model.fit(tensor(x.data, { shape, engine }), hot, {
        ...quiet,
        stream,
        batchSize: 16,
        epochs: 2,
        shuffle: false,
        classWeight: { 0: 1, 1: 2, 2: 0.5 },
        validationData: [x, hot],
      });
      runs.push({ history, weights: await state(model) });
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  test('rows of a dataset, in its own order, and batch by batch where somebody listens', async () => {
    const engine = await sharedEngine();
    const drawn = samples(50);
    const runs = [];
    for (const stream of [false, true]) {
      const x = tensor(drawn.bytes, { shape: drawn.shape, engine });
      const dataset = data.Dataset.fromTensorSlices([x, drawn.labels]).shuffle(50, 3).skip(4).batch(8);
      const model = network();
      const seen: unknown[] = [];
      const { history } = await model.fit(dataset, {
        ...quiet,
        stream,
        epochs: 2,
        callbacks: { onTrainBatchEnd: (batch: number, logs: object) => void seen.push([batch, logs]) },
      });
      const ordered = await (await model.predict(dataset, { ...quiet, stream })).data();
      runs.push({ history, seen, ordered, weights: await state(model) });
      expect(seen).toHaveLength(12);
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  test('numbers that others take to the GPU meanwhile', async () => {
    const engine = await sharedEngine();
    const drawn = samples(20_000);
    const runs = [];
    for (const stream of [false, true]) {
      const x = tensor(drawn.bytes, { shape: drawn.shape, engine });
      const model = network();
      await model.fit(x, drawn.labels, {
        ...quiet,
        stream,
        batchSize: 1000,
        epochs: 2,
        callbacks: { onEpochEnd: async () => void (await x.cast('f32').sum().item()) },
      });
      expect(x.host).toBeNull();
      runs.push(await state(model));
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  test('what is on the GPU already stays there, beside what is streamed', async () => {
    const engine = await sharedEngine();
    const drawn = samples(45);
    const runs = [];
    for (const stream of [false, true]) {
      const x = tensor(drawn.bytes, { shape: drawn.shape, engine }).cast('f32');
      await x.sum().data();
      await x.data();
      const model = network();
      const { history } = await model.fit(x, drawn.labels, { ...quiet, stream, batchSize: 7, epochs: 2 });
      runs.push({ history, weights: await state(model) });
    }
    expect(runs[1]).toEqual(runs[0]);
  });
});

describe('data four times as large as the budget', () => {
  const MAX_BYTES = 10_000_000;
  const [FEATURES_HERE, BATCH] = [784, 32];
  const { bytes, labels, shape } = samples(BATCH * 400, FEATURES_HERE);
  const floats = Float32Array.from(bytes);

  test('are streamed without being told, in flat memory below the budget, with a write for each column', async () => {
    // Poison writes, too.
    const engine = await testEngine({ maxBytes: MAX_BYTES, debug: { poison: false } });
    expect(floats.byteLength).toBeGreaterThan(4 * MAX_BYTES);
    const model = network(FEATURES_HERE);
    const counter = countCalls(engine);
    const seen: { calls: Calls; memory: ReturnType<Engine['memory']> }[] = [];
    try {
      await model.fit(tensor(floats, { shape, engine }), labels, {
        ...quiet,
        batchSize: BATCH,
        epochs: 3,
        callbacks: {
          onEpochEnd: () => void seen.push({ calls: { ...counter.calls }, memory: engine.memory() }),
        },
      });
    } finally {
      counter.stop();
    }
    const [, before, after] = seen;
    for (const { memory } of seen) expect(memory.peakBytes).toBeLessThan(MAX_BYTES);
    for (const key of ['tensors', 'liveBytes', 'allocatedBytes', 'blocks'] as const)
      expect(after.memory[key], key).toBeLessThanOrEqual(before.memory[key]);

    const made = (key: keyof Calls) => after.calls[key] - before.calls[key];
    const [steps, blocks] = [400, 2];
    expect([made('buffers'), made('bindGroups'), made('pipelines')]).toEqual([0, 0, 0]);
    expect(made('maps')).toBe(blocks);
    const submits = made('submits') - blocks;
    // x and y with every submit of steps; the counter and two sums that begin anew.
    expect(made('writes')).toBe(2 * submits + 3);
    expect(submits).toBeLessThan(steps / 2);
  });

  test('are evaluated and predicted within it, and give what a large budget gives', async () => {
    const small = await testEngine({ maxBytes: MAX_BYTES });
    const large = await testEngine();
    const results = [];
    for (const engine of [small, large]) {
      const x = () => tensor(floats, { shape, engine });
      const model = network(FEATURES_HERE);
      const evaluated = await model.evaluate(x(), labels, { ...quiet, batchSize: 100 });
      const predicted = await (await model.predict(x().add(1), quiet)).data();
      results.push({ evaluated, predicted });
    }
    expect(results[0]).toEqual(results[1]);
    expect(small.memory().peakBytes).toBeLessThan(MAX_BYTES);
    expect(large.memory().peakBytes).toBeGreaterThan(floats.byteLength);
  });
});
