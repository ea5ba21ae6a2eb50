import { describe, expect, test } from 'vitest';
import { ValueError } from '../../src/base/errors.ts';
import { RandomState } from '../../src/data/random-state.ts';

// The golden values were printed by numpy.random.RandomState(42).
describe('RandomState(42) gives the numbers that NumPy gives', () => {
  test('words', () => {
    const random = new RandomState(42);
    const words = Array.from({ length: 5 }, () => random.uint32());
    expect(words).toEqual([1608637542, 3421126067, 4083286876, 787846414, 3143890026]);
  });

  test('permutation(10)', () => {
    expect([...new RandomState(42).permutation(10)]).toEqual([8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
  });

  test('permutation(60000) and permutation(70000)', () => {
    const order = new RandomState(42).permutation(60_000);
    expect([...order.slice(0, 5)]).toEqual([12628, 37730, 39991, 8525, 8279]);
    const longer = new RandomState(42).permutation(70_000);
    expect([...longer.slice(0, 4)]).toEqual([46730, 48393, 41416, 34506]);
    expect([...longer.slice(-4)]).toEqual([6265, 54886, 860, 15795]);
  });
});

test('a permutation holds each number once', () => {
  for (const n of [0, 1, 2, 625, 1000]) {
    const order = new RandomState(7).permutation(n);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  }
});

test('seeds that NumPy refuses are refused', () => {
  for (const seed of [-1, 2 ** 32, 0.5, Number.NaN]) expect(() => new RandomState(seed)).toThrow(ValueError);
  expect(() => new RandomState(2 ** 32 - 1)).not.toThrow();
});
