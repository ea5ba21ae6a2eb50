import { describe, expect, test } from 'vitest';
import { AxisError, ShapeError, ValueError } from '../../src/base/errors.ts';
import { normalize } from '../../src/data/normalize.ts';
import { take } from '../../src/data/rows.ts';
import { toCategorical } from '../../src/data/to-categorical.ts';

describe('toCategorical', () => {
  test('makes one-hot rows, as many columns as the largest label needs', () => {
    const { data, shape } = toCategorical([0, 2, 1]);
    expect(shape).toEqual([3, 3]);
    expect([...data]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0]);
    expect(toCategorical(Uint8Array.of(1), 4)).toEqual({ data: Float32Array.of(0, 1, 0, 0), shape: [1, 4] });
    expect(toCategorical([]).shape).toEqual([0, 0]);
  });

  test('names the position of a label that is none', () => {
    for (const bad of [10, -1, 2 ** 31, Number.NaN, 0.5]) {
      expect(() => toCategorical([3, bad], 10)).toThrow(ValueError);
      expect(() => toCategorical([3, bad], 10)).toThrow(`label ${bad} at position 1`);
    }
  });
});

describe('normalize', () => {
  test('scales vectors along the axis to length 1 and leaves zeros alone', () => {
    const x = { data: [3, 4, 0, 0], shape: [2, 2] };
    expect([...normalize(x).data]).toEqual([...Float32Array.of(0.6, 0.8, 0, 0)]);
    expect([...normalize(x, 0).data]).toEqual([1, 1, 0, 0]);
  });

  test('refuses axes and shapes that do not fit', () => {
    expect(() => normalize({ data: [1], shape: [1] }, 1)).toThrow(AxisError);
    expect(() => normalize({ data: [1, 2, 3], shape: [2, 2] })).toThrow(ShapeError);
  });
});

describe('take', () => {
  test('copies rows in the order asked for, also twice', () => {
    expect(take(['a', 'b', 'c'], [2, 0, 2])).toEqual(['c', 'a', 'c']);
    expect(take(Int32Array.of(5, 6, 7), Uint32Array.of(1))).toEqual(Int32Array.of(6));
  });

  test('names the place that is not there', () => {
    for (const bad of [3, -1, 0.5, Number.NaN]) {
      expect(() => take(['a', 'b', 'c'], [0, bad])).toThrow(`place ${bad} at position 1, expected 0 to 2`);
    }
    expect(() => take({ data: Uint8Array.of(1, 2, 3), shape: [2, 2] }, [0])).toThrow(ShapeError);
  });
});
