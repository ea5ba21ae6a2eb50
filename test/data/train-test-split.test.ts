import { describe, expect, test } from 'vitest';
import { ShapeError, ValueError } from '../../src/base/errors.ts';
import { splitIndices, trainTestSplit } from '../../src/data/train-test-split.ts';

// The golden values were printed by sklearn.model_selection.train_test_split.
describe('trainTestSplit picks the rows that scikit-learn picks', () => {
  test('10 rows, seed 42', () => {
    const rows = Array.from({ length: 10 }, (_, i) => i);
    const [train, held] = trainTestSplit(rows, { randomState: 42 });
    expect(train).toEqual([0, 7, 2, 9, 4, 3, 6]);
    expect(held).toEqual([8, 1, 5]);
  });

  test('60,000 rows, a fifth for testing, seed 42', () => {
    const { train, test: held } = splitIndices(60_000, { testSize: 0.2, randomState: 42 });
    expect([train.length, held.length]).toEqual([48_000, 12_000]);
    expect([...train.slice(0, 3)]).toEqual([48572, 38696, 13611]);
    expect([...held.slice(0, 3)]).toEqual([12628, 37730, 39991]);
  });
});

describe('sizes', () => {
  const sizes = (count: number, options: object) => {
    const { train, test: held } = splitIndices(count, { randomState: 0, ...options });
    return [train.length, held.length];
  };

  test('a share for testing is rounded up, a share for training down', () => {
    expect(sizes(10, { testSize: 0.25 })).toEqual([7, 3]);
    expect(sizes(10, { trainSize: 0.75 })).toEqual([7, 3]);
    expect(sizes(11, { testSize: 0.3, trainSize: 0.5 })).toEqual([5, 4]);
  });

  test('whole numbers are numbers of rows', () => {
    expect(sizes(10, { testSize: 4 })).toEqual([6, 4]);
    expect(sizes(10, { trainSize: 4, testSize: 2 })).toEqual([4, 2]);
  });

  test('sizes that leave nothing, or ask for too much, are refused', () => {
    for (const options of [
      { testSize: 0 },
      { testSize: 1.5 },
      { testSize: -0.1 },
      { testSize: 10 },
      { trainSize: Number.NaN },
    ]) {
      expect(() => sizes(10, options)).toThrow(ValueError);
    }
    expect(() => sizes(1, {})).toThrow(ValueError);
    expect(() => sizes(10, { testSize: 0.6, trainSize: 0.6 })).toThrow('more than the 10 there are');
  });
});

describe('every kind of rows', () => {
  const options = { testSize: 0.5, shuffle: false };
  test('typed arrays, arrays with a shape and labelled images keep their kind and stay aligned', () => {
    const x = { data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), shape: [4, 2] };
    const y = Uint8Array.of(5, 6, 7, 8);
    const [xTrain, xTest, yTrain, yTest] = trainTestSplit(x, y, options);
    expect(xTrain).toEqual({ data: Float32Array.of(0, 1, 2, 3), shape: [2, 2] });
    expect(xTest).toEqual({ data: Float32Array.of(4, 5, 6, 7), shape: [2, 2] });
    expect(yTrain).toEqual(Uint8Array.of(5, 6));
    expect(yTest).toEqual(Uint8Array.of(7, 8));
    const set = {
      images: Uint8Array.of(1, 2, 3, 4),
      labels: Uint8Array.of(0, 1),
      count: 2,
      height: 1,
      width: 2,
    };
    const [train, held] = trainTestSplit(set, options);
    expect(train).toEqual({
      images: Uint8Array.of(1, 2),
      labels: Uint8Array.of(0),
      count: 1,
      height: 1,
      width: 2,
    });
    expect(held.images).toEqual(Uint8Array.of(3, 4));
  });

  test('arrays of different length are refused', () => {
    expect(() => trainTestSplit([1, 2, 3], [1, 2], options)).toThrow(ShapeError);
    expect(() => trainTestSplit(options as never)).toThrow(ValueError);
  });

  test('without a seed each split is another', () => {
    const rows = Array.from({ length: 100 }, (_, i) => i);
    expect(trainTestSplit(rows)[0]).not.toEqual(trainTestSplit(rows)[0]);
  });
});
