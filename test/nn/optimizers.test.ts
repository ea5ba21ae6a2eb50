import { describe, expect, test } from 'vitest';
import '../../src/graph/methods.ts';
import { capture } from '../../src/graph/capture.ts';
import { layers, loadModel, type Sequential, sequential } from '../../src/index.ts';
import * as optimizers from '../../src/nn/optimizers/index.ts';
import { resolveOptimizer } from '../../src/nn/optimizers/resolve.ts';
import { tensor, variable } from '../../src/ops/constant.ts';

const start = [1, -2, 3];
const gradients = [
  [0.1, -0.2, 0.3],
  [0.05, 0.4, -0.6],
];

/** Two steps of each optimizer in Keras 3.15.1. */
const golden: [string, () => optimizers.Optimizer, number[], number[]][] = [
  [
    'SGD()',
    () => optimizers.sgd(),
    [0.99900001, -1.99800003, 2.99699998],
    [0.99849999, -2.00200009, 3.00300002],
  ],
  [
    'SGD(.01, .9, nesterov)',
    () => optimizers.sgd(0.01, { momentum: 0.9, nesterov: true }),
    [0.99809998, -1.99619997, 2.99429989],
    [0.99633998, -2.00217986, 3.00326991],
  ],
  [
    'RMSprop()',
    () => optimizers.rmsprop(),
    [0.99683785, -1.99683774, 2.99683785],
    [0.99536347, -1.99969482, 2.99969506],
  ],
  [
    'Adam()',
    () => optimizers.adam(),
    [0.99900001, -1.99900007, 2.99900007],
    [0.99806786, -1.99936616, 2.99936628],
  ],
  [
    'AdamW()',
    () => optimizers.adamw(),
    [0.99899602, -1.99899209, 2.99898815],
    [0.99805987, -1.99935019, 2.99934244],
  ],
  [
    'Adagrad()',
    () => optimizers.adagrad(),
    [0.99969846, -1.99946547, 2.99931169],
    [0.99954939, -2.00019574, 3.00012064],
  ],
  [
    'Nadam()',
    () => optimizers.nadam(),
    [0.99893719, -1.99893725, 2.99893713],
    [0.99841559, -1.99981892, 2.9998188],
  ],
  [
    'Adamax()',
    () => optimizers.adamax(),
    [0.99900001, -1.99899995, 2.99900007],
    [0.99826241, -1.99928939, 2.99928951],
  ],
  [
    'Adadelta(1)',
    () => optimizers.adadelta(1),
    [0.99858594, -1.99858582, 2.9985857],
    [0.99767321, -2.00038362, 3.00038362],
  ],
  ['Lion()', () => optimizers.lion(), [0.99900001, -1.99899995, 2.99900007], [0.99800003, -2, 3]],
];

const expectClose = (got: ArrayLike<number>, wanted: readonly number[]): void => {
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i] - wanted[i])).toBeLessThan(5e-7);
};

describe.each(golden)('%s has the golden values of Keras', (_, make, first, second) => {
  test('eagerly', async () => {
    const w = variable(start);
    const optimizer = make();
    optimizer.apply([w], [tensor(gradients[0])]);
    expectClose(await w.data(), first);
    optimizer.apply([w], [tensor(gradients[1])]);
    expectClose(await w.data(), second);
    expect(await optimizer.iterations.item()).toBe(2);
  });

  test('in a captured step, for several variables at once', async () => {
    const a = variable(start, { name: 'a' });
    const b = variable([start, start], { name: 'b' });
    const optimizer = make();
    const step = capture((g) => {
      optimizer.apply([a, b], [g, g.expandDims(0).broadcastTo([2, 3])]);
    });
    await step(tensor(gradients[0]));
    expectClose(await a.data(), first);
    await step(tensor(gradients[1]));
    expectClose(await a.data(), second);
    expectClose(await b.data(), [...second, ...second]);
    step.dispose();
  });

  test('when the second step is taken by a new optimizer with the state of the first', async () => {
    const w = variable(start);
    const before = make();
    before.apply([w], [tensor(gradients[0])]);
    const after = make();
    after.build([w]);
    await after.setWeights(await Promise.all(before.variables.map((one) => one.data())));
    after.apply([w], [tensor(gradients[1])]);
    expectClose(await w.data(), second);
  });
});

