/** scikit-learn's `SGDClassifier`, on the engine. */
import { counting } from '../../base/counting.ts';
import { ShapeError, StateError, ValueError } from '../../base/errors.ts';
import type { Labels } from '../../data/labels.ts';
import type { NdArray } from '../../data/nd-array.ts';
import { add, div } from '../../ops/binary.ts';
import { type TensorLike, tensor } from '../../ops/constant.ts';
import { matmul } from '../../ops/matmul.ts';
import { concat, gather, reshape, slice } from '../../ops/movement.ts';
import { sum } from '../../ops/reduce.ts';
import { cast, where } from '../../ops/select.ts';
import { show } from '../../ops/shape.ts';
import { Tensor } from '../../ops/tensor.ts';
import { sigmoid } from '../../ops/unary.ts';
import { flag, numberBetween, oneOf, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { classNumbers, flatLabels, type Label, presentClasses } from './class-numbers.ts';
import { type Problem, type TrainingOptions, trainProblems } from './train.ts';
import { problemSeeds } from './visits.ts';

export interface SgdClassifierOptions {
  /** `'log_loss'`: logistic regression; `'hinge'`: a linear support vector machine. `'hinge'` unless given. */
  loss?: 'hinge' | 'log_loss';
  /** Strength of the L2 penalty, above 0; the learning rate follows from it. 0.0001 unless given. */
  alpha?: number;
  /** Whether there is an intercept; true unless given. */
  fitIntercept?: boolean;
  /** Most epochs; 1000 unless given. */
  maxIter?: number;
  /** Training ends when the mean objective fails to get better by this much, or with null never; 0.001 unless given. */
  tol?: number | null;
  /** Whether samples come in another order in each epoch; true unless given. */
  shuffle?: boolean;
  /** Seed from 0 to 2³² − 1, as in NumPy, of these orders; another each time unless given. */
  randomState?: number | null;
  /** How many epochs in a row may fail by `tol`; 5 unless given. */
  nIterNoChange?: number;
}

const DEFAULTS: Required<SgdClassifierOptions> = {
  loss: 'hinge',
  alpha: 1e-4,
  fitIntercept: true,
  maxIter: 1000,
  tol: 1e-3,
  shuffle: true,
  randomState: null,
  nIterNoChange: 5,
};

/** Samples: a tensor (which may be lazy, `bytes.cast('f32').div(255)`), nested arrays, or `{ data, shape }`. */
export type SampleRows = TensorLike | NdArray;

/** What training found. */
interface Fitted {
  readonly classes: readonly Label[];
  readonly coef: Tensor;
  readonly intercept: Tensor;
  readonly nIter: number;
}

/** Rows of x looked at together: 8,192 × 784 numbers are 26 MB. */
const ROWS = 8192;

/** See {@link sgdClassifier}. */
export class SgdClassifier {
  readonly options: Required<SgdClassifierOptions>;
  #fitted: Fitted | null = null;

  constructor(options?: SgdClassifierOptions) {
    const given = readOptions('sgdClassifier', options, DEFAULTS);
    oneOf(given.loss, 'sgdClassifier', 'loss', ['hinge', 'log_loss']);
    numberBetween(given.alpha, 'sgdClassifier', 'alpha', Number.MIN_VALUE);
    wholeNumber(given.maxIter, 'sgdClassifier', 'maxIter');
    wholeNumber(given.nIterNoChange, 'sgdClassifier', 'nIterNoChange');
    if (given.tol !== null) numberBetween(given.tol, 'sgdClassifier', 'tol', 0);
    if (given.randomState !== null) wholeNumber(given.randomState, 'sgdClassifier', 'randomState', 0);
    flag(given.fitIntercept, 'sgdClassifier', 'fitIntercept');
    flag(given.shuffle, 'sgdClassifier', 'shuffle');
    this.options = given;
  }

  /** The classes in order; labels as they came. */
  get classes(): readonly Label[] {
    return this.#known.classes;
  }

  /** Weights, [classes, features], or [1, features] when there are two classes. */
  get coef(): Tensor {
    return this.#known.coef;
  }

  /** [classes], or [1] when there are two. */
  get intercept(): Tensor {
    return this.#known.intercept;
  }

  /** Epochs of the class that took longest. */
  get nIter(): number {
    return this.#known.nIter;
  }

  get #known(): Fitted {
    if (this.#fitted) return this.#fitted;
    throw new StateError('sgdClassifier: it has not been trained. Call fit first.');
  }

  /** One of the same options that has learned nothing. */
  clone(): SgdClassifier {
    return new SgdClassifier(this.options);
  }

  /** Learns to tell the classes `y`, [n], of the samples `x`, [n, features], apart. */
  async fit(x: SampleRows, y: Labels): Promise<this> {
    const rows = takeRows(x);
    [this.#fitted] = await this.#train(rows, y, [everyRow(rows)]);
    return this;
  }

  /** A trained clone for each list of rows, all of them trained at the same time. */
  async fitEach(x: SampleRows, y: Labels, lists: readonly ArrayLike<number>[]): Promise<SgdClassifier[]> {
    const trained = await this.#train(takeRows(x), y, lists);
    return trained.map((fitted) => {
      const one = this.clone();
      one.#fitted = fitted;
      return one;
    });
  }

  async #train(x: Tensor, y: Labels, lists: readonly ArrayLike<number>[]): Promise<Fitted[]> {
    const { classes, numbers } = classNumbers(y);
    if (numbers.length !== x.shape[0])
      throw new ShapeError(
        `sgdClassifier: ${x.shape[0]} samples and ${numbers.length} labels, expected as many.`,
      );
    for (const rows of lists) checkRows(rows, numbers.length);
    const known = lists.map((rows) => presentClasses(numbers, rows, classes.length));
    const seed = this.options.randomState ?? Math.floor(Math.random() * 2 ** 32);
    const problems = lists.map((rows, i): Problem[] => {
      // Two classes are one problem: the second against the first.
      const positives = known[i].length === 2 ? known[i].slice(1) : known[i];
      const seeds = problemSeeds(seed, positives.length);
      return positives.map((positive, c) => ({ rows, labels: numbers, positive, seed: seeds[c] }));
    });
    const { coef, intercept, nIter } = await trainProblems(
      x,
      problems.flat(),
      this.options as TrainingOptions,
    );
    let first = 0;
    return problems.map(({ length }, i) => {
      const start = first;
      first += length;
      return {
        classes: known[i].map((number) => classes[number]),
        coef: slice(coef, [start, 0], [length, coef.shape[1]]),
        intercept: slice(intercept, [start], [length]),
        nIter: Math.max(...nIter.slice(start, first)),
      };
    });
  }

  /** How far each sample is on the side of each class: x · coefᵀ + intercept, [n, classes], or [n] for two. */
  decisionFunction(x: SampleRows): Tensor {
    const { coef, intercept } = this.#known;
    const rows = takeRows(x, coef.shape[1]);
    const scores = add(matmul(rows, coef, { transposeB: true }), intercept);
    return coef.shape[0] === 1 ? reshape(scores, [-1]) : scores;
  }

  /**
   * The probability of each class, [n, classes]: the sigmoids of the decisions, scaled to sum 1. For
   * `loss: 'log_loss'` only: throws StateError otherwise.
   */
  predictProba(x: SampleRows): Tensor {
    if (this.options.loss !== 'log_loss')
      throw new StateError(
        `sgdClassifier: loss '${this.options.loss}' gives no probabilities. Use 'log_loss'.`,
      );
    const shares = sigmoid(this.decisionFunction(x));
    if (shares.rank === 1) {
      const column = reshape(shares, [-1, 1]);
      return concat([column.neg().add(1), column], 1);
    }
    const mass = sum(shares, 1, { keepDims: true });
    return where(mass.equal(0), 1 / shares.shape[1], div(shares, mass));
  }

  /** The class of each sample. */
  async predict(x: SampleRows): Promise<Label[]> {
    const { classes } = this.#known;
    const rows = takeRows(x);
    return Array.from(await this.#guess(rows, everyRow(rows)), (place) => classes[place]);
  }

  /** The share of samples that are taken for what they are; of the given rows of x and y only, when there are any. */
  async score(x: SampleRows, y: Labels, rows?: ArrayLike<number>): Promise<number> {
    const { classes } = this.#known;
    const samples = takeRows(x);
    const truth = flatLabels(y);
    const places = rows ?? everyRow(samples);
    const guesses = await this.#guess(samples, places);
    let right = 0;
    for (let i = 0; i < places.length; i++) if (classes[guesses[i]] === truth[places[i]]) right++;
    return right / places.length;
  }

  /** The place of each row's class in `classes`. */
  async #guess(x: Tensor, rows: ArrayLike<number>): Promise<Int32Array> {
    const guesses = new Int32Array(rows.length);
    for (let begin = 0; begin < rows.length; begin += ROWS) {
      const part = Int32Array.from(
        { length: Math.min(ROWS, rows.length - begin) },
        (_, i) => rows[begin + i],
      );
      const scores = this.decisionFunction(gather(x, tensor(part)));
      const places = scores.rank === 1 ? cast(scores.greater(0), 'i32') : scores.argMax(1);
      guesses.set((await places.data()) as Int32Array, begin);
    }
    return guesses;
  }
}

/**
 * A linear classifier that learns from one sample at a time: for each class the weights of its samples against
 * all others, with the optimal learning rate and an L2 penalty. scikit-learn's `SGDClassifier`, with its
 * seeds and its orders of samples.
 *
 * All classes learn at the same time, each in a workgroup of its own; so do the folds of `crossValidate`. Numbers
 * are f32 here and float64 there, and the steps are so large that weights of hard classes differ; scores do not.
 * Scale x first, to the range 0 … 1 for example.
 *
 * ```ts
 * const model = sgdClassifier({ loss: 'log_loss', maxIter: 5, randomState: 42 });
 * const { testScore } = await crossValidate(model, x, labels);
 * ```
 */
export const sgdClassifier = (options?: SgdClassifierOptions): SgdClassifier => new SgdClassifier(options);

function checkRows(rows: ArrayLike<number>, count: number): void {
  for (let i = 0; i < rows.length; i++)
    if (!Number.isInteger(rows[i]) || rows[i] < 0 || rows[i] >= count)
      throw new ValueError(`sgdClassifier: row ${rows[i]} at position ${i}, expected 0 to ${count - 1}.`);
}

/** x as f32 [n, features]; nothing is computed. */
function takeRows(given: SampleRows, features?: number): Tensor {
  const nd = !(given instanceof Tensor) && typeof given === 'object' && 'data' in given ? given : null;
  const x = nd ? tensor((nd as NdArray).data, { shape: [...nd.shape] }) : tensor(given as TensorLike);
  if (x.rank !== 2 || x.size === 0 || (features !== undefined && x.shape[1] !== features))
    throw new ShapeError(
      `sgdClassifier: x has shape ${show(x.shape)}; expected [samples, ${features ?? 'features'}]. Reshape images to rows.`,
    );
  return cast(x, 'f32');
}

const everyRow = (x: Tensor): Uint32Array => counting(x.shape[0]);
