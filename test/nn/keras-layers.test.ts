/** Layers against what Keras 3.15.1 computed (fixtures/record_layers.py): results, gradients, statistics. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  data as datasets,
  gradients,
  init,
  layers,
  loadModel,
  ones,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import type { Normalization } from '../../src/nn/layers/all.ts';
import { withoutNeutral } from '../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../src/nn/saving/own.ts';
import recorded from './fixtures/keras-layers.json';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly class_name: string;
  readonly config: object;
  readonly training: boolean;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly g: Numbers;
  readonly dx: Numbers;
  readonly dw: readonly Numbers[];
  readonly weights: readonly Numbers[];
  readonly after?: readonly Numbers[];
}

beforeEach(async () => {
  await init({ seed: 3 });
});

const from = ({ shape, data }: Numbers): Tensor => tensor(Float32Array.from(data), { shape: [...shape] });

/** The numbers are those of Keras, as far as sums of so many terms can agree. */
async function expectSame(x: Tensor, right: Numbers, what: string): Promise<void> {
  expect(x.shape, what).toEqual(right.shape);
  const size = Math.max(1, ...right.data.map(Math.abs));
  const apart = [...(await x.data())].map((value, i) => Math.abs(value - right.data[i]));
  expect(Math.max(0, ...apart), what).toBeLessThan(4e-6 * size);
}

const none = new OwnObjects({});
const cases = recorded.cases as unknown as readonly Case[];
const named = cases.map((one) => {
  const told = Object.entries(one.config).filter(([key]) => !/initializer|regularizer|constraint/.test(key));
  return [`${one.class_name} ${JSON.stringify(Object.fromEntries(told))} of [${one.x.shape}]`, one] as const;
});

test.each(named)('%s computes what Keras computes', async (_, one) => {
  const config = withoutNeutral(one.config as never, none);
  const layer = layers.fromConfig({ className: one.class_name, config });
  const x = from(one.x);
  layer.buildFor([null, ...x.shape.slice(1)]);
  expect(layer.weights.map(({ shape }) => shape)).toEqual(one.weights.map(({ shape }) => shape));
  await layer.setWeights(one.weights.map(from));
  expect(layer.computeOutputShape([null, ...x.shape.slice(1)])).toEqual([null, ...one.y.shape.slice(1)]);
  const before = layer.getWeights();
  const y = layer.apply(x, { training: one.training });
  const trained = layer.trainableWeights;
  const [dx, ...dw] = gradients(y, [x, ...trained], { seed: from(one.g) });
  await expectSame(y, one.y, 'y');
  await expectSame(dx, one.dx, 'dx');
  for (const [i, right] of one.dw.entries()) await expectSame(dw[i], right, trained[i].name);
  if (!one.after) return;
  await layer.setWeights(before);
  for (const factor of [1, 0.5, 2]) layer.apply(from(one.x).mul(factor), { training: true });
  for (const [i, right] of one.after.entries())
    await expectSame(layer.nonTrainableWeights[i], right, layer.nonTrainableWeights[i].name);
});

const data = [
  [0, 10],
  [3, 40],
  [0, 10],
  [5, 20],
];

