/** An option that nobody reads is a wrong answer without a word: unknown ones are refused, known ones are used. */
import { describe, expect, test } from 'vitest';
import {
  activations,
  callbacks,
  capture,
  constraints,
  data,
  datasets,
  gather,
  gradients,
  init,
  initializers,
  iota,
  layers,
  losses,
  matmul,
  metrics,
  oneHot,
  optimizers,
  plot,
  random,
  regularizers,
  schedules,
  selfTest,
  sequential,
  speedTest,
  sum,
  tensor,
  variable,
  WeftError,
} from '../../src/index.ts';
import { refused } from './refused.ts';

type Call = (...args: unknown[]) => unknown;
const odd = { noSuchOption: 1 };
const x = tensor([1, 2, 3, 4]);
const labels = ['a', 'b'];

/** What stands before the options; none unless given. */
const before: Record<string, unknown[]> = {
  'plot.model': [{ name: 'm', className: 'M', layers: [] }],
  'callbacks.modelCheckpoint': ['best.keras'],
  'callbacks.csvLogger': ['log.csv'],
  'callbacks.backupAndRestore': ['backup'],
  'callbacks.learningRateScheduler': [() => 1],
  'optimizers.excludeFromWeightDecay': [optimizers.adamw()],
  'random.uniform': [[2]],
  'random.normal': [[2]],
  'plot.bars': [[1]],
  'plot.confusion': [[[1]]],
  'plot.curves': [{ f: (a: number) => a }],
  'plot.history': [{ loss: [1] }],
  'plot.featureMaps': [{ data: new Float32Array(8), shape: [2, 2, 2] }],
  'plot.filters': [{ data: new Float32Array(9), shape: [3, 3, 1, 1] }],
  'plot.gradCam': [
    { data: new Float32Array(4), shape: [2, 2, 1] },
    {
      maps: { data: new Float32Array(4), shape: [2, 2, 1] },
      gradients: { data: new Float32Array(4), shape: [2, 2, 1] },
    },
  ],
  'plot.images': [{ data: new Uint8Array(4), shape: [1, 2, 2] }],
  'plot.weights': [{ data: new Float32Array(4), shape: [4, 1] }],
  'data.parseCsv': ['a\n1'],
  'data.parseIdx': [new Uint8Array(8)],
  'data.parseNpy': [new Uint8Array(8)],
  'data.parseNpz': [new Uint8Array(8)],
  'data.splitIndices': [4],
  'data.trainTestSplit': [[1, 2, 3]],
  'data.imageDatasetFromDirectory': ['pictures'],
  'data.textDatasetFromDirectory': ['texts'],
  'data.padSequences': [[[1], [2, 3]]],
  'data.timeseriesDatasetFromArray': [[1, 2, 3], null],
};
/** What has no options: functions of data alone, and callbacks that have nothing to choose. */
const plain = [
  'callbacks.terminateOnNaN',
  'callbacks.history',
  'layers.fromConfig',
  'optimizers.averaging',
  'data.normalize',
  'data.encodeNpy',
  'data.encodeNpz',
  'data.take',
  'data.toCategorical',
  'data.byteTokenizer',
  'data.charTokenizer',
];
/** Whose options say which functions they have; a hook that does not exist is refused. */
const open: Record<string, object> = {
  'callbacks.lambda': { onNoSuchMoment() {} },
  'layers.custom': { call: (t: unknown) => t, ...odd },
};

const parts = { callbacks, constraints, data, datasets, initializers, layers, losses, metrics, optimizers };
const factories = Object.entries({ ...parts, plot, random, regularizers, schedules }).flatMap(([part, all]) =>
  Object.entries(all)
    .filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name))
    .map(([name, value]) => [`${part}.${name}`, value as Call] as const),
);

