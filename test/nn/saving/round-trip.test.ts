/** Save and load in every format; what comes back is the same to the bit, and goes on as if nothing had been. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  ConfigError,
  FormatError,
  init,
  LoadError,
  layers,
  loadModel,
  losses,
  type Model,
  metrics,
  optimizers,
  type Sequential,
  ShapeError,
  schedules,
  sequential,
  setRandomSeed,
  type Tensor,
} from '../../../src/index.ts';
import { readHdf5, writeHdf5 } from '../../../src/nn/saving/hdf5.ts';

beforeAll(async () => {
  await init({ seed: 5 });
});

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7, 1]);
const y = x.map((_, i) => i % 3);

function garments(optimizer: 'adam' | 'rmsprop' | 'sgd' = 'adam', units = 6): Sequential {
  setRandomSeed(5);
  const model = sequential([
    layers.input([4]),
    layers.dense(units, { activation: 'relu' }),
    layers.dropout(0.25),
    layers.dense(3, { activation: 'softmax' }),
  ]);
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

async function bits(model: Model): Promise<number[][]> {
  const all = await Promise.all(model.weights.map((weight) => weight.data()));
  return all.map((one) => [...new Uint32Array(one.buffer)]);
}

const quiet = { batchSize: 16, verbose: 0 } as const;

describe('F48 training goes on as if it had not stopped', () => {
  test.each(['rmsprop', 'adam'] as const)('3 + 3 epochs of %s are 6 epochs', async (optimizer) => {
    const whole = garments(optimizer);
    await whole.fit(x, y, { ...quiet, epochs: 6 });
    for (const format of ['keras', 'h5'] as const) {
      const half = garments(optimizer);
      await half.fit(x, y, { ...quiet, epochs: 3 });
      const again = await loadModel(await half.toBytes(format));
      expect(await bits(again)).toEqual(await bits(half));
      await again.fit(x, y, { ...quiet, initialEpoch: 3, epochs: 6 });
      expect(await bits(again)).toEqual(await bits(whole));
    }
  });

  test('weights and state go into a model that was made anew', async () => {
    const whole = garments('sgd');
    await whole.fit(x, y, { ...quiet, epochs: 2 });
    const half = garments('sgd');
    await half.fit(x, y, { ...quiet, epochs: 1 });
    const other = garments('sgd');
    await other.fit(x, y, { ...quiet, epochs: 1 });
    await other.trainOnBatch(x, y);
    await other.loadWeights(await half.toBytes('weights.h5'));
    await other.fit(x, y, { ...quiet, initialEpoch: 1, epochs: 2 });
    expect(await bits(other)).toEqual(await bits(whole));
  });

  test('schedules go on where they were', async () => {
    const make = () => {
      const model = garments();
      const rate = schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 2, decayRate: 0.5 });
      model.compile({ optimizer: optimizers.adam(rate), loss: 'sparseCategoricalCrossentropy' });
      return model;
    };
    const whole = make();
    await whole.fit(x, y, { ...quiet, epochs: 2 });
    for (const format of ['keras', 'h5'] as const) {
      const half = make();
      await half.fit(x, y, { ...quiet, epochs: 1 });
      const again = await loadModel(await half.toBytes(format));
      await again.fit(x, y, { ...quiet, initialEpoch: 1, epochs: 2 });
      expect(await bits(again)).toEqual(await bits(whole));
    }
  });

  test('a saved seed is in force again under another one', async () => {
    const model = garments('sgd');
    for (const one of [model, ...model.layers]) one.randomSeed = 77;
    const again = await loadModel(await model.toBytes());
    expect(again.randomSeed).toBe(77);
    expect(again.layers.map((layer) => layer.randomSeed)).toEqual([77, 77, 77]);
  });
});

describe('every format', () => {
  test.each(['keras', 'h5', 'weights.h5', 'safetensors'] as const)(
    '%s keeps every bit, NaN, infinities, -0 and subnormal numbers included',
    async (format) => {
      const model = garments();
      const odd = [NaN, Infinity, -Infinity, -0, 1e-40, 3.4e38];
      await model.setWeights(
        model.weights.map(({ size }) => Float32Array.from({ length: size }, (_, i) => odd[i % 6])),
      );
      const before = await bits(model);
      const bytes = await model.toBytes(format);
      const again = garments();
      await again.loadWeights(bytes);
      expect(await bits(again)).toEqual(before);
      expect(await bits(model)).toEqual(before);
    },
  );

  test('what compile was told comes back', async () => {
    const model = garments();
    model.compile({
      optimizer: optimizers.rmsprop({
        learningRate: 0.25,
        rho: 0.5,
        momentum: 0.125,
        centered: true,
        clipnorm: 2,
      }),
      loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, reduction: 'sum' }),
      metrics: ['accuracy', metrics.sparseTopKCategoricalAccuracy({ k: 2, name: 'top2' })],
    });
    const again = await loadModel(await model.toBytes());
    expect(again.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    const { loss, metrics: list } = again.compileOptions as never as {
      loss: { config: object; className: string };
      metrics: [string, { name: string; config: object }];
    };
    expect(loss).toMatchObject({
      className: 'SparseCategoricalCrossentropy',
      fromLogits: true,
      reduction: 'sum',
    });
    expect(list[0]).toBe('accuracy');
    expect(list[1]).toMatchObject({ name: 'top2', config: { k: 2 } });
  });

  test('a loss or a learning rate that nobody can name leaves the model uncompiled, with a warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = garments();
    const make = () => (t: Tensor, p: Tensor) => t.sub(p).square().mean(-1);
    model.compile({ optimizer: 'sgd', loss: make() });
    expect((await loadModel(await model.toBytes())).compileOptions).toBeNull();
    expect(warn.mock.calls.flat().join()).toMatch(
      /saved without how it was compiled: a loss of your own is a/,
    );
    model.compile({ optimizer: optimizers.sgd((step) => step.mul(0.1)), loss: 'mse' });
    expect((await loadModel(await model.toBytes())).compileOptions).toBeNull();
    expect(warn.mock.calls.flat().join()).toMatch(/a learning rate that is a function/);
    warn.mockRestore();
  });

  test('layers of one’s own come back by their class', async () => {
    const gain = (options: object = {}) =>
      layers.custom({
        className: 'Gain',
        build([, size]) {
          this.addWeight('gain', [size as number], 'ones');
        },
        call(z) {
          return z.mul(this.weight('gain'));
        },
        ...options,
      });
    const model = sequential([layers.input([2]), gain({ name: 'mine' })]);
    await model.setWeights([[2, 3]]);
    const bytes = await model.toBytes();
    await expect(loadModel(bytes)).rejects.toThrow(/layers\[1\] \(Gain\).*unknown/);
    const again = await loadModel(bytes, { customLayers: { Gain: gain } });
    expect(await (await again.predict([[1, 1]], { verbose: 0 })).array()).toEqual([[2, 3]]);
  });

  test('blobs and files are read as well', async () => {
    const model = garments();
    const before = await bits(model);
    const bytes = (await model.toBytes()) as Uint8Array<ArrayBuffer>;
    for (const source of [new Blob([bytes]), new File([bytes], 'x.keras'), bytes.buffer])
      expect(await bits(await loadModel(source))).toEqual(before);
  });
});

/** What the optimizer keeps beside each weight, in the model's order. */
const slots = (model: Model): Promise<unknown[]> =>
  Promise.all(
    model.weights.map((weight) =>
      Promise.all(model.optimizer.slotsBeside(weight).map((slot) => slot.array())),
    ),
  );

