/** What a training step costs, counted at the WebGPU API: the promises of a replayed plan. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, init, layers, losses, model, optimizers, sequential, tensor } from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { type Calls, countCalls } from './counters.ts';
import { syntheticImages } from './models.ts';

let engine: Engine;
let counter: ReturnType<typeof countCalls>;
beforeAll(async () => {
  // Poison writes, too.
  engine = await init({ debug: { poison: false } });
  counter = countCalls(engine);
});
afterAll(() => counter.stop());

/** Notes a value at the end of every epoch. */
const atEpochs = <T>(look: () => T): { seen: T[]; callback: { onEpochEnd(): void } } => {
  const seen: T[] = [];
  return { seen, callback: { onEpochEnd: () => void seen.push(look()) } };
};

const between = (before: Calls, after: Calls): Calls =>
  Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Calls]]),
  ) as unknown as Calls;

/** The model of the promise: 784-128-10, rmsprop, accuracy, on bytes. */
function fashionModel() {
  const model = sequential([
    layers.input({ shape: [784] }),
    layers.dense({ units: 128, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'rmsprop', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

describe('a step of 784-128-10 with rmsprop and accuracy, in the steady state', () => {
  const steps = 64;
  const images = syntheticImages(steps * 32, 2);
  const bytes = () =>
    tensor(images.bytes, { shape: [images.rows, 784] })
      .cast('f32')
      .div(255);
  let epoch: Calls;
  let memory: ReturnType<Engine['memory']>[];

  beforeAll(async () => {
    const counts = atEpochs(() => ({ ...counter.calls }));
    const sizes = atEpochs(() => engine.memory());
    await fashionModel().fit(bytes(), tensor(images.labels), {
      batchSize: 32,
      epochs: 5,
      verbose: 0,
      callbacks: [counts.callback, sizes.callback],
    });
    epoch = between(counts.seen[3], counts.seen[4]);
    memory = sizes.seen;
  });

  test('takes 8 dispatches', () => {
    expect(Math.floor(epoch.dispatches / steps)).toBe(8);
  });
  test('makes no buffer, no bind group and no pipeline', () => {
    expect(epoch).toMatchObject({ buffers: 0, bindGroups: 0, pipelines: 0 });
  });
  test('writes nothing: an epoch uploads at most its order', () => {
    expect(epoch.writes).toBeLessThanOrEqual(1);
  });
  test('takes at most an eighth of a submit', () => {
    expect(epoch.submits / steps).toBeLessThanOrEqual(1 / 8);
  });
  test('F33 leaves live and allocated bytes as they were, over 200 steps', () => {
    const [, second, , , last] = memory;
    // Less is no leak: earlier garbage may be collected meanwhile.
    for (const count of ['tensors', 'liveBytes', 'allocatedBytes', 'blocks'] as const)
      expect(last[count], count).toBeLessThanOrEqual(second[count]);
  });
});

describe("dispatches of the benchmark's workloads", () => {
  const workloads = [
    { name: '784 – 10, rmsprop', hidden: [], optimizer: 'rmsprop', batchSize: 32, dispatches: 4 },
    { name: '784 – 100 – 10, rmsprop', hidden: [100], optimizer: 'rmsprop', batchSize: 32, dispatches: 8 },
    { name: '784 – 512 – 10, rmsprop', hidden: [512], optimizer: 'rmsprop', batchSize: 128, dispatches: 8 },
    { name: '784 – 20 – 20 – 10, sgd', hidden: [20, 20], optimizer: 'sgd', batchSize: 20, dispatches: 10 },
  ];
  test.each(workloads)('$name: $dispatches', async ({ hidden, optimizer, batchSize, dispatches }) => {
    const rows = 8 * batchSize;
    const images = syntheticImages(rows, 3);
    const model = sequential([
      layers.rescaling({ scale: 1 / 255, inputShape: [784] }),
      ...hidden.map((units) => layers.dense({ units, activation: 'relu' })),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    const counts = atEpochs(() => ({ ...counter.calls }));
    await model.fit(tensor(images.bytes, { shape: [rows, 784] }), tensor(images.labels), {
      batchSize,
      epochs: 3,
      verbose: 0,
      callbacks: [counts.callback],
    });
    const epoch = between(counts.seen[1], counts.seen[2]);
    // A GPU has a gather of its own where a software adapter reads bytes inside the product, and slices long sums.
    expect(epoch.dispatches / 8).toBeGreaterThanOrEqual(dispatches);
    expect(epoch.dispatches / 8).toBeLessThanOrEqual(dispatches + (engine.profile.isSoftware ? 0 : 2));
    expect(epoch).toMatchObject({ buffers: 0, bindGroups: 0, pipelines: 0 });
  });
});

describe('a step of Embedding(500, 16) · LSTM(8) · Dense(1) over 100 words, batch 64, adam and accuracy', () => {
  test('takes 19 dispatches, and makes no buffer, no bind group and no pipeline', async () => {
    const rows = 64 * 4;
    const model = sequential([
      layers.input([100]),
      layers.embedding(500, 16),
      layers.lstm(8),
      layers.dense(1, { activation: 'sigmoid' }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const counts = atEpochs(() => ({ ...counter.calls }));
    const words = Int32Array.from({ length: rows * 100 }, (_, i) => (i * 7919) % 500);
    const labels = Float32Array.from({ length: rows }, (_, i) => i % 2);
    await model.fit(tensor(words, { shape: [rows, 100] }), tensor(labels, { shape: [rows, 1] }), {
      batchSize: 64,
      epochs: 3,
      verbose: 0,
      callbacks: [counts.callback],
    });
    const epoch = between(counts.seen[1], counts.seen[2]);
    expect(epoch.dispatches / 4).toBeLessThanOrEqual(engine.profile.isSoftware ? 19 : 20);
    expect(epoch).toMatchObject({ buffers: 0, bindGroups: 0, pipelines: 0 });
  });
});

test('dropout is no dispatch of its own: the product before it draws and stores', async () => {
  const counts = [];
  for (const rate of [0, 0.5]) {
    const model = sequential([
      layers.input([9]),
      layers.dense(20, { activation: 'relu' }),
      layers.dropout(rate),
      layers.dense(3, { activation: 'softmax' }),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    const x = tensor(new Float32Array(32 * 9).fill(1), { shape: [32, 9] });
    await model.fit(x, tensor(new Uint8Array(32)), { batchSize: 16, verbose: 0 });
    counts.push((await model.explain({ batchSize: 16, measure: false })).kernels.length);
  }
  // The counts of its draws are moved on in the update.
  expect(counts[1]).toBe(counts[0]);
});

describe('a transformer of two blocks, adamw, gradients clipped to a length', () => {
  test('takes at most 29 dispatches per block + 21, whatever is summed over its weights', async () => {
    const [steps, width, words] = [128, 16, 11];
    const ids = layers.input({ shape: [steps], dtype: 'int32' });
    let x = layers.embedding(words, width).apply(ids);
    for (let i = 0; i < 2; i++) {
      const seen = layers.layerNormalization().apply(x);
      const attention = layers.multiHeadAttention(2, 8, { useCausalMask: true });
      x = layers.add().apply([x, attention.apply([seen, seen])]);
      const wide = layers.dense(32, { activation: 'gelu' }).apply(layers.layerNormalization().apply(x));
      x = layers.add().apply([x, layers.dense(width).apply(wide)]);
    }
    const net = model({ inputs: ids, outputs: layers.dense(words).apply(x) });
    net.compile({
      optimizer: optimizers.adamw({ globalClipnorm: 1 }),
      loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
    });
    const tokens = Int32Array.from({ length: 32 * steps }, (_, i) => (i * 7) % words);
    const data = tensor(tokens, { shape: [32, steps] });
    const counts = atEpochs(() => ({ ...counter.calls }));
    await net.fit(data, data, { batchSize: 8, epochs: 3, verbose: 0, callbacks: [counts.callback] });
    const epoch = between(counts.seen[1], counts.seen[2]);
    expect(epoch.dispatches / 4).toBeLessThanOrEqual(29 * 2 + 21);
    expect(epoch).toMatchObject({ buffers: 0, bindGroups: 0, pipelines: 0 });
  });
});

describe('fusion belongs to the graph and not to one model', () => {
  const widths = [1, 3, 5, 7, 11, 13, 17, 23, 31, 37, 53, 61, 97];
  const activations = ['linear', 'relu', 'sigmoid', 'tanh', 'elu', 'softplus'];
  const makers = {
    sgd: () => optimizers.sgd(),
    momentum: () => optimizers.sgd({ momentum: 0.9 }),
    nesterov: () => optimizers.sgd({ momentum: 0.9, nesterov: true }),
    rmsprop: () => optimizers.rmsprop(),
    'centered rmsprop with momentum': () => optimizers.rmsprop({ centered: true, momentum: 0.5 }),
    adam: () => optimizers.adam(),
    adamw: () => optimizers.adamw(),
    adagrad: () => optimizers.adagrad(),
  };
  const random = generator(2026);
  for (let trial = 0; trial < 10; trial++) {
    const depth = 1 + (trial % 5);
    const hidden = Array.from({ length: depth - 1 }, () => ({
      units: random.pick(widths),
      activation: random.pick(activations),
    }));
    const inputs = random.pick([3, 9, 29, 65]);
    const classes = random.pick([2, 3, 7, 11]);
    const [optimizer, make] = Object.entries(makers)[trial % Object.keys(makers).length];
    const batch = random.pick([5, 8, 32]);
    const name = [inputs, ...hidden.map(({ units, activation }) => `${units} ${activation}`), classes].join(
      ' – ',
    );

    // Adam's update reads the count of steps that another kernel then moves on.
    const rest = optimizer.startsWith('adam') ? 3 : 2;
    test(`${name} with ${optimizer} takes at most 3 dispatches per dense layer + ${rest}`, async () => {
      const steps = 40;
      const rows = steps * batch;
      const data = generator(trial + 1);
      const model = sequential([
        layers.input({ shape: [inputs] }),
        ...hidden.map((options) => layers.dense(options)),
        layers.dense({ units: classes, activation: 'softmax' }),
      ]);
      model.compile({ optimizer: make(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      const counts = atEpochs(() => ({ ...counter.calls }));
      const { history } = await model.fit(
        tensor(data.array(rows * inputs, -1, 1), { shape: [rows, inputs] }),
        tensor(Uint8Array.from({ length: rows }, () => data.below(classes))),
        { batchSize: batch, epochs: 2, verbose: 0, callbacks: [counts.callback] },
      );
      const { dispatches } = between(counts.seen[0], counts.seen[1]);
      expect(Math.floor(dispatches / steps)).toBeLessThanOrEqual(3 * depth + rest);
      expect(history.loss.every(Number.isFinite)).toBe(true);
    });
  }
});
