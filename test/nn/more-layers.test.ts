/** Layers against what Keras 3.15.1 computed (scripts/keras-check/layers.py), and what all of them have in common. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  init,
  layers,
  loadModel,
  model as network,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import * as all from '../../src/nn/layers/all.ts';
import { camelCase } from '../../src/nn/names.ts';
import expected from './saving/fixtures/from-keras-layers.expected.json';
import shown from './saving/fixtures/from-weft-layers.expected.json';

beforeEach(async () => {
  await init({ seed: 3 });
});

const largest = async (x: Tensor, y: unknown): Promise<number> => {
  const [a, b] = [[...(await x.data())], (y as number[]).flat(Infinity) as number[]];
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
};

describe('compute what Keras computes', () => {
  test.each(expected.cases.map((one) => [`${one.class_name} ${JSON.stringify(one.config)}`, one] as const))(
    '%s',
    async (_, { class_name: className, config, training, x, y, weights, after }) => {
      const layer = layers.fromConfig({ className, config: withoutKerasOnly(config) });
      const input = tensor(x as number[][]);
      layer.buildFor([null, ...input.shape.slice(1)]);
      const shape = layer.computeOutputShape([null, ...input.shape.slice(1)]);
      expect(layer.weights.map((weight) => weight.shape)).toEqual(
        weights.map((weight) => tensor(weight).shape),
      );
      await Promise.all(layer.weights.map((weight, i) => weight.assign(tensor(weights[i]))));
      const output = layer.apply(input, { training });
      expect(shape).toEqual([null, ...output.shape.slice(1)]);
      expect(await largest(output, y)).toBeLessThan(3e-6);
      for (const [i, weight] of layer.weights.entries())
        expect(await largest(weight, after[i])).toBeLessThan(3e-6);
    },
  );
});

/** What saving leaves out of files because it changes nothing. */
const withoutKerasOnly = (config: object): object =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => !/^(synchronized|renorm.*|rms_scaling)$/.test(key))
      .map(([key, value]) => {
        const { class_name: className, config: inner } = (value ?? {}) as {
          class_name?: string;
          config?: object;
        };
        return [key, className ? { className, config: withoutKerasOnly(inner ?? {}) } : value];
      }),
  );

