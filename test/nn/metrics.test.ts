import { beforeEach, describe, expect, test } from 'vitest';
import {
  confusionMatrix,
  layers,
  losses,
  type Metric,
  metrics,
  optimizers,
  resetNames,
  sequential,
  data as sets,
  tensor,
  zeros,
} from '../../src/index.ts';
import { lossNames } from '../../src/nn/losses/resolve.ts';
import { metricNames } from '../../src/nn/metrics/resolve.ts';
import recorded from './fixtures/keras-numbers.json';

beforeEach(resetNames);

type Data = Record<string, { shape: number[]; values: number[] }>;
const data = (name: string) => {
  const { shape, values } = (recorded.data as unknown as Data)[name];
  return tensor(values, { shape });
};

describe('metrics have the values of Keras', () => {
  test.each(
    recorded.metrics.map((one) => [`${one.name} of ${one.p} ${JSON.stringify(one.options)}`, one] as const),
  )('%s', async (_, { name, key, options, y, p, weight, value }) => {
    const metric = (await metricNames.get(name, 'test')(options)) as Metric;
    expect(metric.className).toBe(name);
    expect(metric.name).toBe(key.replace(/(?<!f1|r2)_\d+$/, ''));
    const got = await metric.compute(data(y), data(p), weight === null ? null : data(weight));
    expect(Math.abs(got - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)));
  });
});

test('every loss and metric is known to compile, loaded or not', async () => {
  // The mean is told values, and compares nothing.
  const { mean: _, ...compared } = metrics;
  for (const [name, make] of Object.entries(compared))
    expect(await metricNames.get(name, 'test')()).toMatchObject({ ...make(), columns: {}, result: {} });
  for (const [name, make] of Object.entries(losses))
    expect(lossNames.make(name, 'test')).toMatchObject({ ...make(), compare: {} });
  const model = sequential([layers.input([1]), layers.dense(1)]);
  model.compile({ loss: 'huber', metrics: ['RootMeanSquaredError', 'top_k_categorical_accuracy', 'kld'] });
  expect(model.metrics).toEqual([]);
  await model.evaluate(zeros([2, 1]), zeros([2, 1]), { verbose: 0 });
  expect(model.metrics.map(({ className }) => className)).toEqual([
    'RootMeanSquaredError',
    'TopKCategoricalAccuracy',
    'KLDivergence',
  ]);
});

