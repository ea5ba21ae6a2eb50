/** Training with several inputs and outputs: as real Keras does it in float64, and how data that do not fit are refused. */
import { describe, expect, it } from 'vitest';
import { data, layers, Model, model, optimizers, type Tensor, tensor } from '../../src/index.ts';
import golden from './fixtures/several.json' with { type: 'json' };

const quiet = { verbose: 0 } as const;
const line = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + seed));
const rows = (n: number, width: number, seed: number): number[][] =>
  Array.from({ length: n }, (_, i) => line(width, seed + i));

const a = rows(40, 4, 1);
const b = rows(40, 3, 2);
const kinds = Array.from({ length: 40 }, (_, i) => (i * 7) % 3);
const sizes = line(40, 3).map((one) => [one]);
const weights = Array.from({ length: 40 }, (_, i) => 0.5 + (i % 4) / 4);

async function start<M extends Model>(net: M): Promise<M> {
  await net.setWeights(
    net.weights.map(({ shape, size }, i) =>
      tensor(line(size, i).map((one) => one * 0.5)).reshape([...shape]),
    ),
  );
  return net;
}

function several() {
  const x = layers.input([4], { name: 'a' });
  const y = layers.input([3], { name: 'b' });
  const shared = layers.dense({ units: 5, activation: 'tanh', name: 'shared' });
  const h = layers
    .concatenate()
    .apply([shared.apply(x), shared.apply(layers.dense({ units: 4, name: 'wide' }).apply(y))]);
  const kind = layers.dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(h);
  const size = layers.dense({ units: 1, name: 'size', kernelRegularizer: 'l2' }).apply(h);
  return model({ inputs: [x, y], outputs: [kind, size], name: 'several' });
}

const flat = async (list: readonly Tensor[]): Promise<number[][]> =>
  Promise.all(list.map(async (one) => [...(await one.data())]));

const near = (got: unknown, want: unknown, tolerance = 1e-4): void => {
  if (typeof want === 'number') {
    expect(Math.abs((got as number) - want)).toBeLessThan(tolerance);
    return;
  }
  expect(Object.keys(got as object).sort()).toEqual(Object.keys(want as object).sort());
  for (const [key, value] of Object.entries(want as object))
    near((got as Record<string, unknown>)[key], value, tolerance);
};

const ofFit = { batchSize: 8, epochs: 10, shuffle: false, ...quiet };
const adam = () => optimizers.adam({ learningRate: 0.01 });

describe('fifty steps with two inputs and two outputs are those of Keras in float64', () => {
  const check = async (
    net: ReturnType<typeof several>,
    want: (typeof golden)['list' | 'record' | 'one'],
    train: () => ReturnType<typeof net.fit>,
    evaluated: Promise<unknown> | null = null,
  ) => {
    const { history } = await train();
    near(history, want.history);
    near(
      await (evaluated ?? net.evaluate([a, b], [kinds, sizes], { batchSize: 8, ...quiet })),
      want.evaluated,
    );
    near(await flat((await net.predict([a, b], quiet)) as unknown as Tensor[]), want.predicted);
    near(await flat(net.getWeights()), want.weights);
  };

  it('loss, metrics and lossWeights as lists', async () => {
    const net = await start(several());
    net.compile({
      optimizer: adam(),
      loss: ['sparseCategoricalCrossentropy', 'mse'],
      metrics: [['accuracy'], ['mae', 'mse']],
      lossWeights: [1, 0.25],
    });
    await check(net, golden.list, () => net.fit([a, b], [kinds, sizes], ofFit));
    expect(Object.keys(await net.evaluate([a, b], [kinds, sizes], quiet))).toEqual([
      'loss',
      'kind_loss',
      'size_loss',
      'kind_accuracy',
      'size_mae',
      'size_mse',
    ]);
  });

  it('records by name, for data too, with weights and validation', async () => {
    const net = await start(several());
    net.compile({
      optimizer: adam(),
      loss: { size: 'mae', kind: 'sparse_categorical_crossentropy' },
      metrics: { size: 'mse' },
      weightedMetrics: { kind: ['accuracy'] },
      lossWeights: { kind: 0.5, size: 2 },
    });
    await check(net, golden.record, () =>
      net.fit(
        { b, a },
        { size: sizes, kind: kinds },
        { ...ofFit, validationSplit: 0.2, sampleWeight: { kind: weights } },
      ),
    );
  });

  it('an output without a loss, from a dataset of rows', async () => {
    const net = await start(several());
    net.compile({ optimizer: adam(), loss: [null, 'mse'] });
    const table = (list: number[][]) => ({
      data: new Float32Array(list.flat()),
      shape: [40, list[0].length],
    });
    const dataset = data.Dataset.fromTensorSlices([
      { a: table(a), b: table(b) },
      { kind: kinds, size: table(sizes) },
    ] as never).batch(8);
    await check(net, golden.one, () => net.fit(dataset, { epochs: 10, ...quiet }));
  });

  it('from a dataset that makes its batches, and batch by batch', async () => {
    const compiled = { optimizer: adam(), loss: { size: 'mse' } } as const;
    const net = await start(several());
    net.compile(compiled);
    const made = data.Dataset.fromGenerator(function* () {
      for (let i = 0; i < 40; i += 8)
        yield [
          [tensor(a.slice(i, i + 8)), tensor(b.slice(i, i + 8))],
          { size: tensor(sizes.slice(i, i + 8)) },
        ];
    } as never);
    await check(net, golden.one, () => net.fit(made, { epochs: 10, ...quiet }));
    const single = await start(several());
    single.compile({ ...compiled, optimizer: adam() });
    let last = 0;
    for (let step = 0; step < 50; step++) {
      const part = <T>(all: T[]): T[] => all.slice((step % 5) * 8, (step % 5) * 8 + 8);
      const logs = await single.trainOnBatch([part(a), part(b)], { size: part(sizes) });
      last += step >= 45 ? logs.loss / 5 : 0;
    }
    near(last, golden.one.history.loss[9]);
    near(await flat(single.getWeights()), golden.one.weights);
    near(await single.testOnBatch([a, b], [null, sizes]), golden.one.evaluated);
  });
});

