import { describe, expect, test } from 'vitest';
import { ValueError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/data/download.ts';
import { garments } from '../../src/data/garments/index.ts';

const { train, test: held, ...about } = garments({ train: 500, test: 200, seed: 3 });

describe('garments', () => {
  test('say what they are', () => {
    expect(about.synthetic).toBe(true);
    expect(about.source).toBe('built-in generator, seed 3');
    expect(about.classNames).toHaveLength(10);
    expect([train.count, train.height, train.width]).toEqual([500, 28, 28]);
    expect([train.images.length, train.labels.length]).toEqual([500 * 784, 500]);
  });

  test('the same seed draws the same bytes on every machine and in every browser', async () => {
    expect(await sha256(train.images)).toBe(
      '0525c3f59b8ccdc77499219d92f2167a0af65c90f591a7b3971d3f13691631a6',
    );
  });

  test('every class comes once in every ten pictures', () => {
    for (let i = 0; i < 500; i += 10) {
      expect([...train.labels.subarray(i, i + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  test('a smaller set is the beginning of a larger one', () => {
    const smaller = garments({ train: 37, test: 1, seed: 3 });
    expect(smaller.train.images).toEqual(train.images.slice(0, 37 * 784));
    expect(smaller.train.labels).toEqual(train.labels.slice(0, 37));
  });

  test('no picture comes twice, neither in training nor in testing nor under another seed', () => {
    const other = garments({ train: 200, test: 1, seed: 4 });
    const seen = new Set<string>();
    for (const { images, count } of [train, held, other.train]) {
      for (let i = 0; i < count; i++) seen.add(images.subarray(i * 784, i * 784 + 784).join());
    }
    expect(seen.size).toBe(500 + 200 + 200);
  });

  test('a garment fills a fair part of its picture, light on black', () => {
    for (let i = 0; i < train.count; i++) {
      const picture = train.images.subarray(i * 784, i * 784 + 784);
      const cloth = picture.filter((value) => value > 0).length / 784;
      expect(cloth).toBeGreaterThan(0.04);
      expect(cloth).toBeLessThan(0.9);
      expect(Math.max(...picture)).toBeGreaterThan(30);
    }
  });

  test('sizes and seeds that make no sense are refused', () => {
    for (const bad of [0, -1, 1.5, Number.NaN, 1e9])
      expect(() => garments({ train: bad })).toThrow(ValueError);
    expect(() => garments({ seed: 0.5 })).toThrow(ValueError);
  });
});