describe('what all layers have in common', () => {
  const made: Record<string, object> = {
    Activation: { activation: 'tanh' },
    Dense: { units: 2 },
    EinsumDense: { equation: 'abc,cd->abd', outputShape: [null, 2] },
    GroupQueryAttention: { headDim: 3, numQueryHeads: 4, numKeyValueHeads: 2 },
    MultiHeadAttention: { numHeads: 2, keyDim: 3 },
    Embedding: { inputDim: 3, outputDim: 2 },
    SimpleRNN: { units: 2 },
    LSTM: { units: 2 },
    GRU: { units: 2 },
    TimeDistributed: { layer: { className: 'Dense', config: { units: 2, name: 'inner' } } },
    Bidirectional: { layer: { className: 'LSTM', config: { units: 2, name: 'inner' } } },
    Dropout: { rate: 0.5 },
    Dot: { axes: 1 },
    GaussianNoise: { stddev: 0.5 },
    GaussianDropout: { rate: 0.5 },
    InputLayer: { shape: [2] },
    Lambda: { function: (x: Tensor) => x.mul(2) },
    Permute: { dims: [1] },
    RepeatVector: { n: 2 },
    Rescaling: { scale: 2 },
    CategoryEncoding: { numTokens: 3 },
    Discretization: { numBins: 3 },
    Hashing: { numBins: 3 },
    Reshape: { targetShape: [-1] },
    ...Object.fromEntries(
      ['Conv1D', 'Conv2D', 'Conv3D', 'Conv1DTranspose', 'Conv2DTranspose']
        .concat(['DepthwiseConv1D', 'DepthwiseConv2D', 'SeparableConv1D', 'SeparableConv2D'])
        .map((name) => [name, name.startsWith('Depth') ? { kernelSize: 2 } : { filters: 2, kernelSize: 2 }]),
    ),
    ...Object.fromEntries(
      ['Resizing', 'CenterCrop', 'RandomCrop'].map((name) => [name, { height: 2, width: 3 }]),
    ),
    RandomRotation: { factor: 0.1 },
    RandomZoom: { heightFactor: 0.1 },
    RandomTranslation: { heightFactor: 0.1, widthFactor: 0.2 },
    RandomContrast: { factor: 0.1 },
    RandomBrightness: { factor: 0.1 },
    SpatialDropout1D: { rate: 0.5 },
    SpatialDropout2D: { rate: 0.5 },
  };
  const classes = Object.entries(all as unknown as Record<string, { rows?: Record<string, object> }>).filter(
    ([, one]) => one.rows,
  );

  test.each(classes)(
    '%s: its config makes it again, in both spellings; what nobody knows is refused',
    (className, { rows }) => {
      const layer = layers.fromConfig({ className, config: made[className] });
      expect(layer.className).toBe(className);
      const config = layer.getConfig();
      expect(layers.fromConfig({ className, config }).getConfig()).toEqual(config);
      const snake = Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
          key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
          value,
        ]),
      );
      expect(layers.fromConfig({ className, config: snake }).getConfig()).toEqual(config);
      expect(() => layers.fromConfig({ className, config: { ...config, nonsense: 1 } })).toThrow(/nonsense/);
      // A value of a kind that no option takes.
      for (const key of Object.keys(rows ?? {}))
        expect(
          () => layers.fromConfig({ className, config: { ...config, [key]: Symbol('x') } }),
          key,
        ).toThrow(new RegExp(camelCase(key).slice(0, 4)));
      // Each has its function, called as its class.
      const factories = Object.keys(all).map((name) => name.toLowerCase());
      expect(
        factories.filter(
          (name) => name === className.toLowerCase().replace('layer', '') || name === className.toLowerCase(),
        ).length,
      ).toBeGreaterThan(0);
    },
  );

  test('files hold every one of them', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const doubled = (x: Tensor): Tensor => x.mul(2);
    const model = sequential([
      layers.input([2, 3]),
      layers.permute([2, 1]),
      layers.batchNormalization(),
      layers.layerNormalization({ axis: [1, 2] }),
      layers.prelu({ sharedAxes: [1] }),
      layers.rmsNormalization(),
      layers.relu({ maxValue: 2, negativeSlope: 0.1 }),
      layers.leakyReLU(0.2),
      layers.elu(0.5),
      layers.softmax(1),
      layers.unitNormalization(),
      layers.gaussianNoise(0.1),
      layers.gaussianDropout(0.2, { seed: 4 }),
      layers.identity(),
      layers.lambda(doubled),
      layers.flatten(),
      layers.repeatVector(2),
      layers.dropout(0.5),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const x = [
      [
        [1, 2, 3],
        [4, 5, 7],
      ],
      [
        [0, 1, 0],
        [2, -1, 3],
      ],
    ];
    const y = Array.from({ length: 2 }, () => Array.from({ length: 2 }, () => Array(6).fill(0.1)));
    await model.trainOnBatch(x, y);
    for (const format of ['keras', 'h5'] as const) {
      const again = await loadModel(await model.toBytes(format), { customObjects: { doubled } });
      expect(again.layers.map((layer) => layer.getConfig())).toEqual(
        model.layers.map((layer) => layer.getConfig()),
      );
      expect(await (await again.predict(x, { verbose: 0 })).array()).toEqual(
        await (await model.predict(x, { verbose: 0 })).array(),
      );
      const copy = await loadModel(await model.toBytes(format), { customObjects: { doubled } });
      expect(await again.trainOnBatch(x, y)).toEqual(await copy.trainOnBatch(x, y));
    }
    warn.mockRestore();
  });
});

test('a model of Keras with moving averages predicts the same and trains on as in Keras', async () => {
  const model = await loadModel(new URL('./saving/fixtures/from-keras-layers.keras', import.meta.url));
  const { samples: x, labels: y } = expected;
  expect(await largest(await model.predict(x, { verbose: 0 }), expected.predictions)).toBeLessThan(1e-6);
  const { loss } = await model.trainOnBatch(x, y);
  expect(loss).toBeCloseTo(expected.loss, 5);
  expect(await largest(await model.predict(x, { verbose: 0 }), expected.after)).toBeLessThan(3e-6);
});

