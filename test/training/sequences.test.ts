/** Training on sequences is exact: with equal weights and batches, each loss is that of float64, for 50 steps. */
import { describe, expect, test } from 'vitest';
import { layers, optimizers, sequential, setRandomSeed, tensor } from '../../src/index.ts';
import type { ProvenOp } from '../../src/ops/define.ts';
import { type NdArray, ndarray } from '../../src/ops/reference.ts';
import { registry } from '../../src/ops/registry.ts';
import recorded from '../nn/fixtures/sequences.json';
import { adam } from '../reference/optimizers.ts';
import { generator } from '../reference/random.ts';
import { epochMeans } from '../reference/train.ts';

const words = 12;
const size = 4;
const units = 5;
const steps = 6;
const batch = 8;
const count = 40;
const random = generator(5);
/** 0 is no word: sequences end early, and what is behind does not count. */
const ids = Int32Array.from({ length: count * steps }, (_, i) =>
  i % steps > 2 + (Math.floor(i / steps) % 4) ? 0 : 1 + Math.floor(random.between(0, words - 1)),
);
const labels = Float32Array.from({ length: count }, (_, i) =>
  Number(ids[i * steps] + ids[i * steps + 1] > words),
);

const reference = (name: string, inputs: readonly NdArray[], attributes: object): NdArray =>
  (registry.get(name) as ProvenOp).reference(inputs, attributes as Record<string, unknown>);

/** [m, k] · [k, n]; `turn` takes the first as [k, m]. */
function product(a: Float64Array, b: Float64Array, [m, k, n]: number[], turn = false): Float64Array {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++)
      for (let j = 0; j < n; j++) y[i * n + j] += (turn ? a[l * m + i] : a[i * k + l]) * b[l * n + j];
  return y;
}
const turned = (a: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from(a, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]);
const columnSums = (a: Float64Array, columns: number): Float64Array => {
  const y = new Float64Array(columns);
  a.forEach((one, i) => {
    y[i % columns] += one;
  });
  return y;
};

/** Embedding, a recurrent layer, one sigmoid: the loss and the gradients of all weights. */
function lossAndGradients(cell: 'lstm' | 'gru', weights: readonly Float64Array[], from: number) {
  const [E, W, U, b, D, d] = weights;
  const gates = cell === 'lstm' ? 4 : 3;
  const width = gates * units;
  const attributes = { cell, activation: 'tanh', recurrentActivation: 'sigmoid' };
  const rows = ids.subarray(from * steps, (from + batch) * steps);
  const x = new Float64Array(batch * steps * size);
  for (const [i, id] of rows.entries()) x.set(E.subarray(id * size, (id + 1) * size), i * size);
  const z = product(x, W, [batch * steps, size, width]).map((one, i) => one + b[i % width]);
  const parts = cell === 'lstm' ? 2 : 1;
  const u = ndarray([units, width], U);
  const on = ndarray(
    [batch, steps],
    Float64Array.from(rows, (id) => Number(id !== 0)),
  );
  const drop = ndarray([batch, 1, units], new Float64Array(batch * units).fill(1));
  const second = ndarray([width], cell === 'gru' ? b.subarray(width) : new Float64Array(width));
  const inputs = [ndarray([batch, steps, width], z), u, second, ndarray([parts, batch, units]), on, drop];
  const y = reference('recurrence', inputs, attributes);
  const saved = reference('recurrenceSaved', inputs, attributes);
  const slots = y.shape[1];
  let loss = 0;
  const g = ndarray(y.shape);
  const [dD, dd] = [new Float64Array(units), new Float64Array(1)];
  for (let r = 0; r < batch; r++) {
    const at = (r * slots + steps - 1) * units;
    const h = y.data.subarray(at, at + units);
    const logit = h.reduce((sum, one, j) => sum + one * D[j], d[0]);
    const label = labels[from + r];
    loss += (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - logit * label) / batch;
    const dlogit = (1 / (1 + Math.exp(-logit)) - label) / batch;
    dd[0] += dlogit;
    for (let j = 0; j < units; j++) {
      dD[j] += dlogit * h[j];
      g.data[at + j] = dlogit * D[j];
    }
  }
  const back = [u, saved, on, drop, g];
  const dz = reference('recurrence.dx', back, attributes).data;
  const dr = reference('recurrence.dr', back, attributes).data;
  const all = saved.shape[2];
  const h = new Float64Array(batch * steps * units);
  for (let i = 0; i < batch * steps; i++)
    h.set(saved.data.subarray((i + 1) * all - units, (i + 1) * all), i * units);
  const dx = product(dz, turned(W, size, width), [batch * steps, width, size]);
  const dE = new Float64Array(E.length);
  rows.forEach((id, i) => {
    for (let k = 0; k < size; k++) dE[id * size + k] += dx[i * size + k];
  });
  const db = columnSums(dz, width);
  const gradients = [
    dE,
    product(x, dz, [size, batch * steps, width], true),
    product(h, dr, [units, batch * steps, width], true),
    cell === 'gru' ? Float64Array.from([...db, ...columnSums(dr, width)]) : db,
    dD,
    dd,
  ];
  return { loss, gradients };
}