describe('normalization', () => {
  test('finds mean and variance of an array, of bytes, and of a dataset in batches of several sizes', async () => {
    const arrays = layers.normalization();
    await arrays.adapt(data);
    const batches = layers.normalization();
    await batches.adapt(
      datasets.Dataset.fromTensorSlices([tensor(data), tensor([0, 1, 2, 3])])
        .map((pair: unknown) => pair)
        .batch(3),
    );
    const bytes = layers.normalization({ axis: null });
    await bytes.adapt(Uint8Array.from([0, 255, 255, 0]));
    for (const one of [arrays, batches]) {
      expect(await one.weight('mean').array()).toEqual([2, 20]);
      expect(await one.weight('variance').array()).toEqual([4.5, 150]);
    }
    expect(await bytes.weight('mean').item()).toBe(127.5);
    expect(await bytes.weight('variance').item()).toBe(127.5 ** 2);
  });

  test('what it found is kept in files, and a model trains on it', async () => {
    const scale = layers.normalization();
    await scale.adapt(data);
    const model = sequential([layers.input([2]), scale, layers.dense(1)]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    await model.fit(data, [1, 2, 3, 4], { epochs: 2, verbose: 0 });
    expect(await scale.weight('mean').array()).toEqual([2, 20]);
    for (const format of ['keras', 'h5'] as const) {
      const again = await loadModel(await model.toBytes(format));
      expect(await (await again.predict(data, { verbose: 0 })).array()).toEqual(
        await (await model.predict(data, { verbose: 0 })).array(),
      );
    }
  });

  test('adapted after a prediction, it counts in the next', async () => {
    const model = sequential([layers.input([2]), layers.normalization()]);
    const raw = await (await model.predict(data, { verbose: 0 })).array();
    expect(raw).toEqual(data);
    await (model.layers[0] as Normalization).adapt(data);
    const y = (await (await model.predict(data, { verbose: 0 })).array()) as number[][];
    expect(y[0][0]).toBeCloseTo(-2 / Math.sqrt(4.5), 6);
  });

  test('refuses half of what it needs, no samples, and to find what was given', async () => {
    expect(() => layers.normalization({ mean: 1 }).apply(tensor(data))).toThrow(
      /mean and variance, or neither/,
    );
    expect(() => layers.normalization({ mean: [1, 2, 3], variance: [1, 2, 3] }).apply(tensor(data))).toThrow(
      /expected one number or \[2\]/,
    );
    await expect(layers.normalization({ mean: 1, variance: 1 }).adapt(data)).rejects.toThrow(/were given/);
    await expect(layers.normalization().adapt(tensor([], { shape: [0, 2] }))).rejects.toThrow(/no samples/);
    const built = layers.normalization();
    await built.adapt(data);
    await expect(built.adapt([[1, 2, 3]])).rejects.toThrow(/expected \[null, 2\]/);
  });
});

describe('spatial dropout', () => {
  test('drops whole channels of a sample, and keeps the others', async () => {
    for (const [layer, shape, along] of [
      [layers.spatialDropout1d(0.5, { seed: 4 }), [8, 5, 6], 2],
      [layers.spatialDropout2d(0.5, { seed: 4 }), [8, 3, 2, 6], 3],
      [layers.spatialDropout2d({ rate: 0.5, seed: 4, dataFormat: 'channels_first' }), [8, 6, 3, 2], 1],
    ] as const) {
      const others = shape.map((_, axis) => axis).filter((axis) => axis !== 0 && axis !== along);
      const y = layer.apply(ones(shape), { training: true });
      const [low, high] = await Promise.all([y.min(others).data(), y.max(others).data()]);
      expect([...low]).toEqual([...high]);
      expect([...new Set(low)].sort()).toEqual([0, 2]);
      expect([...(await layer.apply(ones(shape)).data())].every((value) => value === 1)).toBe(true);
    }
  });

  test('refuses inputs of another number of axes', () => {
    expect(() => layers.spatialDropout1d(0.5).apply(ones([2, 3]), { training: true })).toThrow(
      /expected 3 axes/,
    );
  });
});

test('layers over places refuse what does not fit, with the sizes', () => {
  expect(() => layers.zeroPadding2d(1).apply(ones([2, 3, 3]))).toThrow(
    /expected \[samples, height, width, channels\]/,
  );
  expect(() => layers.cropping1d([2, 1]).apply(ones([2, 3, 3]))).toThrow(/takes 2 and 1 of 3 places/);
  expect(() => layers.zeroPadding2d([1, 2, 3])).toThrow(/\[before, after\] for each of 2 axes/);
  expect(() => layers.upSampling2d(0)).toThrow(/size is 0/);
  expect(() => layers.zeroPadding2d({ dataFormat: 'middle' as never })).toThrow(
    /channelsLast, channelsFirst/,
  );
  expect(() => layers.groupNormalization(3).apply(ones([2, 4]))).toThrow(/divisor of 4/);
});

test('sizes that are not known yet stay so', () => {
  expect(layers.zeroPadding2d(1).computeOutputShape([null, null, 3, 2])).toEqual([null, null, 5, 2]);
  expect(layers.upSampling1d(2).computeOutputShape([null, null, 2])).toEqual([null, null, 2]);
  expect(
    layers
      .cropping2D([
        [1, 0],
        [0, 2],
      ])
      .computeOutputShape([4, 3, 3, null]),
  ).toEqual([4, 2, 1, null]);
});
