import { beforeEach, describe, expect, test } from 'vitest';
import { initializers, layers, resetNames, sequential, setRandomSeed } from '../../src/index.ts';
import { fans, type Initializer } from '../../src/nn/initializers/initializer.ts';
import { resolveInitializer } from '../../src/nn/initializers/resolve.ts';
import { initializerNumbers, shuffledOrder } from '../../src/nn/seeds.ts';

const shape = [300, 200];
const mean = (x: Float32Array) => x.reduce((sum, one) => sum + one, 0) / x.length;
const deviation = (x: Float32Array) => {
  const m = mean(x);
  return Math.sqrt(x.reduce((sum, one) => sum + (one - m) ** 2, 0) / x.length);
};

describe('initial values', () => {
  const seed = { seed: 5 };
  const { glorotUniform, glorotNormal, heUniform, heNormal, lecunUniform, lecunNormal } = initializers;
  test.each([
    ['glorotUniform', glorotUniform(seed), Math.sqrt(2 / 500), Math.sqrt(6 / 500)],
    ['glorotNormal', glorotNormal(seed), Math.sqrt(2 / 500), (2 * Math.sqrt(2 / 500)) / 0.87962566103423978],
    ['heUniform', heUniform(seed), Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ['heNormal', heNormal(seed), Math.sqrt(2 / 300), (2 * Math.sqrt(2 / 300)) / 0.87962566103423978],
    ['lecunUniform', lecunUniform(seed), Math.sqrt(1 / 300), Math.sqrt(3 / 300)],
    ['lecunNormal', lecunNormal(seed), Math.sqrt(1 / 300), (2 * Math.sqrt(1 / 300)) / 0.87962566103423978],
    ['randomUniform', initializers.randomUniform({ ...seed, minval: -2, maxval: 2 }), 4 / Math.sqrt(12), 2],
    ['randomNormal', initializers.randomNormal({ ...seed, stddev: 0.5 }), 0.5, 4],
    ['truncatedNormal', initializers.truncatedNormal({ ...seed, stddev: 0.5 }), 0.5 * 0.87962566103423978, 1],
  ] as [string, Initializer, number, number][])(
    '%s have mean 0, the right deviation and stay within their limit',
    (_, initializer, wanted, limit) => {
      const values = initializer.values(shape);
      expect(Math.abs(mean(values))).toBeLessThan(0.02 * wanted);
      expect(Math.abs(deviation(values) / wanted - 1)).toBeLessThan(0.01);
      expect(values.every((value) => Math.abs(value) <= limit * (1 + 1e-6))).toBe(true);
      expect(Math.max(...values)).toBeGreaterThan(0.97 * Math.min(limit, 3.5 * wanted));
    },
  );

  test('the limit of a 784 by 128 kernel is that of Keras', () => {
    const values = glorotUniform(seed).values([784, 128]);
    expect(Math.max(...values)).toBeCloseTo(0.0811107, 4);
  });

  test('constants are what they say', () => {
    expect([...initializers.zeros().values([2])]).toEqual([0, 0]);
    expect([...initializers.ones().values([2])]).toEqual([1, 1]);
    expect([...initializers.constant(0.5).values([2])]).toEqual([0.5, 0.5]);
    expect([...initializers.identity().values([2, 3])]).toEqual([1, 0, 0, 0, 1, 0]);
  });

  test('fans follow Keras, also for windows', () => {
    expect([fans([]), fans([7]), fans([3, 4]), fans([3, 3, 16, 32])]).toEqual([
      [1, 1],
      [7, 7],
      [3, 4],
      [144, 288],
    ]);
  });

  test('an own seed gives the same values each time; without one the place decides', () => {
    expect(glorotUniform(seed).values([4])).toEqual(glorotUniform(seed).values([4]));
    expect(glorotUniform(seed).values([4])).not.toEqual(glorotUniform({ seed: 6 }).values([4]));
    expect(glorotUniform().values([4], 3)).toEqual(glorotUniform().values([4], 3));
    expect(glorotUniform().values([4], 3)).not.toEqual(glorotUniform().values([4], 4));
    expect(glorotUniform().values([4], 3, 0)).not.toEqual(glorotUniform().values([4], 3, 1));
    expect(glorotUniform().values([4])).not.toEqual(glorotUniform().values([4]));
    expect(initializerNumbers(1, 2).word()).not.toBe(initializerNumbers(2, 2).word());
  });

  test('are found by any of their names, or made from a description or a function', () => {
    for (const name of ['glorotUniform', 'glorot_uniform', 'GlorotUniform'])
      expect(resolveInitializer(name, 'dense').className).toBe('GlorotUniform');
    const described = {
      className: 'VarianceScaling',
      config: { scale: 2, mode: 'fan_in', distribution: 'normal' },
    };
    expect(resolveInitializer(described, 'dense').config).toMatchObject({
      mode: 'fanIn',
      distribution: 'truncatedNormal',
    });
    const halves = resolveInitializer(([n]: number[]) => new Float32Array(n).fill(0.5), 'dense');
    expect([...halves.values([2])]).toEqual([0.5, 0.5]);
    expect(() => resolveInitializer(() => [1], 'dense').values([2])).toThrow(/1 values for shape \[2\]/);
    expect(() => resolveInitializer('constructor', 'dense')).toThrow(/Known are zeros, ones/);
    expect(() => initializers.randomUniform({ minval: 1, maxval: 0 })).toThrow(/maxval/);
  });
});

describe('a model begins', () => {
  beforeEach(resetNames);
  const kernels = async (hidden: number) => {
    setRandomSeed(1);
    const model = sequential([layers.input([3]), layers.dense(hidden), layers.dropout(0.5), layers.dense(4)]);
    return Promise.all(model.getWeights().map((weight) => weight.data()));
  };

  test('with the same weights each time under one seed, and with different ones in each layer', async () => {
    const [first, , second] = await kernels(3);
    expect(await kernels(3)).toEqual(await kernels(3));
    expect(first).not.toEqual(second.subarray(0, 9));
  });
});

describe('the order of an epoch', () => {
  test('is a permutation, and a function of seed and epoch', () => {
    const order = shuffledOrder(1000, 7, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffledOrder(1000, 7, 0)).toEqual(order);
    expect(shuffledOrder(1000, 7, 1)).not.toEqual(order);
    expect(shuffledOrder(1000, 8, 0)).not.toEqual(order);
  });
});