describe.each(['lstm', 'gru'] as const)('embedding with a mask, %s, one sigmoid, adam', (cell) => {
  test('each loss of 50 steps is that of float64, and two runs give the same bits', async () => {
    const run = async () => {
      setRandomSeed(1);
      const model = sequential([
        layers.input([steps]),
        layers.embedding(words, size, { maskZero: true }),
        layers[cell](units),
        layers.dense(1, { activation: 'sigmoid' }),
      ]);
      model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
      const start = await Promise.all(model.getWeights().map((w) => w.data()));
      const { history } = await model.fit(
        tensor(ids, { shape: [count, steps] }),
        tensor(labels, { shape: [count, 1] }),
        { batchSize: batch, epochs: 10, shuffle: false, verbose: 0 },
      );
      const end = await Promise.all(model.getWeights().map((w) => w.data()));
      return { start, end, loss: history.loss };
    };
    const first = await run();
    const weights = first.start.map((w) => Float64Array.from(w));
    const optimizer = adam();
    const losses: number[] = [];
    for (let step = 0; step < 50; step++) {
      const { loss, gradients } = lossAndGradients(cell, weights, (step * batch) % count);
      losses.push(loss);
      optimizer.apply(weights, gradients);
    }
    for (const [epoch, loss] of epochMeans(
      losses,
      losses.map(() => batch),
      count / batch,
    ).entries())
      expect(Math.abs(first.loss[epoch] - loss), `loss of epoch ${epoch + 1}`).toBeLessThan(1e-5);
    for (const [i, w] of first.end.entries())
      expect(Math.max(...w.map((x, j) => Math.abs(x - weights[i][j]))), `weight ${i}`).toBeLessThan(1e-4);
    const second = await run();
    expect(second).toEqual(first);
  });
});

test('masked steps count in no loss and no metric, as in Keras, and a step of training goes on from there', async () => {
  const { x, y, weights, measured, after } = recorded.losses;
  const model = sequential([
    layers.input([4]),
    layers.embedding(6, 3, { maskZero: true }),
    layers.lstm(2, { returnSequences: true }),
    layers.dense(1),
  ]);
  model.compile({
    optimizer: optimizers.sgd({ learningRate: 0.5 }),
    loss: 'meanSquaredError',
    metrics: ['mae'],
  });
  await model.setWeights(weights.map((w) => tensor(w as number[][])));
  const logs = await model.evaluate(x, y, { batchSize: 3, verbose: 0 });
  expect(logs.loss).toBeCloseTo(measured.loss, 5);
  expect(logs.mae).toBeCloseTo(measured.mae, 5);
  await model.trainOnBatch(x, y);
  for (const [i, w] of (await Promise.all(model.getWeights().map((one) => one.data()))).entries()) {
    const right = (after[i] as number[]).flat(Infinity) as number[];
    expect(Math.max(...w.map((value, j) => Math.abs(value - right[j]))), `weight ${i}`).toBeLessThan(1e-5);
  }
});

test('ids outside the vocabulary are refused before anything changes, on the host and on the GPU', async () => {
  const model = sequential([layers.input([2]), layers.embedding(5, 2), layers.flatten(), layers.dense(1)]);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const before = await Promise.all(model.getWeights().map((w) => w.data()));
  const bad = tensor([
    [1, 2],
    [3, 4],
  ]).add(
    tensor([
      [0, 0],
      [1, 1],
    ]),
  );
  await bad.data();
  for (const x of [
    [
      [1, 2],
      [3, 5],
    ],
    [
      [-1, 2],
      [3, 4],
    ],
    bad,
  ]) {
    await expect(model.fit(x, [[0], [1]], { verbose: 0 })).rejects.toThrow(/ids go from 0 to 4/);
    await expect(model.predict(x)).rejects.toThrow(/holds the id/);
  }
  expect(await Promise.all(model.getWeights().map((w) => w.data()))).toEqual(before);
});

test('a stateful layer is trained batch after batch, and refuses a batch of another size', async () => {
  const make = (stateful: boolean) => {
    setRandomSeed(4);
    const model = sequential([
      layers.input({ batchShape: [2, 3, 1] }),
      layers.gru(2, { stateful }),
      layers.dense(1),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i / 12),
    { shape: [4, 3, 1] },
  );
  const y = [[0], [1], [0], [1]];
  const model = make(true);
  const { history } = await model.fit(x, y, { batchSize: 2, epochs: 2, shuffle: false, verbose: 0 });
  const other = await make(false).fit(x, y, { batchSize: 2, epochs: 2, shuffle: false, verbose: 0 });
  expect(history.loss.every(Number.isFinite)).toBe(true);
  expect(history.loss).not.toEqual(other.history.loss);
  await expect(model.fit(x, y, { batchSize: 3, verbose: 0 })).rejects.toThrow(
    /batch of 3 came to a stateful layer/,
  );
});
