import { describe, expect, test } from 'vitest';
import {
  gradients,
  type Loss,
  layers,
  loadModel,
  losses,
  metrics,
  sequential,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';
import { resolveLoss } from '../../src/nn/losses/resolve.ts';
import { resolveMetric } from '../../src/nn/metrics/resolve.ts';

const close = async (got: Tensor, wanted: readonly number[], within = 1e-5) => {
  const values = await got.data();
  expect(values).toHaveLength(wanted.length);
  for (const [i, value] of values.entries())
    expect(Math.abs(value - wanted[i])).toBeLessThan(within * (1 + Math.abs(wanted[i])));
};

describe('cross-entropy', () => {
  test('of probabilities has the values of Keras', async () => {
    const p = tensor([
      [0.05, 0.95, 0],
      [0.1, 0.8, 0.1],
    ]);
    await close(losses.sparseCategoricalCrossentropy([1, 2], p), [0.05129331, Math.LN10]);
    await close(
      losses.categoricalCrossentropy(
        [
          [0, 1, 0],
          [0, 0, 1],
        ],
        p,
      ),
      [0.05129331, Math.LN10],
    );
    await close(losses.categoricalCrossentropy([[0, 1]], [[1, 0]]), [16.118095]);
    await close(losses.binaryCrossentropy([[0, 1]], [[0.6, 0.4]]), [0.9162907]);
  });

  test('of logits is exact far out, and so is its gradient', async () => {
    const z = variable([[30, 0, 0]]);
    const loss = losses.sparseCategoricalCrossentropy([1], z, { fromLogits: true });
    await close(loss, [30]);
    await close(gradients(loss.sum(), [z])[0], [1, -1, 9.357623e-14]);
    const b = variable([[0, 30, -30]]);
    const binary = losses.binaryCrossentropy([[1, 0, 1]], b, { fromLogits: true });
    await close(binary, [(Math.LN2 + 60) / 3]);
    await close(gradients(binary.sum(), [b])[0], [-0.5 / 3, 1 / 3, -1 / 3]);
  });

  test('smooths labels', async () => {
    await close(
      losses.categoricalCrossentropy([[1, 0, 0]], [[100, -100, -100]], {
        fromLogits: true,
        labelSmoothing: 0.1,
      }),
      [13.333333],
    );
  });

  test('refuses shapes and labels that do not fit', () => {
    const p = tensor([[0.5, 0.5]]);
    expect(() => losses.sparseCategoricalCrossentropy([[0, 1]], p)).toThrow(/one-hot rows/);
    expect(() => losses.sparseCategoricalCrossentropy([2], p)).toThrow(/y\[0\] is 2/);
    expect(() => losses.meanSquaredError([1, 2, 3], p)).toThrow(/\[3\] and the predictions \[1, 2\]/);
    expect(() => losses.binaryCrossentropy({ labelSmoothing: 2 })).toThrow(/labelSmoothing/);
    expect(() => losses.meanSquaredError({ fromLogits: true })).toThrow(/unknown/);
  });
});

describe('losses', () => {
  test.each([
    ['meanAbsolutePercentageError', [[-1, -2]], [[0, 0]], 100],
    ['meanSquaredLogarithmicError', [[0, 0]], [[1, 2]], 0.8437008],
    ['huber', [[0, 0]], [[0.5, 3]], (0.125 + 2.5) / 2],
    ['logCosh', [[0, 0]], [[1, 2]], 0.8793918],
    ['klDivergence', [[1, 0]], [[0.25, 0.75]], 1.3862928],
    ['poisson', [[1, 0]], [[0.25, 0.75]], 1.193147],
    ['cosineSimilarity', [[0, 1]], [[1, 1]], -Math.SQRT1_2],
    ['hinge', [[-1, 2]], [[-3, 5]], 0],
    ['hinge', [[0, 1]], [[-3, 0.5]], 0.25],
    ['squaredHinge', [[-3, 2]], [[3, -2]], 62.5],
    ['categoricalHinge', [[1, 0, 0]], [[1, 3, 2]], 3],
  ] as const)('%s has the value of Keras', async (name, yTrue, yPred, wanted) => {
    await close(losses[name](yTrue as never, yPred as never), [wanted]);
  });

  test('are weighted, then averaged or summed', async () => {
    const [t, p] = [
      [
        [1, 9, 2],
        [-5, -2, 6],
      ],
      [
        [4, 8, 12],
        [8, 1, 3],
      ],
    ];
    await close(losses.meanSquaredError().compute(t, p), [49.5]);
    await close(losses.meanSquaredError().compute(t, p, [1.2, 3.4]), [127.96667]);
    await close(losses.meanSquaredError({ reduction: 'sum' }).compute(t, p, 2.3), [227.7]);
    await close(losses.meanSquaredError({ reduction: 'none' }).compute(t, p, 2.3), [84.33333, 143.36667]);
  });

  test('are found by any of their names', async () => {
    const names = ['mse', 'MSE', 'mean_squared_error', 'MeanSquaredError', 'meanSquaredError'];
    for (const name of names)
      expect((await resolveLoss(name, 'compile')([null as never, 1], [1, 1])).name).toBe(
        'mean_squared_error',
      );
    expect(() => resolveLoss('toString', 'compile')).toThrow(/Known are .*meanSquaredError/);
    expect(() => resolveLoss(losses.huber({ reduction: 'none' }), 'compile')).toThrow(/needs one number/);
    const choose = resolveLoss('crossentropy', 'compile');
    expect((await choose([8], [8, 3])).name).toBe('sparse_categorical_crossentropy');
    expect((await choose([8, 3], [8, 3])).name).toBe('categorical_crossentropy');
    expect((await choose([8, 1], [8, 1])).name).toBe('binary_crossentropy');
  });

  test('by class and options are checked by compile, and written to files and read again', async () => {
    const model = sequential([layers.input([1]), layers.dense(1, { kernelInitializer: 'ones' })]);
    const compile = (config: object) => () => model.compile({ loss: { className: 'Huber', config } });
    expect(compile({ delta: -1 })).toThrow(/delta is -1/);
    expect(compile({ slope: 1 })).toThrow(/"slope" is unknown. Known are reduction, name, delta/);
    expect(compile({ reduction: 'none' })).toThrow(/needs one number/);
    compile({ delta: 2, name: 'h' })();
    const { loss } = await model.evaluate([[3], [0.5]], [[0], [0]], { verbose: 0 });
    expect(loss).toBe((4 + 0.125) / 2);
    const again = await loadModel(await model.toBytes());
    expect(await (again.compileOptions!.loss as Loss).compute([[0]], [[3]]).item()).toBe(4);
    expect((await again.evaluate([[3], [0.5]], [[0], [0]], { verbose: 0 })).loss).toBe(loss);
  });
});

describe('metrics', () => {
  test('accuracy is chosen by the shapes, under the name that was given', async () => {
    const choose = resolveMetric('acc', 'compile');
    const table = [
      [[8], [8, 3], true],
      [[8, 1], [8, 3], true],
      [[8, 3], [8, 3], true],
      [[8, 1], [8, 1], false],
    ] as const;
    for (const [y, p, orderOnly] of table)
      expect(await choose([...y], [...p])).toMatchObject({ name: 'acc', orderOnly });
  });

  test('have the values of Keras', async () => {
    const p = [
      [0.1, 0.6, 0.3],
      [0.05, 0.95, 0],
    ];
    expect(await metrics.sparseCategoricalAccuracy().compute([[2], [1]], p)).toBe(0.5);
    expect(await metrics.sparseCategoricalAccuracy().compute([[2], [1]], p, [0.7, 0.3])).toBeCloseTo(0.3, 6);
    expect(await metrics.sparseTopKCategoricalAccuracy({ k: 2 }).compute([2, 1], p)).toBe(1);
    expect(
      await metrics.topKCategoricalAccuracy({ k: 1 }).compute(
        [
          [0, 0, 1],
          [0, 1, 0],
        ],
        p,
      ),
    ).toBe(0.5);
    expect(await metrics.binaryAccuracy().compute([1, 1, 0, 0], [0.2, 0.6, 0.5, 0.7])).toBe(0.5);
    expect(await metrics.binaryAccuracy({ threshold: 0.1 }).compute([1, 1, 0, 0], [0.2, 0.6, 0.5, 0.7])).toBe(
      0.5,
    );
    expect(await metrics.accuracy().compute([1, 2, 3, 4], [0, 2, 3, 4])).toBe(0.75);
    expect(await metrics.accuracy().compute([1, 2, 3, 4], [0, 2, 3, 4], [1, 1, 0, 0])).toBe(0.5);
    expect(await metrics.precision().compute([0, 1, 1, 0], [1, 1, 0, 0])).toBe(0.5);
    expect(await metrics.precision().compute([0, 1], [0, 0])).toBe(0);
    expect(await metrics.recall().compute([1, 0, 1, 0, 0, 0, 1], [0, 0, 1, 1, 1, 1, 0])).toBeCloseTo(
      1 / 3,
      6,
    );
    expect(await metrics.meanAbsoluteError().compute([[0, 0]], [[-1, 3]])).toBe(2);
  });

  test('unknown ones are refused at compile', () => {
    const model = sequential([layers.input([1]), layers.dense(1)]);
    const compile = (given: unknown) => () => model.compile({ loss: 'mse', metrics: given as never });
    for (const name of ['foo', '__proto__', 7, null]) expect(compile([name])).toThrow(/metric is/);
    expect(compile('accuracy')).toThrow(/expected a list/);
    expect(() => model.compile({ optimizer: 'sgd' } as never)).toThrow(/loss is missing/);
  });
});
