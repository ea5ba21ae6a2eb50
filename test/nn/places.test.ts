/** Layers over places of sequences and pictures, and what is found out about data before training. */
import { beforeEach, describe, expect, test } from 'vitest';
import { data as datasets, init, layers, loadModel, ones, sequential, tensor } from '../../src/index.ts';
import type { Normalization } from '../../src/nn/layers/all.ts';

beforeEach(async () => {
  await init({ seed: 3 });
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

test('convolutions and pools refuse what does not fit: layer, sizes and the way out', () => {
  const x = ones([2, 4, 4, 3]);
  expect(() => layers.conv2d({ filters: 2, kernelSize: 5 }).apply(x)).toThrow(
    /conv2d.*window of \[5\] does not fit into \[4\].*'same'/,
  );
  expect(() => layers.conv2d({ filters: 4, kernelSize: 2, groups: 2 }).apply(x)).toThrow(
    /3 channels and 4 filters cannot be cut into 2 groups/,
  );
  expect(() => layers.conv2d({ filters: 2, kernelSize: 2, strides: 2, dilationRate: 2 }).apply(x)).toThrow(
    /strides \[2,2\] and dilationRate \[2,2\] are both above 1/,
  );
  expect(() => layers.conv2d({ filters: 2, kernelSize: 2, padding: 'causal' as never })).toThrow(/padding/);
  expect(() => layers.conv1d({ filters: 2, kernelSize: 2 }).apply(x)).toThrow(/\[samples, steps, channels\]/);
  expect(() => layers.conv2d({ filters: 2, kernelSize: [2, 2, 2] })).toThrow(/or 2 of them/);
  expect(() =>
    layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, outputPadding: 2 }).apply(x),
  ).toThrow(/less than the strides/);
  expect(() => layers.maxPooling2d(5).buildFor([null, 4, 4, 3])).toThrow(
    /max_pooling2d.*does not fit into \[4\]/,
  );
  expect(() => layers.averagePooling1d(2).apply(x)).toThrow(/\[samples, steps, channels\]/);
  const built = layers.conv2d({ filters: 2, kernelSize: 2 });
  built.apply(x);
  expect(() => built.apply(ones([2, 4, 4, 1]))).toThrow(/expected \[null, 4, 4, 3\]/);
  expect(() => sequential([layers.input([null, null, null]), layers.conv2d(2, { kernelSize: 3 })])).toThrow(
    /unknown size/,
  );
});

test('a built convolution takes pictures of other sizes', async () => {
  const layer = layers.conv2d({ filters: 2, kernelSize: 3, kernelInitializer: 'ones' });
  expect(layer.apply(ones([1, 4, 4, 1])).shape).toEqual([1, 2, 2, 2]);
  expect(await layer.apply(ones([1, 3, 5, 1])).array()).toEqual([[Array(3).fill([9, 9])]]);
  expect(layer.computeOutputShape([null, null, 5, 1])).toEqual([null, null, 3, 2]);
});

test('mixed precision rounds the operands of a convolution', async () => {
  const x = tensor([[[1 + 2 ** -12]]]);
  const options = { filters: 1, kernelSize: 1, kernelInitializer: 'ones' } as const;
  expect(await layers.conv1d(options).apply(x).item()).toBe(1 + 2 ** -12);
  expect(
    await layers
      .conv1d({ ...options, dtype: 'mixed_float16' })
      .apply(x)
      .item(),
  ).toBe(1);
});

describe('pictures that are changed in training', () => {
  const pictures = tensor(
    Float32Array.from({ length: 4 * 6 * 5 * 2 }, (_, i) => (i * 37) % 251),
    {
      shape: [4, 6, 5, 2],
    },
  );
  const seed = 5;
  const makers = [
    () => layers.randomFlip({ seed }),
    () => layers.randomRotation(0.2, { seed }),
    () => layers.randomZoom(0.3, { seed }),
    () => layers.randomTranslation({ heightFactor: 0.3, widthFactor: 0.2, seed }),
    () => layers.randomContrast([0.5, 0.5], { seed }),
    () => layers.randomBrightness(0.5, { seed }),
    () => layers.randomCrop({ height: 4, width: 3, seed }),
  ];
  test.each(makers.map((make) => [make().className, make] as const))(
    '%s: the same seed gives the same pictures, another call others; without training they are as they are',
    async (className, make) => {
      const numbers = async (times: number): Promise<number[][]> => {
        const layer = make();
        const found: number[][] = [];
        for (let i = 0; i < times; i++)
          found.push([...(await layer.apply(pictures, { training: true }).data())]);
        return found;
      };
      const [first, second] = [await numbers(3), await numbers(3)];
      expect(first).toEqual(second);
      expect(new Set(first.map(String)).size).toBeGreaterThan(1);
      const idle = await make().apply(pictures).data();
      const expected = className === 'RandomCrop' ? pictures.slice([0, 1, 1, 0], [4, 4, 3, 2]) : pictures;
      expect([...idle]).toEqual([...(await expected.data())]);
    },
  );

  test('flips and moves only reorder values', async () => {
    for (const layer of [
      layers.randomFlip({ seed: 2 }),
      layers.randomTranslation({ heightFactor: [0.5, 0.5], widthFactor: [-0.2, -0.2], fillMode: 'wrap' }),
    ]) {
      const y = await layer.apply(pictures, { training: true }).data();
      expect([...y].map(Math.round).sort()).toEqual([...(await pictures.data())].sort());
    }
  });

  test('bytes are pictures too, and a model with them predicts and evaluates undisturbed', async () => {
    const model = sequential([
      layers.input([6, 5, 2]),
      layers.randomFlip(),
      layers.randomTranslation({ heightFactor: 0.1, widthFactor: 0.1, interpolation: 'nearest' }),
      layers.globalAveragePooling2d(),
      layers.dense(1),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const x = pictures.cast('u8');
    const before = await model.evaluate(x, [1, 2, 3, 4], { verbose: 0 });
    expect(await model.evaluate(x, [1, 2, 3, 4], { verbose: 0 })).toEqual(before);
    const { history } = await model.fit(x.div(255), [1, 2, 3, 4], {
      epochs: 2,
      verbose: 0,
      validationSplit: 0.5,
    });
    expect(history.val_loss.every(Number.isFinite)).toBe(true);
  });
});

test('filters and kernelSize may stand in front of the options, as in Keras', () => {
  const config = (layer: { getConfig(): object }) => ({ ...layer.getConfig(), name: '' });
  const whole = config(layers.conv2d({ filters: 4, kernelSize: [3, 2], activation: 'relu' }));
  expect(config(layers.conv2d(4, [3, 2], { activation: 'relu' }))).toEqual(whole);
  expect(config(layers.conv2d(4, { kernelSize: [3, 2], activation: 'relu' }))).toEqual(whole);
  expect(config(layers.separableConv1d(4, 3))).toEqual(
    config(layers.separableConv1d({ filters: 4, kernelSize: 3 })),
  );
  expect(() => layers.conv2d(4, 'same' as never)).toThrow(/kernelSize/);
  expect(() => layers.conv2d(4 as never, undefined as never)).toThrow(/kernelSize is undefined/);
});
