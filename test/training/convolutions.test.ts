/** Convolutional networks train exactly: 50 steps against those of Keras 3.15.1 in float64 (nn/fixtures/record_conv_trainings.py). */
import { expect, test } from 'vitest';
import {
  defaultEngine,
  layers,
  losses,
  type Model,
  model as network,
  optimizers,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import recorded from '../nn/fixtures/keras-trainings.json';
import { countCalls } from './counters.ts';

const valuesOf = ({ f32 }: { f32: string }): Float32Array =>
  new Float32Array(Uint8Array.from(atob(f32), (c) => c.charCodeAt(0)).buffer);
const from = (one: { shape: number[]; f32: string }): Tensor => tensor(valuesOf(one), { shape: one.shape });

const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true });

const makers = {
  convolutional(): Model {
    const model = sequential([
      layers.input([8, 8, 1]),
      layers.conv2d(4, { kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.maxPooling2d(2),
      layers.conv2d(6, { kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.maxPooling2d(2),
      layers.flatten(),
      layers.dense(10, { activation: 'tanh' }),
      layers.dense(3),
    ]);
    model.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss });
    return model;
  },
  residual(): Model {
    const x = layers.input([8, 8, 2]);
    const same = { padding: 'same' } as const;
    const start = layers.conv2d(4, { ...same, kernelSize: 3, useBias: false }).apply(x);
    let h = layers.relu({}).apply(layers.batchNormalization({ momentum: 0.9 }).apply(start));
    h = layers.separableConv2d(4, { ...same, kernelSize: 3, useBias: false }).apply(h);
    h = layers.batchNormalization({ momentum: 0.9 }).apply(h);
    h = layers.relu({}).apply(layers.add().apply([h, start]));
    h = layers.conv2d(5, { ...same, kernelSize: 3, strides: 2, activation: 'tanh' }).apply(h);
    const y = layers.dense(3).apply(layers.globalAveragePooling2d().apply(h));
    const model = network({ inputs: x, outputs: y });
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }), loss });
    return model;
  },
};

test.each(Object.keys(makers) as (keyof typeof makers)[])(
  'the %s network: each loss of 50 steps, the last one of a small batch, and all weights are those of float64',
  async (name) => {
    const right = recorded[name];
    const [x, y] = [from(right.x), tensor(Int32Array.from(right.labels))];
    const model = makers[name]();
    await model.setWeights(right.start.map(from));
    const batches = [
      [0, 8],
      [8, 8],
      [16, 4],
    ].map(([begin, size]) => [x.slice([begin, 0, 0, 0], [size, 8, 8, x.shape[3]]), y.slice([begin], [size])]);
    for (const [step, expected] of right.losses.entries()) {
      const { loss } = await model.trainOnBatch(...(batches[step % 3] as [Tensor, Tensor]));
      expect(Math.abs(loss - expected), `loss of step ${step + 1}`).toBeLessThan(
        1e-4 * Math.max(1, expected),
      );
    }
    for (const [i, weight] of model.weights.entries()) {
      const values = valuesOf(right.weights[i]);
      const apart = [...(await weight.data())].map((value, j) => Math.abs(value - values[j]));
      expect(Math.max(...apart), weight.name).toBeLessThan(5e-4);
    }
    const predicted = await (await model.predict(x, { verbose: 0 })).data();
    const exact = valuesOf(right.predictions);
    expect(Math.max(...[...predicted].map((value, i) => Math.abs(value - exact[i])))).toBeLessThan(5e-4);
  },
);

test('fit gives the same bits twice, augmentation, dropout and batch statistics included, and makes nothing anew', async () => {
  const engine = await defaultEngine();
  const counter = countCalls(engine);
  const right = recorded.convolutional;
  const run = async () => {
    const model = sequential([
      layers.input([8, 8, 1]),
      layers.randomFlip({ mode: 'horizontal', seed: 1 }),
      layers.conv2d(4, { kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'ones' }),
      layers.batchNormalization(),
      layers.maxPooling2d(2),
      layers.spatialDropout2d(0.25, { seed: 2 }),
      layers.flatten(),
      layers.dense(3, { activation: 'softmax', kernelInitializer: 'zeros' }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    const seen: (typeof counter.calls)[] = [];
    const { history } = await model.fit(from(right.x), tensor(Int32Array.from(right.labels)), {
      batchSize: 8,
      epochs: 4,
      shuffle: false,
      verbose: 0,
      callbacks: [{ onEpochEnd: () => void seen.push({ ...counter.calls }) }],
    });
    const made = (['buffers', 'bindGroups', 'pipelines'] as const).map(
      (kind) => seen[3][kind] - seen[2][kind],
    );
    const weights = await Promise.all(model.weights.map((weight) => weight.data()));
    return { history, weights, made };
  };
  try {
    const first = await run();
    expect(first.made).toEqual([0, 0, 0]);
    expect(await run()).toEqual(first);
  } finally {
    counter.stop();
  }
});

test("the textbook's network of two convolutions has 333,526 parameters", () => {
  const model = sequential([
    layers.input([28, 28, 1]),
    layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', padding: 'same' }),
    layers.maxPooling2d(2),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu', padding: 'same' }),
    layers.maxPooling2d(2),
    layers.flatten(),
    layers.dense(100, { activation: 'relu' }),
    layers.dropout(0.4),
    layers.dense(10, { activation: 'softmax' }),
  ]);
  expect(model.countParams()).toBe(333_526);
  const lines: string[] = [];
  model.summary({ print: (line: string) => void lines.push(line) });
  const text = lines.join('\n');
  for (const shown of ['(None, 14, 14, 32)', '(None, 7, 7, 64)', '(None, 3136)', '313,700', 'Conv2D'])
    expect(text).toContain(shown);
});
