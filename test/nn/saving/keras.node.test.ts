/** Files of real Keras and TensorFlow.js, both ways; scripts/keras-check/ made and judged them. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { labels, makeModel, samples } from '../../../scripts/keras-check/model.js';
import { readZip } from '../../../src/data/zip.ts';
import * as weft from '../../../src/index.ts';
import { readHdf5, writeHdf5 } from '../../../src/nn/saving/hdf5.ts';

const { init, loadModel } = weft;
const fixture = (name: string): string => new URL(`fixtures/${name}`, import.meta.url).pathname;
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(fixture(name)));
const json = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

const largestDifference = (a: ArrayLike<number>, b: readonly number[]): number => {
  expect(a.length).toBe(b.length);
  return Math.max(...b.map((x, i) => Math.abs(x - a[i])));
};

async function predictions(model: weft.Model, x: number[][][] = samples): Promise<ArrayLike<number>> {
  return (await model.predict(x, { verbose: 0 })).data();
}

beforeAll(async () => {
  await init({ seed: 42 });
});

describe('what Keras wrote', () => {
  const optimizers = ['adam', 'rmsprop', 'sgd', 'adamw', 'adagrad', 'schedule'];

  test.each(optimizers)(
    'a .keras file with %s predicts the same, and trains on as in Keras',
    async (name) => {
      const { samples: x, labels: y, ...expected } = json(`from-keras-${name}.expected.json`);
      const model = await loadModel(fixture(`from-keras-${name}.keras`));
      expect(largestDifference(await predictions(model, x), expected.predictions.flat())).toBeLessThan(1e-6);
      expect(await model.optimizer.iterations.item()).toBe(3);
      const { loss } = await model.trainOnBatch(x, y);
      expect(loss).toBeCloseTo(expected.loss, 5);
      expect(largestDifference(await predictions(model, x), expected.after.flat())).toBeLessThan(2e-6);
    },
  );

  test.each([
    'from-keras.weights.h5',
    'from-keras.safetensors',
    'packed.weights.h5',
    'from-keras.h5',
    'from-keras-adam.keras',
  ])('the weights in %s go into a model that is there', async (name) => {
    const { samples: x, predictions: expected } = json('from-keras-adam.expected.json');
    const model = await loadModel(fixture('from-keras-adam.keras'));
    await model.setWeights(model.weights.map(({ size }) => new Float32Array(size)));
    await model.loadWeights(fixture(name));
    expect(largestDifference(await predictions(model, x), expected.flat())).toBeLessThan(1e-6);
  });

  test.each(['from-keras.h5', 'keras2-dialect.h5', 'from-keras-dropout.keras', 'from-tfjs.json'])(
    '%s predicts the same and can be trained',
    async (name) => {
      const stem = name === 'from-keras.h5' ? 'from-keras-adam' : name.replace(/\.\w+$/, '');
      const { samples: x, labels: y, predictions: expected } = json(`${stem}.expected.json`);
      const model = await loadModel(fixture(name));
      expect(largestDifference(await predictions(model, x), expected.flat())).toBeLessThan(1e-6);
      // TensorFlow.js saves no more than the architecture, unless it is asked to.
      if (name === 'from-tfjs.json')
        model.compile({ loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      expect(await model.trainOnBatch(x, y)).toMatchObject({
        loss: expect.any(Number),
        accuracy: expect.any(Number),
      });
    },
  );
});

test('weights alone in the older layout are found at the root', async () => {
  const { groups, arrays } = await readHdf5(bytesOf('keras2-dialect.h5'), 'x', [
    'layer_names',
    'weight_names',
  ]);
  const lifted = <T>(all: Map<string, T>): Map<string, T> =>
    new Map(
      [...all]
        .filter(([path]) => path.startsWith('model_weights'))
        .map(([path, one]) => [path.replace(/^model_weights\/?/, ''), one]),
    );
  const bytes = writeHdf5({ groups: lifted(groups), arrays: lifted(arrays) });
  const model = await loadModel(fixture('keras2-dialect.h5'));
  await model.setWeights(model.weights.map(({ size }) => new Float32Array(size)));
  await model.loadWeights(bytes);
  const { samples: x, predictions: expected } = json('keras2-dialect.expected.json');
  expect(largestDifference(await predictions(model, x), expected.flat())).toBeLessThan(1e-6);
  await expect(loadModel(bytes)).rejects.toThrow(/holds weights and no model_config/);
});

describe('what Keras was shown', () => {
  test('is what is written today', async () => {
    const model = await makeModel(weft);
    // The model inside is the first that is made.
    for (const one of [model, ...model.layers]) one.randomSeed = 42;
    const wanted = ['weft_state', 'name', 'model_config', 'training_config', 'layer_names', 'weight_names'];
    const [now, then] = await Promise.all(
      [await model.toBytes('keras'), bytesOf('from-weft.keras')].map((bytes) => readZip(bytes, 'x.keras')),
    );
    const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);
    expect([...now.keys()]).toEqual([...then.keys()]);
    expect(text(now.get('config.json'))).toBe(text(then.get('config.json')));
    const tree = (bytes: Uint8Array) => readHdf5(bytes, 'x.h5', wanted);
    expect(await tree(now.get('model.weights.h5')!)).toEqual(await tree(then.get('model.weights.h5')!));
    expect(await tree(await model.toBytes('h5'))).toEqual(await tree(bytesOf('from-weft.h5')));
    expect(await tree(await model.toBytes('weights.h5'))).toEqual(
      await tree(bytesOf('from-weft.weights.h5')),
    );
    expect(await model.toBytes('safetensors')).toEqual(bytesOf('from-weft.safetensors'));
  });

  test.each(['from-weft.keras', 'from-weft.h5', 'from-weft.json'])('%s comes back whole', async (name) => {
    const warn = vi.spyOn(console, 'warn');
    const model = await loadModel(fixture(name));
    const { predictions: expected } = json('from-weft.expected.json');
    expect(largestDifference(await predictions(model), expected.flat())).toBeLessThan(1e-6);
    expect(model.layers.map((layer) => layer.name)).toEqual(
      (await makeModel(weft)).layers.map((layer) => layer.name),
    );
    expect(model.layers.find((layer) => layer.name === 'frozen')?.trainable).toBe(false);
    expect(await model.trainOnBatch(samples, labels)).toHaveProperty('accuracy');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('was found good', () => {
    const { keras, files } = json('verdict.json');
    expect(keras).toMatch(/^3\./);
    for (const name of [
      'from-weft.keras',
      'from-weft-schedule.keras',
      'from-weft.h5',
      'from-weft.weights.h5',
    ])
      expect(files[name].difference).toBeLessThan(1e-6);
  });
});
