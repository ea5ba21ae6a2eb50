/** scikit-learn's `cross_validate`. */
import { ConfigError } from '../../base/errors.ts';
import { type Fold, StratifiedKFold } from '../../data/k-fold.ts';
import type { Labels } from '../../data/labels.ts';
import type { Rows } from '../../data/rows.ts';
import { describe, readOptions } from '../names.ts';
import { flatLabels } from './class-numbers.ts';
import type { SampleRows } from './sgd-classifier.ts';

/** What can be cross-validated. */
export interface Estimator {
  /** A trained copy for each list of rows of x and y. */
  fitEach(x: SampleRows, y: Labels, lists: readonly ArrayLike<number>[]): Promise<Estimator[]>;
  /** How good it is on these rows of x and y. */
  score(x: SampleRows, y: Labels, rows: ArrayLike<number>): Promise<number>;
}

/** Anything with folds: `KFold`, `StratifiedKFold`, or your own. */
export interface Splitter {
  split(x: Rows, y: Labels): Iterable<Fold>;
}

export interface CrossValidateOptions {
  /** Folds: their number, for `StratifiedKFold` without shuffling, or a splitter. 5 unless given. */
  cv?: number | Splitter;
  /** Whether each fold's training rows are scored too; false unless given. */
  returnTrainScore?: boolean;
}

export interface CrossValidation {
  /** Seconds of training for each fold. Folds that are trained together have equal shares of the time. */
  readonly fitTime: number[];
  /** Seconds of scoring the test rows. */
  readonly scoreTime: number[];
  readonly testScore: number[];
  readonly trainScore?: number[];
}

/**
 * Trains on all folds but one and tests on that one, for each fold in turn. All folds are trained at once.
 *
 * x: [n, features]; y: [n]. The folds are those of scikit-learn's `cross_validate`.
 *
 * ```ts
 * const { testScore } = await crossValidate(sgdClassifier({ randomState: 42 }), x, labels, { cv: 5 });
 * ```
 */
export async function crossValidate(
  estimator: Estimator,
  x: SampleRows,
  y: Labels,
  options?: CrossValidateOptions,
): Promise<CrossValidation> {
  const { cv, returnTrainScore } = readOptions('crossValidate', options, {
    cv: 5 as number | Splitter,
    returnTrainScore: false,
  });
  if (typeof estimator?.fitEach !== 'function')
    throw new ConfigError(
      `crossValidate: the estimator is ${describe(estimator)}; expected one with fitEach and score, such as sgdClassifier().`,
    );
  const splitter: Splitter = typeof cv === 'number' ? new StratifiedKFold({ nSplits: cv }) : cv;
  const folds = [...splitter.split(Array.from(flatLabels(y)), y)];
  const began = performance.now();
  const trained = await estimator.fitEach(
    x,
    y,
    folds.map(({ train }) => train),
  );
  const fitTime = folds.map(() => (performance.now() - began) / 1000 / folds.length);
  const scoreTime: number[] = [];
  const testScore: number[] = [];
  const trainScore: number[] = [];
  for (const [i, one] of trained.entries()) {
    const start = performance.now();
    testScore.push(await one.score(x, y, folds[i].test));
    scoreTime.push((performance.now() - start) / 1000);
    if (returnTrainScore) trainScore.push(await one.score(x, y, folds[i].train));
  }
  return { fitTime, scoreTime, testScore, ...(returnTrainScore && { trainScore }) };
}
