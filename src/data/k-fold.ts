/**
 * Cross-validation folds, the very rows of scikit-learn's `KFold` and `StratifiedKFold`.
 *
 * Source: sklearn/model_selection/_split.py.
 */

import { counting } from '../base/counting.ts';
import { ConfigError, ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { groupByLabel, type Labels } from './labels.ts';
import { RandomState } from './random-state.ts';
import { type Rows, rowCount } from './rows.ts';

export interface KFoldOptions {
  /** Number of folds, at least 2; 5 unless given. */
  readonly nSplits?: number;
  /** Whether rows are shuffled before they are dealt; false unless given. */
  readonly shuffle?: boolean;
  /** Seed from 0 to 2³² − 1, as in NumPy, for `shuffle`; another each time unless given. */
  readonly randomState?: number;
}

/** Places of rows, ascending. */
export interface Fold {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

abstract class Folds {
  readonly nSplits: number;
  readonly shuffle: boolean;
  readonly randomState: number | undefined;

  constructor(options?: KFoldOptions) {
    const { name } = new.target;
    const known = ['nSplits', 'shuffle', 'randomState'] as const;
    const { nSplits = 5, shuffle = false, randomState } = knownOptions<KFoldOptions>(name, options, known);
    if (!Number.isInteger(nSplits) || nSplits < 2) {
      throw new ValueError(`${name}: nSplits is ${nSplits}, expected a whole number from 2.`);
    }
    if (!shuffle && randomState !== undefined) {
      throw new ConfigError(`${name}: randomState has no effect without shuffle. Give { shuffle: true }.`);
    }
    this.nSplits = nSplits;
    this.shuffle = shuffle;
    this.randomState = randomState;
  }

  /** The generator of one call of `split`: calls with the same seed give the same folds. */
  protected random(): RandomState {
    return new RandomState(this.randomState ?? Math.floor(Math.random() * 2 ** 32));
  }

  /** Each row's fold → the folds. */
  protected *deal(foldOf: Uint32Array): Generator<Fold, void, undefined> {
    for (let fold = 0; fold < this.nSplits; fold++) {
      const places = Uint32Array.from(foldOf.keys());
      yield {
        train: places.filter((place) => foldOf[place] !== fold),
        test: places.filter((place) => foldOf[place] === fold),
      };
    }
  }

  protected checkCount(count: number): void {
    if (count >= this.nSplits) return;
    throw new ValueError(`${this.constructor.name}: ${count} rows do not make ${this.nSplits} folds.`);
  }
}

/**
 * Cuts rows into folds of equal size (the first ones are longer by one where it does not come out even); each
 * is the test part once.
 *
 * ```ts
 * for (const { train, test } of new data.KFold({ nSplits: 5 }).split(x)) {
 *   console.log(data.take(x, train), data.take(x, test));
 * }
 * ```
 */
export class KFold extends Folds {
  /** The folds of as many rows as `x` has. Throws ValueError when there are fewer rows than folds. */
  split(x: Rows): Generator<Fold, void, undefined> {
    const count = rowCount(x);
    this.checkCount(count);
    const order = counting(count);
    if (this.shuffle) this.random().shuffle(order);
    const foldOf = new Uint32Array(count);
    const size = Math.floor(count / this.nSplits);
    const longer = count % this.nSplits;
    order.forEach((place, i) => {
      const inLonger = longer * (size + 1);
      foldOf[place] = i < inLonger ? Math.floor(i / (size + 1)) : longer + Math.floor((i - inLonger) / size);
    });
    return this.deal(foldOf);
  }
}

/**
 * As KFold, but each fold has each class's share of the rows.
 *
 * ```ts
 * for (const { train, test } of new data.StratifiedKFold({ nSplits: 5 }).split(x, y)) {
 *   console.log(data.take(y, train), data.take(y, test));
 * }
 * ```
 */
export class StratifiedKFold extends Folds {
  /**
   * The folds of rows `x` of the classes `y`, [n]. Throws ValueError when every class has fewer rows than there are
   * folds, ShapeError when x and y differ in number.
   */
  split(x: Rows, y: Labels): Generator<Fold, void, undefined> {
    const { count, places } = groupByLabel(y, 'appearance', 'StratifiedKFold');
    const { nSplits } = this;
    if (rowCount(x) !== count) {
      throw new ShapeError(
        `StratifiedKFold: ${rowCount(x)} rows and ${count} labels, expected as many of both.`,
      );
    }
    this.checkCount(count);
    if (places.every((group) => group.length < nSplits)) {
      throw new ValueError(`StratifiedKFold: every class has fewer than ${nSplits} rows.`);
    }
    const random = this.random();
    const foldOf = new Uint32Array(count);
    // With the rows sorted by class, every nSplits-th one goes to the same fold: so many of each class.
    let first = 0;
    for (const group of places) {
      const start = first;
      const sizes = Array.from({ length: nSplits }, (_, fold) =>
        Math.max(
          0,
          Math.ceil((start + group.length - fold) / nSplits) -
            Math.max(0, Math.ceil((start - fold) / nSplits)),
        ),
      );
      const folds = Uint32Array.from(sizes.flatMap((size, fold) => Array<number>(size).fill(fold)));
      if (this.shuffle) random.shuffle(folds);
      group.forEach((place, i) => {
        foldOf[place] = folds[i];
      });
      first += group.length;
    }
    return this.deal(foldOf);
  }
}