describe('an option that does not exist is refused by name', () => {
  test('by every factory that is exported', async () => {
    expect(factories.length).toBeGreaterThan(100);
    expect(Object.keys(activations).length).toBeGreaterThan(5);
    for (const [name, make] of factories) {
      if (plain.includes(name)) continue;
      const error = await Promise.resolve()
        .then(() => make(...(before[name] ?? []), open[name] ?? odd))
        .then(
          () => null,
          (cause: unknown) => cause,
        );
      expect(error, name).toBeInstanceOf(WeftError);
      expect((error as Error).message, name).toMatch(/noSuch/i);
    }
  });

  test.each<[string, () => unknown]>([
    ['tensor', () => tensor([1], odd as object)],
    ['variable', () => variable([1], odd as object)],
    ['sum', () => sum(x, 0, odd as object)],
    ['matmul', () => matmul([[1]], [[1]], odd as object)],
    ['capture', () => capture(() => x, odd as object)],
    ['gradients', () => gradients(x, [x], odd as object)],
    ['sequential', () => sequential([], odd as object)],
    ['KFold', () => new data.KFold(odd as object)],
    ['StratifiedKFold', () => new data.StratifiedKFold(odd as object)],
    ['batch', () => data.Dataset.fromTensorSlices(x).batch(2, odd as object)],
    ['shuffle', () => data.Dataset.fromTensorSlices(x).shuffle(2, 1, odd as object)],
    ['fromGenerator', () => data.Dataset.fromGenerator(() => labels, odd as object)],
    ['compile', () => sequential([layers.dense(1)]).compile({ loss: 'mse', ...odd })],
    ['summary', () => sequential([layers.dense(1, { inputShape: [1] })]).summary(odd as object)],
  ])('%s', (name, call) => refused(call, 'CONFIG', new RegExp(`${name}.*noSuchOption`)));

  test('init, its debug modes, and tests of the adapter', async () => {
    await expect(init(odd as object)).rejects.toThrow(/init: option "noSuchOption"/);
    await expect(init({ debug: odd as object })).rejects.toThrow(/debug: option "noSuchOption"/);
    await expect(selfTest(odd as object)).rejects.toThrow(/noSuchOption/);
    await expect(speedTest(odd as object)).rejects.toThrow(/noSuchOption/);
  });

  test('and by everything a model does', async () => {
    const m = sequential([layers.dense(1, { inputShape: [1] })]);
    m.compile({ loss: 'mse' });
    const [a, b] = [[[1]], [[1]]];
    const calls: (() => unknown)[] = [
      () => m.fit(a, b, odd as object),
      () => m.evaluate(a, b, odd as object),
      () => m.predict(a, odd as object),
      () => m.trainOnBatch(a, b, odd as object),
      () => m.testOnBatch(a, b, odd as object),
      () => m.explain(odd as object),
      () => m.save('x.keras', odd as object),
    ];
    for (const call of calls) await expect(Promise.resolve().then(call)).rejects.toThrow(/noSuchOption/);
  });
});

describe('what cannot be meant is told', () => {
  test('a shape in place of options is the shape, as in TensorFlow.js, and a dtype may follow', async () => {
    const a = tensor([1, 2, 3, 4, 5, 6], [2, 3], 'int32');
    expect([a.shape, a.dtype]).toEqual([[2, 3], 'i32']);
    expect(tensor(new Float32Array(4), [2, 2]).shape).toEqual([2, 2]);
    expect(tensor([1, 2], undefined, 'int32').dtype).toBe('i32');
    await refused(() => tensor([1, 2, 3], [2, 2]), 'SHAPE', /\[2, 2\]/);
  });

  test('options that are none, or that change nothing', async () => {
    await refused(
      () => tensor([1], 'i32' as never),
      'CONFIG',
      /options are "i32"; expected an object with shape/,
    );
    await refused(() => variable([1], false as never), 'CONFIG', /options are false/);
    await refused(() => matmul([[1]], [[1]], true as never), 'CONFIG', /options are true.*transposeA/);
    await refused(() => tensor(x, { shape: [2, 2] }), 'CONFIG', /a tensor.*reshape/);
    await refused(() => variable(x, { dtype: 'i32' }), 'CONFIG', /a tensor.*cast/);
    await refused(() => layers.dense({ units: 1 }, { activation: 'relu' } as never), 'CONFIG', /two objects/);
    await refused(() => optimizers.sgd({}, { momentum: 0.9 }), 'CONFIG', /two objects/);
  });

  test('sizes, indices, seeds, axes and lengths that are none', async () => {
    for (const odd of [1.5, Number.NaN]) {
      await refused(() => iota(odd), 'SHAPE', /iota/);
      await refused(() => gather([1, 2, 3], odd), 'VALUE', /gather/);
      await refused(() => oneHot(odd, 3), 'VALUE', /oneHot/);
      await refused(() => random.uniform([2], { seed: odd }), 'VALUE', /seed/);
      await refused(() => constraints.unitNorm({ axis: odd }), 'VALUE', /unitNorm: axis/);
    }
    await refused(() => iota(-1), 'SHAPE', /iota/);
    await refused(() => gather([1, 2, 3], 3), 'VALUE', /gather/);
    await refused(() => plot.bars([1], { width: Number.NaN }), 'VALUE', /plot/);
    await refused(() => plot.curves({ f: (a) => a }, { height: -1 }), 'VALUE', /plot/);
    await refused(() => data.toCategorical([0], 2 ** 40), 'VALUE', /toCategorical/);
    expect(await gather([1, 2, 3], 2).array()).toBe(3);
  });

  test('counts that are no whole numbers', async () => {
    const rows = data.Dataset.fromTensorSlices(x);
    for (const count of [1.5, Number.NaN, -2, '3' as never]) {
      await refused(() => rows.take(count), 'VALUE', /take: count/);
      await refused(() => rows.skip(count), 'VALUE', /skip: count/);
      await refused(() => rows.repeat(count), 'VALUE', /repeat: times/);
      await refused(() => rows.batch(count), 'VALUE', /batch: size/);
      await refused(() => rows.prefetch(count), 'VALUE', /prefetch: count/);
      await refused(() => rows.shuffle(count), 'VALUE', /shuffle: bufferSize/);
      await refused(
        () => data.Dataset.fromGenerator(() => [1], { cardinality: count }),
        'VALUE',
        /cardinality/,
      );
    }
  });
});