test('the file that Keras was shown, and found to predict and train the same, still does', async () => {
  const { predictions, loss } = shown;
  const model = await loadModel(new URL('./saving/fixtures/from-weft-layers.keras', import.meta.url));
  const { samples: x, labels: y } = expected;
  expect(await largest(await model.predict(x, { verbose: 0 }), predictions)).toBeLessThan(1e-6);
  expect((await model.trainOnBatch(x, y)).loss).toBeCloseTo(loss, 5);
});

describe('moving averages', () => {
  const make = () => {
    const model = sequential([
      layers.input([2]),
      layers.batchNormalization({ momentum: 0.5 }),
      layers.dense(1),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    return model;
  };
  const averages = async ({ layers: [normal] }: ReturnType<typeof make>): Promise<unknown[]> =>
    Promise.all([normal.weight('moving_mean').array(), normal.weight('moving_variance').array()]);

  test('follow the batches that train, those of fit as those of one step, and no others', async () => {
    const [x, y] = [
      [
        [1, 10],
        [3, 30],
      ],
      [1, 2],
    ];
    const model = make();
    await model.predict(x, { verbose: 0 });
    await model.evaluate(x, y, { verbose: 0 });
    expect(await averages(model)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    await model.trainOnBatch(x, y);
    expect(await averages(model)).toEqual([
      [1, 10],
      [1, 50.5],
    ]);
    await model.fit(x, y, { batchSize: 2, epochs: 2, verbose: 0 });
    expect(await averages(model)).toEqual([
      [1.75, 17.5],
      [1, 87.625],
    ]);
  });

  test('stand still while the layer, or what holds it, is frozen', async () => {
    const [x, y] = [
      [
        [1, 10],
        [3, 30],
      ],
      [1, 2],
    ];
    const model = make();
    model.layers[0].trainable = false;
    await model.trainOnBatch(x, y);
    expect(await averages(model)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const inner = make();
    const outer = sequential([layers.input([2]), inner, layers.dense(1)]);
    outer.compile({ optimizer: 'sgd', loss: 'mse' });
    inner.trainable = false;
    await outer.trainOnBatch(x, y);
    expect(await averages(inner)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test('are of differences from the mean, far from 0', async () => {
    const layer = layers.batchNormalization({ momentum: 0 });
    layer.apply(tensor([[10_000], [10_002]]), { training: true });
    expect(await layer.weight('moving_variance').array()).toEqual([1]);
  });
});

test('layers in a network: normalized twice through one layer, repeated and merged', async () => {
  const x = layers.input([3]);
  const normal = layers.layerNormalization();
  const [a, b] = [normal.apply(x), normal.apply(layers.identity().apply(x))];
  const net = network({ inputs: x, outputs: layers.repeatVector(2).apply(layers.add().apply([a, b])) });
  const y = (await (await net.predict([[1, 2, 3]], { verbose: 0 })).array()) as number[][][];
  expect(y[0][0]).toEqual(y[0][1]);
  expect(y[0][0][2]).toBeCloseTo((2 * 1) / Math.sqrt(2 / 3 + 0.001), 5);
});

test('refusals name the layer and the rule', () => {
  expect(() => layers.batchNormalization({ axis: 0 }).apply(tensor([[1]]))).toThrow(
    /axis 0 of 2 axes is that of the samples/,
  );
  expect(() => layers.layerNormalization({ axis: 3 }).apply(tensor([[1]]))).toThrow(
    /axis 3 of 2 axes is not there/,
  );
  expect(() => layers.batchNormalization().buildFor([null, null])).toThrow(/unknown size/);
  const built = layers.batchNormalization();
  built.apply(tensor([[1, 2]]));
  expect(() => built.apply(tensor([[1, 2, 3]]))).toThrow(/expected \[null, 2\]/);
  expect(() => layers.permute([1, 3])).toThrow(/each axis of a sample once/);
  expect(() => layers.permute([2, 1]).apply(tensor([[1, 2]]))).toThrow(/order 2 axes/);
  expect(() => layers.repeatVector(2).apply(tensor([[[1]]]))).toThrow(/expected \[samples, features\]/);
  expect(() => layers.gaussianDropout(1)).toThrow(/rate is 1/);
  expect(() => layers.lambda(3 as never)).toThrow(/function is 3/);
});