describe.each(['keras', 'h5', 'weights.h5'] as const)('an optimizer’s state by name, .%s', (format) => {
  const make = () => {
    const model = sequential([
      layers.input([2]),
      layers.dense({ units: 2, useBias: false }),
      layers.dense({ units: 2, useBias: false }),
    ]);
    model.compile({ optimizer: optimizers.sgd({ momentum: 0.9 }), loss: 'mse' });
    return model;
  };
  const train = (model: Model): Promise<unknown> => model.trainOnBatch([[1, 2]], [[3, 4]]);
  const back = async (model: Model): Promise<Model> => {
    const bytes = await model.toBytes(format);
    if (format !== 'weights.h5') return loadModel(bytes);
    const again = make();
    // What is trained here says nothing about what was trained there.
    again.layers[1].trainable = false;
    await again.loadWeights(bytes);
    for (const [i, layer] of again.layers.entries()) layer.trainable = model.layers[i].trainable;
    return again;
  };

  test.each<[string, (model: Sequential) => Promise<void>]>([
    [
      'trained, then frozen',
      async (model) => {
        model.layers[0].trainable = false;
      },
    ],
    [
      'frozen, trained, unfrozen and trained again',
      async (model) => {
        model.layers[0].trainable = false;
        await train(model);
        model.layers[0].trainable = true;
        await train(model);
      },
    ],
    [
      'trained with one half frozen, then with the other',
      async (model) => {
        model.layers[0].trainable = false;
        await train(model);
        model.layers[0].trainable = true;
        model.layers[1].trainable = false;
      },
    ],
    [
      'given a new head',
      async (model) => {
        model.pop();
        model.add(layers.dense({ units: 2, useBias: false }));
      },
    ],
  ])('a model that was %s goes on with the state of each weight', async (_, change) => {
    const warn = vi.spyOn(console, 'warn');
    const model = make();
    await train(model);
    await change(model);
    const before = await slots(model);
    const again = await back(model);
    // A head that was never trained begins with zeros; a file has them for Keras.
    const zeros = [
      [
        [0, 0],
        [0, 0],
      ],
    ];
    expect(await slots(again)).toEqual(before.map((own) => ((own as []).length === 0 ? zeros : own)));
    for (const one of [model, again]) {
      for (const layer of one.layers) layer.trainable = true;
      await train(one);
    }
    expect(await bits(again)).toEqual(await bits(model));
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('an optimizer that two models share leaves each its own', async () => {
    const [model, other] = [make(), make()];
    other.compile({ optimizer: model.optimizer, loss: 'mse' });
    await train(model);
    await train(other);
    expect(await slots(await back(model))).toEqual(await slots(model));
  });
});

test('a file of another optimizer leaves the state aside, with a warning, also where the sizes agree', async () => {
  const make = (optimizer: string) => {
    const model = sequential([layers.input([2]), layers.dense(2)]);
    model.compile({
      optimizer: optimizer === 'sgd' ? optimizers.sgd({ momentum: 0.5 }) : 'rmsprop',
      loss: 'mse',
    });
    return model;
  };
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const [from, to] = [make('sgd'), make('rmsprop')];
  for (const model of [from, to]) await model.trainOnBatch([[1, 2]], [[3, 4]]);
  const before = await slots(to);
  await to.loadWeights(await from.toBytes('weights.h5'));
  expect(await slots(to)).toEqual(before);
  expect(warn.mock.calls.flat().join()).toMatch(/the state is that of SGD; the model's optimizer is RMSprop/);
  warn.mockRestore();
});

test('a state that Keras wrote for more weights than are trained now is that of all weights', async () => {
  const model = sequential([layers.input([2]), layers.dense(3), layers.dense(2)]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  await model.trainOnBatch([[1, 2]], [[3, 4]]);
  const file = await readHdf5(await model.toBytes('weights.h5'), 'x', []);
  model.layers[0].trainable = false;
  const before = await slots(model);
  await model.trainOnBatch([[1, 2]], [[3, 4]]);
  // Keras writes no attribute of ours.
  await model.loadWeights(writeHdf5(file));
  expect(await slots(model)).toEqual(before);
});

describe('weights of inner models in .h5', () => {
  const make = () =>
    sequential([
      sequential([
        layers.input([1]),
        layers.dense({ units: 1, useBias: false }),
        layers.dense({ units: 1, useBias: false }),
      ]),
    ]);
  const values = (model: Model): Promise<unknown> =>
    Promise.all(model.weights.map((weight) => weight.array()));

  test('stay in their places, whatever is frozen in the file or in the model', async () => {
    for (const [there, here] of [
      [0, null],
      [null, 0],
      [0, 0],
      [1, 0],
    ]) {
      const [model, other] = [make(), make()];
      if (there !== null) model.layers[0].layers[there].trainable = false;
      if (here !== null) other.layers[0].layers[here].trainable = false;
      await model.setWeights([[[1]], [[2]]]);
      const bytes = await model.toBytes('h5');
      await other.loadWeights(bytes);
      expect(await values(other)).toEqual([[[1]], [[2]]]);
      expect(await values(await loadModel(bytes))).toEqual([[[1]], [[2]]]);
    }
  });

  test('are found by their names in a file that describes no model', async () => {
    const model = make();
    model.layers[0].layers[0].trainable = false;
    await model.setWeights([[[1]], [[2]]]);
    const file = await readHdf5(await model.toBytes('h5'), 'x', ['layer_names', 'weight_names']);
    model.layers[0].layers[0].trainable = true;
    await model.setWeights([[[0]], [[0]]]);
    await model.loadWeights(writeHdf5(file));
    expect(await values(model)).toEqual([[[1]], [[2]]]);
  });

  test('of one name in one layer are two', async () => {
    const pair = () =>
      layers.custom({
        className: 'Pair',
        build() {
          this.addWeight('w', [1], 'zeros');
          this.addWeight('w', [1], 'ones');
        },
        call: (x) => x,
      });
    for (const format of ['h5', 'keras', 'weights.h5', 'safetensors'] as const) {
      const [model, other] = [pair(), pair()].map((layer) => sequential([layers.input([1]), layer]));
      await model.setWeights([[3], [4]]);
      await other.loadWeights(await model.toBytes(format));
      expect(await values(other)).toEqual([[3], [4]]);
    }
  });
});

test('names that HDF5 cannot hold are refused by save, and by no other format', async () => {
  for (const name of ['.', '..', '../x', 'a//b', 'a\0b', '\ud800']) {
    const model = sequential([layers.input([1]), layers.dense(1, { name })]);
    await expect(model.toBytes('h5')).rejects.toThrow(ConfigError);
    await expect(model.toBytes('h5')).rejects.toThrow(/HDF5 files cannot hold a layer or weight at/);
    expect((await loadModel(await model.toBytes('keras'))).layers[0].name).toBe(name);
  }
  const both = sequential([
    layers.input([1]),
    layers.custom({
      className: 'Clash',
      build() {
        this.addWeight('a', [1], 'ones');
        this.addWeight('a/b', [1], 'ones');
      },
      call: (x) => x,
    }),
  ]);
  await expect(both.toBytes('h5')).rejects.toThrow(/inside of the weight at/);
});

describe('F47 weights that do not fit change nothing', () => {
  test.each(['weights.h5', 'safetensors', 'keras', 'h5'] as const)('%s', async (format) => {
    const bytes = await garments('adam', 7).toBytes(format);
    const model = garments('adam', 6);
    const before = await bits(model);
    await expect(model.loadWeights(bytes)).rejects.toThrow(ShapeError);
    await expect(model.loadWeights(bytes)).rejects.toThrow(
      /layer dense\w* expects kernel \[4, 6\]; found \[4, 7\]/,
    );
    expect(await bits(model)).toEqual(before);
  });

  test.each(['weights.h5', 'safetensors', 'h5'] as const)('%s with a layer more or less', async (format) => {
    const small = sequential([layers.input([4]), layers.dense(6)]);
    const large = garments('adam', 6);
    const [s, l] = [await small.toBytes(format), await large.toBytes(format)];
    await expect(small.loadWeights(l)).rejects.toThrow(ShapeError);
    await expect(large.loadWeights(s)).rejects.toThrow(ShapeError);
  });
});

describe('refusals', () => {
  test('names that say no format, or that of the other function', async () => {
    const model = garments();
    await expect(model.save('model.txt')).rejects.toThrow(/ends with \.keras, \.h5, \.json/);
    await expect(model.save('model.weights.h5')).rejects.toThrow(/written by saveWeights/);
    await expect(model.saveWeights('model.keras')).rejects.toThrow(/written by save\./);
    await expect(model.save('x', { format: 'pickle' as never })).rejects.toThrow(ConfigError);
    await expect(model.save(7 as never)).rejects.toThrow(/target is 7/);
  });

  test('sources that are none', async () => {
    await expect(loadModel(7 as never)).rejects.toThrow(ConfigError);
    await expect(loadModel([])).rejects.toThrow(ConfigError);
    await expect(loadModel(new Uint8Array(0))).rejects.toThrow(FormatError);
    await expect(loadModel('no/such/model.keras')).rejects.toThrow(LoadError);
    await expect(loadModel(await garments().toBytes('weights.h5'))).rejects.toThrow(/loadWeights/);
  });
});