describe('optimizers that are not loaded by their names', () => {
  test('are refused by name with what to give, and read from files', async () => {
    expect(() => resolveOptimizer('nadam', 'compile')).toThrow(/Give optimizers\.nadam\(\)/);
    const model = sequential([layers.dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: optimizers.nadam({ learningRate: 0.5, beta1: 0.8 }), loss: 'mse' });
    await model.trainOnBatch([[1]], [[2]]);
    const again = (await loadModel(await model.toBytes('keras'))) as Sequential;
    expect(again.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    const state = async ({ optimizer }: Sequential) =>
      Promise.all(optimizer.variables.map(async (one) => [...(await one.data())]));
    expect(await state(again)).toEqual(await state(model));
    const next = async (one: Sequential) => {
      await one.trainOnBatch([[1]], [[2]]);
      return Promise.all(one.getWeights().map(async (w) => [...(await w.data())]));
    };
    expect(await next(again)).toEqual(await next(model));
  });
});

describe('an optimizer', () => {
  test('takes a learning rate that changes, and one that follows a schedule', async () => {
    const [a, b] = [variable([1]), variable([1])];
    const set = optimizers.sgd(0.5);
    const scheduled = optimizers.sgd((step) => step.add(1).mul(0.25));
    const step = capture(() => {
      set.apply([a], [tensor([1])]);
      scheduled.apply([b], [tensor([1])]);
    });
    await step.replay();
    set.learningRate = 0.25;
    await step.replay();
    expect((await a.data())[0]).toBe(0.25);
    expect((await b.data())[0]).toBe(0.25);
    expect(set.learningRate).toBe(0.25);
    expect(() => {
      scheduled.learningRate = 1;
    }).toThrow(/schedule/);
    step.dispose();
  });

  test('clips gradients', async () => {
    const clipped = async (options: object) => {
      const w = variable([0, 0]);
      optimizers.sgd(1, options).apply([w], [tensor([100, 100])]);
      return [...(await w.data())];
    };
    const half = Math.SQRT1_2;
    expect(await clipped({ clipvalue: 1 })).toEqual([-1, -1]);
    for (const options of [{ clipnorm: 1 }, { globalClipnorm: 1 }]) {
      const [x, y] = await clipped(options);
      expect(x).toBeCloseTo(-half, 6);
      expect(y).toBeCloseTo(-half, 6);
    }
    expect(await clipped({ clipnorm: 1000 })).toEqual([-100, -100]);
    expect(() => optimizers.sgd({ clipnorm: 1, clipvalue: 1 })).toThrow(/exclude each other/);
  });

  test('takes weight decay off before the step', async () => {
    for (const make of [optimizers.sgd, optimizers.rmsprop, optimizers.adam, optimizers.adagrad]) {
      const w = variable([2]);
      make({ learningRate: 1, weightDecay: 0.004 }).apply([w], [tensor([0])]);
      expect((await w.data())[0]).toBeCloseTo(1.992, 6);
    }
  });

  test('minimizes a scalar loss of trainable variables, and nothing else', async () => {
    const x = variable([4]);
    const sgd = optimizers.sgd(0.1);
    sgd.minimize(x.square().sum(), [x]);
    sgd.minimize(x.square().sum(), [x]);
    expect((await x.data())[0]).toBeCloseTo(2.56, 6);
    expect(() => sgd.minimize(variable([1, 2]).square(), [x])).toThrow(/scalar/);
    expect(() => sgd.minimize(x.square().sum(), [])).toThrow(/no variables/);
    const fixed = variable([1], { trainable: false });
    expect(() => sgd.minimize(fixed.square().sum(), [fixed])).toThrow(/trainable/);
  });

  test('keeps its state in the order of Keras', () => {
    const [a, b] = [variable([1], { name: 'a' }), variable([1, 2], { name: 'b' })];
    const names = (optimizer: optimizers.Optimizer) => {
      optimizer.build([a, b]);
      return optimizer.variables.map(({ name }) => name);
    };
    const head = ['iteration', 'learning_rate'];
    expect(names(optimizers.sgd())).toEqual(head);
    expect(names(optimizers.sgd({ momentum: 0.5 }))).toEqual([...head, 'a_momentum', 'b_momentum']);
    expect(names(optimizers.rmsprop({ momentum: 0.5 }))).toEqual([
      ...head,
      'a_velocity',
      'b_velocity',
      'a_momentum',
      'b_momentum',
    ]);
    expect(names(optimizers.adam())).toEqual([
      ...head,
      'a_momentum',
      'a_velocity',
      'b_momentum',
      'b_velocity',
    ]);
  });

  test('has the defaults of Keras, is found by any of its names, and knows no others', () => {
    expect(resolveOptimizer('RMSprop', 'compile').getConfig()).toMatchObject({
      learningRate: 0.001,
      rho: 0.9,
      momentum: 0,
      epsilon: 1e-7,
      centered: false,
    });
    expect(resolveOptimizer('adam', 'compile').getConfig()).toMatchObject({
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
    });
    expect(resolveOptimizer('sgd', 'compile').getConfig()).toMatchObject({
      learningRate: 0.01,
      nesterov: false,
    });
    expect(resolveOptimizer('Adagrad', 'compile').getConfig()).toMatchObject({
      initialAccumulatorValue: 0.1,
    });
    expect(
      resolveOptimizer({ className: 'SGD', config: { learning_rate: 0.5 } }, 'compile').learningRate,
    ).toBe(0.5);
    expect(() => resolveOptimizer('__proto__', 'compile')).toThrow(/Known are sgd, rmsprop/);
    expect(() => optimizers.rmsprop({ rh: 0.5 } as object)).toThrow(/"rh" is unknown/);
  });

  test.each([{ momentum: -1 }, { momentum: 2 }, { learningRate: -1 }, { learningRate: Number.NaN }])(
    'refuses %o',
    (options) => {
      expect(() => optimizers.sgd(options)).toThrow(Object.keys(options)[0]);
    },
  );
});
