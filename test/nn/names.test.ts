import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { automaticName, camelCase, Names, readOptions, resetNames, snakeCase } from '../../src/nn/names.ts';

describe('a name', () => {
  const names = new Names(
    'loss',
    { sparseCategoricalCrossentropy: 1, meanSquaredError: 2 },
    { mse: 'meanSquaredError' },
  );

  test('means the same in camelCase, snake_case and as a class', () => {
    for (const name of [
      'sparseCategoricalCrossentropy',
      'sparse_categorical_crossentropy',
      'SparseCategoricalCrossentropy',
    ])
      expect(names.get(name, 'compile')).toBe(1);
    expect(names.get('MSE', 'compile')).toBe(2);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'mse2', 7, null, undefined, {}])(
    '%s is unknown, and the message lists what is known',
    (name) => {
      expect(() => names.get(name, 'compile')).toThrow(ConfigError);
      expect(() => names.get(name, 'compile')).toThrow(
        /Known are sparseCategoricalCrossentropy, meanSquaredError/,
      );
    },
  );

  test('goes between the spellings as in Keras', () => {
    expect(['kernel_initializer', 'beta_1', 'units', 'from_logits'].map(camelCase)).toEqual([
      'kernelInitializer',
      'beta1',
      'units',
      'fromLogits',
    ]);
    expect(['Dense', 'BatchNormalization', 'Conv2D', 'InputLayer', 'RMSprop'].map(snakeCase)).toEqual([
      'dense',
      'batch_normalization',
      'conv2d',
      'input_layer',
      'rm_sprop',
    ]);
  });
});

describe('automatic names', () => {
  beforeEach(resetNames);

  test('count from the second on', () => {
    expect([
      automaticName('Dense'),
      automaticName('Dense'),
      automaticName('Flatten'),
      automaticName('Dense'),
    ]).toEqual(['dense', 'dense_1', 'flatten', 'dense_2']);
  });
});

describe('options', () => {
  const defaults = { useBias: true, units: 0 };

  test('are taken in either spelling, over the defaults', () => {
    expect(readOptions('dense', { use_bias: false }, defaults)).toEqual({ useBias: false, units: 0 });
    expect(readOptions('dense', { useBias: false, units: 3 }, defaults)).toEqual({
      useBias: false,
      units: 3,
    });
    expect(readOptions('dense', undefined, defaults)).toEqual(defaults);
    expect(readOptions('dense', { units: undefined }, defaults)).toEqual(defaults);
  });

  test.each([{ unit: 3 }, JSON.parse('{"__proto__": 1}'), { constructor: 1 }])(
    '%o has an unknown one',
    (given) => {
      expect(() => readOptions('dense', given, defaults)).toThrow(ConfigError);
    },
  );

  test('are not given twice', () => {
    expect(() => readOptions('dense', { useBias: true, use_bias: false }, defaults)).toThrow(/two spellings/);
  });
});