describe('metrics of several sums', () => {
  const fitted = async (options: object, weights = false) => {
    const model = sequential([layers.input([1]), layers.dense(1, { activation: 'sigmoid' })]);
    model.compile({ optimizer: optimizers.sgd(0), loss: 'binaryCrossentropy', ...options });
    await model.setWeights([[[2]], [0.1]]);
    const [x, y] = [data('p').sub(0.5).reshape([40, 1]), data('y').reshape([40, 1])];
    const { history } = await model.fit(x, y, {
      verbose: 0,
      batchSize: 7,
      epochs: 2,
      ...(weights ? { sampleWeight: data('weights') } : {}),
    });
    return { history, y, p: await model.predict(x, { verbose: 0 }) };
  };

  test('add up over the batches of an epoch, beside others', async () => {
    const list = [metrics.auc(), 'accuracy', metrics.precision(), metrics.truePositives()];
    const { history, y, p } = await fitted({ metrics: list });
    expect(history.auc[0]).toBeCloseTo(await metrics.auc().compute(y, p), 6);
    expect(history.auc[1]).toBe(history.auc[0]);
    expect(history.accuracy[0]).toBeCloseTo(await metrics.binaryAccuracy().compute(y, p), 6);
    expect(history.precision[0]).toBeCloseTo(await metrics.precision().compute(y, p), 6);
    expect(history.true_positives[0]).toBe(await metrics.truePositives().compute(y, p));
  });

  test('count samples by their weights where they are asked to', async () => {
    const { history, y, p } = await fitted(
      { metrics: ['auc'], weightedMetrics: [metrics.auc({ name: 'w' })] },
      true,
    );
    expect(history.auc[0]).toBeCloseTo(await metrics.auc().compute(y, p), 6);
    expect(history.w[0]).toBeCloseTo(await metrics.auc().compute(y, p, data('weights')), 6);
  });

  test('may be many without compiling for long', async () => {
    const list = [
      ...['accuracy', 'precision', 'recall', 'mse', 'mae', 'truePositives', 'falseNegatives'],
      metrics.f1Score({ threshold: 0.5 }),
      metrics.auc(),
      metrics.r2Score(),
      metrics.rootMeanSquaredError(),
    ];
    const { history, y, p } = await fitted({ metrics: list });
    expect(Object.keys(history)).toHaveLength(list.length + 1);
    for (const metric of [metrics.recall(), metrics.f1Score({ threshold: 0.5 }), metrics.r2Score()])
      expect(history[metric.name][0]).toBeCloseTo(await metric.compute(y, p), 5);
  });

  test('know class numbers, one number for each class, and logits under a softmax', async () => {
    const model = sequential([layers.input([3]), layers.dense(3, { activation: 'softmax' })]);
    model.compile({
      optimizer: optimizers.sgd(0),
      loss: 'sparseCategoricalCrossentropy',
      metrics: [metrics.f1Score({ average: 'weighted' }), metrics.f1Score({ name: 'macro' })],
    });
    const logs = await model.evaluate(data('scores'), data('labels'), { verbose: 0, batchSize: 8 });
    const p = await model.predict(data('scores'), { verbose: 0 });
    expect(logs.f1_score).toBeCloseTo(
      await metrics.f1Score({ average: 'weighted' }).compute(data('rows'), p),
      6,
    );
    expect(logs.macro).toBeCloseTo(await metrics.f1Score().compute(data('labels'), p), 6);
  });

  test('R² far from 0 is exact over many batches, blocks of them, and batches of another size', async () => {
    // More steps than are added up at once, and a trend, so that the first batch is unlike the last.
    const n = 1201;
    const y = Float32Array.from({ length: n }, (_, i) => 1e5 + i / 100 + (i % 7));
    const off = Float32Array.from(y, (value, i) => value + ((i * 5) % 4) - 1.5);
    const center = y.reduce((sum, one) => sum + one, 0) / n;
    const spread = y.reduce((sum, one) => sum + (one - center) ** 2, 0);
    const wanted = 1 - y.reduce((sum, one, i) => sum + (one - off[i]) ** 2, 0) / spread;
    const [t, p] = [y, off].map((of) => tensor(of, { shape: [n, 1] }));
    const model = sequential([layers.flatten({ inputShape: [1] })]);
    model.compile({ loss: 'mae', metrics: ['mse', metrics.r2Score(), 'mae'] });
    const quiet = { verbose: 0 } as const;
    expect(await metrics.r2Score().compute(t, p)).toBeCloseTo(wanted, 5);
    expect((await model.evaluate(p, t, { ...quiet, batchSize: 4 })).r2_score).toBeCloseTo(wanted, 5);
    expect((await model.evaluate(p, t, { ...quiet, batchSize: 64 })).r2_score).toBeCloseTo(wanted, 5);
    const made = sets.Dataset.fromTensorSlices([p, t])
      .map((row) => row)
      .batch(4);
    expect((await model.evaluate(made, quiet)).r2_score).toBeCloseTo(wanted, 5);
    expect((await model.testOnBatch(p, t)).r2_score).toBeCloseTo(wanted, 5);
  });

  test('AUC of predictions outside 0 to 1 is refused with the fix, in an evaluation too', async () => {
    await expect(metrics.auc().compute([0, 0, 1, 1], [-2, -1, 1.5, 3])).rejects.toThrow(
      /4 of the predictions lie outside 0 to 1.*fromLogits: true/,
    );
    expect(await metrics.auc({ fromLogits: true }).compute([0, 0, 1, 1], [-2, -1, 1.5, 3])).toBe(1);
    expect(await metrics.auc().compute([0, 1], [0, 1 + 2 ** -23])).toBe(1);
    const model = sequential([layers.flatten({ inputShape: [1] })]);
    model.compile({ loss: 'mse', metrics: ['auc'] });
    await expect(model.evaluate([[-1], [2]], [[0], [1]], { verbose: 0 })).rejects.toThrow(/outside 0 to 1/);
  });

  test('refuse what makes no sense', () => {
    expect(() => metrics.auc({ numThresholds: 1 })).toThrow(/numThresholds/);
    expect(() => metrics.auc({ curve: 'PRGAIN' as never })).toThrow(/curve/);
    expect(() => metrics.auc({ thresholds: [2] })).toThrow(/from 0 to 1/);
    expect(() => metrics.f1Score({ average: null as never })).toThrow(/average is null/);
    expect(() => metrics.f1Score({ beta: 2 } as never)).toThrow(/"beta" is unknown/);
    expect(() => metrics.r2Score({ numRegressors: 2 } as never)).toThrow(/numRegressors/);
  });
});

describe('confusionMatrix', () => {
  test('counts rows of what is true by columns of what was predicted', async () => {
    const matrix = await confusionMatrix([0, 1, 2, 2, 1], [0, 2, 2, 0, 1]);
    expect(matrix.shape).toEqual([3, 3]);
    expect(await matrix.array()).toEqual([
      [1, 0, 0],
      [0, 1, 1],
      [1, 0, 1],
    ]);
  });

  test('takes scores and one-hot rows, weights, and a number of classes', async () => {
    const scores = [
      [0.1, 0.9],
      [0.8, 0.2],
    ];
    const wanted = [
      [0, 1],
      [1, 0],
    ];
    expect(await (await confusionMatrix([0, 1], scores)).array()).toEqual(wanted);
    expect(await (await confusionMatrix(wanted, scores)).array()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(
      await (await confusionMatrix([[1], [0]], [1, 0], { weights: [0.5, 2], numClasses: 3 })).array(),
    ).toEqual([
      [2, 0, 0],
      [0, 0.5, 0],
      [0, 0, 0],
    ]);
  });

  test('refuses classes that are none', async () => {
    await expect(confusionMatrix([0, 3], [0, 1], { numClasses: 3 })).rejects.toThrow(/y\[1\] is 3/);
    await expect(confusionMatrix([0, 1], [0])).rejects.toThrow(/2 classes in y and 1 predicted/);
  });
});
