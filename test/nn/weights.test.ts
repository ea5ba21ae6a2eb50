/** Regularizers and constraints. */
import { beforeEach, describe, expect, test } from 'vitest';
import { layers, optimizers, resetNames, sequential, tensor } from '../../src/index.ts';
import { resolveConstraint } from '../../src/nn/weights/constraints.ts';
import { resolveRegularizer } from '../../src/nn/weights/regularizers.ts';
import recorded from './fixtures/keras-numbers.json';

beforeEach(resetNames);

const expectClose = (got: ArrayLike<number>, wanted: readonly number[], within = 2e-6) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(got[i] - value)).toBeLessThan(within * Math.max(1, Math.abs(value)));
};

describe('have the values of Keras', () => {
  test.each(recorded.regularizers.map((one) => [`${one.name} ${JSON.stringify(one.options)}`, one] as const))(
    'regularizer %s',
    async (_, { name, options, shape, w, value }) => {
      const rule = resolveRegularizer({ className: name, config: options }, 'test')!;
      expect(rule.className).toBe(name);
      expectClose(await rule.of(tensor(w, { shape })).data(), [value]);
    },
  );

  test.each(recorded.constraints.map((one) => [`${one.name} ${JSON.stringify(one.options)}`, one] as const))(
    'constraint %s',
    async (_, { name, options, shape, w, value }) => {
      const rule = resolveConstraint({ className: name, config: options }, 'test')!;
      expect(rule.className).toBe(name);
      expectClose(await rule.of(tensor(w, { shape })).data(), value);
    },
  );
});

describe('a model with regularizers and constraints', () => {
  const { x, y, start, history, weights } = recorded.regularized;
  const made = (trainable = true) => {
    const model = sequential([
      layers.input([4]),
      layers.dense(3, {
        kernelRegularizer: 'l2',
        biasRegularizer: { className: 'L1', config: { l1: 0.1 } },
        kernelConstraint: { className: 'MaxNorm', config: { max_value: 1.5 } },
        trainable,
      }),
      layers.dense(2, {
        kernelRegularizer: { className: 'L1L2', config: { l1: 0.02, l2: 0.03 } },
        biasConstraint: 'non_neg',
        trainable,
      }),
    ]);
    model.compile({ optimizer: optimizers.sgd(0.1), loss: 'mse', metrics: ['mae'] });
    return model;
  };
  const [xs, ys] = [tensor(x, { shape: [10, 4] }), tensor(y, { shape: [10, 2] })];
  const firstFive = [tensor(x.slice(0, 20), { shape: [5, 4] }), tensor(y.slice(0, 10), { shape: [5, 2] })];

  test('is trained as by Keras, with penalties in loss and val_loss', async () => {
    const model = made();
    await model.setWeights(start.map((values) => Float32Array.from(values)));
    const got = await model.fit(xs, ys, {
      verbose: 0,
      shuffle: false,
      batchSize: 4,
      epochs: 3,
      validationData: firstFive,
    });
    for (const [key, values] of Object.entries(history)) expectClose(got.history[key], values, 1e-5);
    for (const [i, values] of weights.entries())
      expectClose(await model.getWeights()[i].data(), values, 1e-5);
  });

  test('adds nothing for weights that are frozen', async () => {
    const [free, frozen] = [made(), made(false)];
    await frozen.setWeights(free.getWeights());
    expect([free.losses.length, frozen.losses.length]).toEqual([3, 0]);
    const [a, b] = await Promise.all([free, frozen].map((model) => model.evaluate(xs, ys, { verbose: 0 })));
    const penalty = (await Promise.all(free.losses.map((one) => one.item()))).reduce((sum, one) => sum + one);
    expect(a.loss - b.loss).toBeCloseTo(penalty, 5);
  });

  test('keeps to them in trainOnBatch too', async () => {
    const model = sequential([
      layers.input([1]),
      layers.dense(1, { useBias: false, kernelInitializer: 'ones', kernelConstraint: (w) => w.clip(0.5, 2) }),
    ]);
    model.compile({ optimizer: optimizers.sgd(10), loss: 'mse' });
    await model.trainOnBatch([[1]], [[-5]]);
    expect(await model.getWeights()[0].item()).toBe(0.5);
  });
});

test('rules that make no sense are refused', () => {
  expect(() => layers.dense(1, { kernelRegularizer: { className: 'L2', config: { l2: -1 } } })).toThrow(
    /l2 is -1/,
  );
  expect(() => layers.dense(1, { kernelConstraint: 'maxnorms' })).toThrow(/Known are maxNorm, nonNeg/);
  expect(() => layers.dense(1, { biasConstraint: 3 as never })).toThrow(/constraint is 3/);
});
