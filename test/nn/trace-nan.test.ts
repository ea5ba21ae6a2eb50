/** `model.traceNaN` names the first op, layer, step and samples that went wrong, and changes nothing. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  layers,
  losses,
  optimizers,
  resetNames,
  type Sequential,
  sequential,
  type Tensor,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';

beforeEach(resetNames);

const random = generator(2);
const x = Array.from({ length: 12 }, () => [random.between(0.5, 1), random.between(0.5, 1)]);
const y = x.map(([a, b]) => [a + b]);

/** A layer without weights. */
const own = (name: string, call: (t: Tensor) => Tensor) => layers.custom({ name, call });
function made(middle: ReturnType<typeof own>[], optimizer = optimizers.sgd(0.01), loss: unknown = 'mse') {
  const model = sequential([
    layers.input([2]),
    ...middle,
    layers.dense(1, { kernelInitializer: 'ones', name: 'last' }),
  ]);
  model.compile({ optimizer, loss: loss as 'mse' });
  return model;
}
const state = async (model: Sequential) => [
  ...(await Promise.all(model.weights.map(async (one) => [...(await one.data())]))),
  await model.optimizer.iterations.item(),
];
const with_ = (row: number, values: number[]) => x.map((given, i) => (i === row ? values : given));

describe('traceNaN', () => {
  test('finds nothing where all is well, and leaves the model as it was', async () => {
    const model = made([layers.dropout(0.5) as ReturnType<typeof own>], optimizers.adam(0.01));
    await model.fit(x, y, { verbose: 0 });
    const before = await state(model);
    expect(await model.traceNaN(x, y, { batchSize: 5, epochs: 2 })).toBeNull();
    expect(await state(model)).toEqual(before);
  });

  test('names op, layer, step and sample of a forward pass', async () => {
    const model = made([own('square', (t) => t.square()), own('logarithm', (t) => t.sub(0.1).log())]);
    const before = await state(model);
    const bad = await model.traceNaN(with_(7, [0.5, 0.01]), y, { batchSize: 5 });
    expect(bad).toMatchObject({
      where: 'forward',
      op: 'log',
      layer: 'logarithm',
      step: 1,
      first: 5,
      end: 10,
      samples: [7],
    });
    expect(bad!.message).toBe('step 1 (samples 5 to 9): log in logarithm gives NaN for sample 7.');
    expect(await state(model)).toEqual(before);
  });

  test('says which infinity a NaN came from', async () => {
    const model = made([own('blow', (t) => t.mul(200).exp()), own('ratio', (t) => t.div(t))]);
    const bad = await model.traceNaN(
      with_(3, [0.5, 0.9]).map((row, i) => (i === 3 ? row : row.map((v) => v / 10))),
      y,
    );
    expect(bad).toMatchObject({ op: 'div', layer: 'ratio', samples: [3] });
    expect(bad!.message).toMatch(/Before it, exp in blow gave Infinity/);
  });

  test('of a gradient alone, of a loss, and of an update', async () => {
    // √0 is 0, and its slope is not.
    const root = made([own('root', (t) => t.sub(t).sqrt().mul(t.sub(t)))]);
    const slope = layers.dense(2, { kernelInitializer: 'zeros', name: 'first' });
    const model = made([slope as never, own('root', (t) => t.sqrt().mul(0))]);
    expect(await root.traceNaN(x, y)).toBeNull();
    expect(await model.traceNaN(x, y)).toMatchObject({
      where: 'gradient',
      layer: 'root',
      value: Number.NaN,
      step: 0,
    });

    const loss = made([], optimizers.sgd(0.01), (t: Tensor, p: Tensor) =>
      losses.meanSquaredError(t, p).sub(1).log(),
    );
    expect(await loss.traceNaN(x, y)).toMatchObject({
      where: 'loss',
      op: 'log',
      samples: expect.arrayContaining([0]),
    });

    const update = made([], optimizers.sgd(3e38));
    expect(
      await update.traceNaN(
        x,
        y.map(([one]) => [one + 100]),
      ),
    ).toMatchObject({ where: 'update', op: null, layer: 'last', step: 0 });
  });

  test('of what came in: data, and weights', async () => {
    const model = made([]);
    expect(await model.traceNaN(with_(2, [Number.NaN, 1]), y)).toMatchObject({ where: 'data', samples: [2] });
    const broken = y.map((row, i) => (i === 4 ? [Number.POSITIVE_INFINITY] : row));
    const bad = await model.traceNaN(x, broken);
    expect(bad).toMatchObject({ where: 'data', value: Number.POSITIVE_INFINITY, samples: [4] });
    expect(bad!.message).toMatch(/y has Infinity for sample 4/);
    await model.setWeights([[[1], [Number.NaN]], [0]]);
    expect(await model.traceNaN(x, y)).toMatchObject({ where: 'weights', layer: 'last', op: null });
  });

  test('refuses what is no count, and a model that is not compiled', async () => {
    await expect(made([]).traceNaN(x, y, { batchSize: 0 })).rejects.toThrow(/traceNaN: batchSize is 0/);
    await expect(sequential([layers.dense(1)]).traceNaN(x, y)).rejects.toMatchObject({ code: 'STATE' });
  });
});
