import { describe, expect, test } from 'vitest';
import { ConfigError, ShapeError, ValueError } from '../../src/base/errors.ts';
import { KFold, type KFoldOptions, StratifiedKFold } from '../../src/data/k-fold.ts';
import type { Labels } from '../../src/data/labels.ts';
import { RandomState } from '../../src/data/random-state.ts';
import { type SplitOptions, splitIndices, trainTestSplit } from '../../src/data/train-test-split.ts';
import recorded from './fixtures/sklearn.json';

/** Python's None is an option that was not given. */
const options = <T>(given: object): T =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as T;

describe('rows are those of scikit-learn', () => {
  recorded.stratify.forEach(({ y, train, test: held, ...rest }, i) => {
    test(`in stratified split ${i}: ${y.length} rows`, () => {
      const parts = splitIndices(y.length, { ...options<SplitOptions>(rest), stratify: y as Labels });
      expect([...parts.train]).toEqual(train);
      expect([...parts.test]).toEqual(held);
    });
  });

  const places = (folds: Iterable<{ train: Uint32Array; test: Uint32Array }>, n: number): number[][] =>
    Array.from(folds, ({ train, test: held }) => {
      expect([...train, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      return [...held];
    });

  recorded.kFold.forEach(({ n, test: held, ...rest }) => {
    test(`in KFold of ${n} rows`, () => {
      const folds = new KFold(options<KFoldOptions>(rest));
      expect(places(folds.split(new Uint8Array(n)), n)).toEqual(held);
    });
  });

  recorded.stratifiedKFold.forEach(({ n, y, test: held, ...rest }, i) => {
    test(`in StratifiedKFold ${i} of ${n} rows`, () => {
      const folds = new StratifiedKFold(options<KFoldOptions>(rest));
      expect(places(folds.split(new Uint8Array(n), y), n)).toEqual(held);
      expect(places(folds.split(new Uint8Array(n), y), n)).toEqual(held); // and again
    });
  });

  test('in randint', () => {
    const random = new RandomState(42);
    for (const [low, high, value] of recorded.randint) expect(random.randint(low, high)).toBe(value);
  });
});

test('a stratified split keeps the share of each class', () => {
  const y = Uint8Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 1 : 0));
  const [train, held] = trainTestSplit(y, { testSize: 0.2, stratify: y });
  const ones = (labels: Uint8Array) => labels.reduce((sum, label) => sum + label, 0);
  expect([ones(train), ones(held)]).toEqual([80, 20]);
});

test('what cannot be stratified or folded is refused', () => {
  const split = (y: Labels, more: object = {}) => splitIndices(6, { stratify: y, ...more });
  expect(() => split([0, 0, 1, 1, 1, 2])).toThrow('the class of sample 5 has no other sample');
  expect(() => split([0, 0, 1, 1])).toThrow(ShapeError);
  expect(() => split([0, 0, 1, 1, 2, 2], { testSize: 2 })).toThrow('one of each of 3 classes');
  expect(() => split([0, 0, 0, 1, 1, 1], { shuffle: false })).toThrow(ConfigError);
  expect(() => split({ data: new Uint8Array(12), shape: [6, 2] })).toThrow(ValueError);
  expect(() => new KFold({ nSplits: 1 })).toThrow(ValueError);
  expect(() => new KFold({ randomState: 1 })).toThrow(ConfigError);
  expect(() => new KFold().split([1, 2, 3, 4])).toThrow('4 rows do not make 5 folds');
  expect(() => new StratifiedKFold({ nSplits: 3 }).split([1, 2, 3, 4], [0, 0, 1, 1])).toThrow(ValueError);
  expect(() => new StratifiedKFold({ nSplits: 2 }).split([1, 2, 3], [0, 0, 1, 1])).toThrow(ShapeError);
});