describe('a step over several inputs', () => {
  it('is captured once, and explained', async () => {
    const net = several();
    net.compile({ loss: ['sparseCategoricalCrossentropy', 'mse'], metrics: [['accuracy'], null] });
    const told = await net.explain({ batchSize: 8, measure: false });
    expect(told.inputs).toEqual([
      { shape: [8, 4], dtype: 'f32' },
      { shape: [8, 3], dtype: 'f32' },
    ]);
    expect(told.kernels).toHaveLength(22);
    await net.fit([a, b], [kinds, sizes], { batchSize: 8, ...quiet });
    expect((await net.explain({ measure: false })).inputs[1]).toEqual({ shape: [8, 3], dtype: 'f32' });
    expect((await net.explain({ step: 'predict', measure: false })).kernels.length).toBeGreaterThan(1);
  });

  it('gives the same bits streamed as from memory', async () => {
    const results: number[][][] = [];
    for (const stream of [false, true]) {
      const net = await start(several());
      net.compile({ optimizer: adam(), loss: ['sparseCategoricalCrossentropy', 'mse'] });
      await net.fit([a, b], [kinds, sizes], { ...ofFit, epochs: 2, stream });
      const outputs = (await net.predict([a, b], { ...quiet, stream })) as unknown as Tensor[];
      results.push([...(await flat(net.getWeights())), ...(await flat(outputs))]);
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('finds the first NaN', async () => {
    const net = await start(several());
    net.compile({ optimizer: adam(), loss: ['sparseCategoricalCrossentropy', 'mse'] });
    const bad = b.map((row, i) => (i === 9 ? [Number.NaN, 0, 0] : row));
    const found = await net.traceNaN([a, bad], [kinds, sizes], { batchSize: 8 });
    expect(found).toMatchObject({ step: 1, where: 'data', samples: [9] });
    expect(found?.message).toContain('x[1]');
  });
});

describe('a model of one’s own', () => {
  class Two extends Model {
    left = layers.dense({ units: 3, name: 'left' });
    right = layers.dense({ units: 1, name: 'right' });
    override call(x: never) {
      const { a, b } = x as unknown as Record<'a' | 'b', Tensor>;
      const h = this.left.apply(a).add(this.left.apply(b));
      return { wide: h, narrow: this.right.apply(h) } as object as Tensor;
    }
  }

  it('takes and gives records', async () => {
    const net = new Two();
    net.compile({ loss: { narrow: 'mse' }, metrics: { wide: ['mae'] }, optimizer: 'sgd' });
    const x = { a, b: a };
    const y = { wide: rows(40, 3, 4), narrow: sizes };
    const { history } = await net.fit(x, y, { epochs: 3, ...quiet });
    expect(Object.keys(history).sort()).toEqual(['loss', 'wide_mae']);
    expect(history.loss[2]).toBeLessThan(history.loss[0]);
    const given = (await net.predict(x, quiet)) as unknown as Record<string, Tensor>;
    expect(Object.entries(given).map(([name, { shape }]) => [name, shape])).toEqual([
      ['wide', [40, 3]],
      ['narrow', [40, 1]],
    ]);
  });

  it('adds to the loss and to the logs while it is called', async () => {
    class Held extends layers.Layer {
      override call(x: Tensor | readonly Tensor[]) {
        const one = x as Tensor;
        this.addLoss(one.square().mean().mul(0.5));
        this.addMetric('size', one.abs());
        return one;
      }
    }
    const x = layers.input([2]);
    const net = model({ inputs: x, outputs: new Held().apply(x) });
    net.compile({ loss: 'mae', optimizer: 'sgd' });
    const data = [
      [1, 2],
      [3, 4],
    ];
    near(await net.evaluate(data, data, quiet), { loss: 0.5 * 7.5, size: 2.5 });
    const dense = model({
      inputs: x,
      outputs: layers.dense({ units: 1, kernelInitializer: 'ones', activityRegularizer: 'l2' }).apply(x),
    });
    dense.compile({ loss: 'mae' });
    near(await dense.evaluate(data, [3, 7], quiet), { loss: (0.01 * (9 + 49)) / 2 });
    // As Keras has it, for each batch: the mean over batches of one is the same.
    near(await dense.evaluate(data, [3, 7], { ...quiet, batchSize: 1 }), { loss: (0.01 * (9 + 49)) / 2 });
    const passing = model({
      inputs: x,
      outputs: layers.activityRegularization({ l1: 0.5, l2: 0.25 }).apply(x),
    });
    passing.compile({ loss: 'mae' });
    near(await passing.evaluate(data, data, quiet), { loss: (0.5 * 10 + 0.25 * 30) / 2 });
    expect(await dense.predict(data, quiet)).toBeDefined();
  });
});

describe('data and options that do not fit are refused by name', () => {
  const net = () => {
    const made = several();
    made.compile({ loss: ['sparseCategoricalCrossentropy', 'mse'] });
    return made;
  };
  const cases: [string, () => unknown, RegExp][] = [
    [
      'a list that is too short',
      () => net().fit([a], [kinds, sizes], quiet),
      /x is a list of 1; expected 2, for a, b/,
    ],
    ['another name', () => net().predict({ a, c: b }, quiet), /x has "c"; expected "a", "b"/],
    ['a missing input', () => net().predict({ a }, quiet), /x is missing for the input b/],
    ['a missing target', () => net().fit([a, b], { kind: kinds }, quiet), /y is missing for the output size/],
    [
      'inputs of different numbers',
      () => net().predict([a, b.slice(1)], quiet),
      /x\[0\] has 40 samples and x\[1\] 39/,
    ],
    [
      'an input of another shape',
      () => net().predict([b, a], quiet),
      /x\[0\] has shape \[40, 3\]; the model takes \[null, 4\]/,
    ],
    [
      'class numbers outside',
      () => net().fit([a, b], [kinds.map((k) => k + 1), sizes], quiet),
      /is 3; class numbers go from 0 to 2/,
    ],
    [
      'classWeight',
      () => net().fit([a, b], [kinds, sizes], { classWeight: { 0: 1 }, ...quiet }),
      /classWeight is for models of one output/,
    ],
    [
      'losses in too small a number',
      () => several().compile({ loss: ['mse'] }),
      /loss is a list of 1; expected one for each of the 2 outputs kind, size/,
    ],
    [
      'a loss for no output',
      () => several().compile({ loss: { kinds: 'mse' } }),
      /loss has "kinds"; expected "kind", "size"/,
    ],
    ['an unknown loss', () => several().compile({ loss: [null, 'msee'] }), /loss is "msee"/],
    [
      'one weight for two losses',
      () => several().compile({ loss: 'mse', lossWeights: 2 }),
      /lossWeights is one number/,
    ],
    [
      'metrics as for one output',
      () => several().compile({ loss: 'mse', metrics: ['mse', 'mae', 'mape'] }),
      /metrics is a list of 3/,
    ],
  ];
  for (const [name, call, message] of cases)
    it(name, async () => {
      await expect((async () => call())()).rejects.toThrow(message);
    });

  it('and nothing is lost by it', async () => {
    const made = net();
    const before = await flat(made.getWeights());
    await expect(made.fit([a], [kinds, sizes], quiet)).rejects.toThrow();
    expect(await flat(made.getWeights())).toEqual(before);
    expect(Object.keys(await made.trainOnBatch([a, b], [kinds, sizes]))).toEqual([
      'loss',
      'kind_loss',
      'size_loss',
    ]);
  });
});
