/** Keras's policy 'mixed_float16': products of f16, everything else as before. */
import { expect, test } from 'vitest';
import { layers, Sequential, sequential, tensor } from '../../src/index.ts';
import { roundToHalf } from '../../src/ops/half.ts';
import { syntheticImages } from '../training/models.ts';

const mixed = { dtype: 'mixed_float16' };

test('a dense layer multiplies rounded inputs by a rounded kernel, and adds its bias in f32', async () => {
  const x = [0.1, -0.7, 3.3];
  const kernel = [1 / 3, 0.2, -1.7];
  const bias = 0.123456789;
  const dense = layers.dense(1, mixed);
  dense.buildFor([null, 3]);
  dense.kernel!.assign(tensor(kernel, { shape: [3, 1] }));
  dense.bias!.assign(tensor([bias]));
  const [y] = await dense.apply(tensor([x])).data();
  const rounded = x.reduce((sum, one, i) => sum + roundToHalf(one) * roundToHalf(kernel[i]), 0) + bias;
  // Either neighbour is a right rounding; all three factors are off by at most 2⁻¹⁰.
  const size = x.reduce((sum, one, i) => sum + Math.abs(one * kernel[i]), 0);
  expect(Math.abs(y - rounded)).toBeLessThanOrEqual(2 ** -9 * size);
  // A single product with 1 shows the rounding bare.
  dense.kernel!.assign(tensor([1, 0, 0], { shape: [3, 1] }));
  dense.bias!.assign(tensor([0]));
  const [bare] = await dense.apply(tensor([x])).data();
  expect(bare).not.toBe(Math.fround(x[0]));
  expect(roundToHalf(bare)).toBe(bare);
  dense.bias!.assign(tensor([bias]));
  expect(await dense.bias!.item()).toBe(Math.fround(bias));
  expect(dense.kernel!.dtype).toBe('f32');
});

test('the policy is saved with a model and found again', () => {
  const model = sequential([layers.input([4]), layers.dense(3, mixed), layers.dense(2)]);
  const copy = Sequential.fromConfig(model.getConfig());
  expect(copy.layers.filter(({ className }) => className === 'Dense').map(({ dtype }) => dtype)).toEqual([
    'mixed_float16',
    'float32',
  ]);
});

test('an unknown policy is refused with the known ones', () => {
  expect(() => layers.dense(3, { dtype: 'bfloat16' })).toThrow(/bfloat16.*'float32' or 'mixed_float16'/);
  expect(() => layers.dense(3, { dtype: 'constructor' })).toThrow(/'float32' or 'mixed_float16'/);
});

test('training reaches what it reaches in f32', async () => {
  const images = syntheticImages(320, 3);
  const accuracies: number[] = [];
  for (const dtype of ['float32', 'mixed_float16']) {
    const model = sequential([
      layers.input([784]),
      layers.rescaling(1 / 255),
      layers.dense(32, { activation: 'relu', dtype }),
      layers.dense(10, { activation: 'softmax', dtype }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    const { history } = await model.fit(
      tensor(images.bytes, { shape: [images.rows, 784] }),
      tensor(images.labels),
      { batchSize: 32, epochs: 6, verbose: 0 },
    );
    accuracies.push(history.accuracy.at(-1)!);
  }
  expect(accuracies[0]).toBeGreaterThan(0.9);
  expect(Math.abs(accuracies[1] - accuracies[0])).toBeLessThan(0.05);
});
