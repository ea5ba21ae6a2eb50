/**
 * Losses per sample, as Keras computes them on its JAX and torch backends: targets first, predictions
 * second, the mean over the batch left to the caller.
 */
import { ShapeError } from '../base/errors.ts';
import { add, div, mul, squaredDifference, sub } from './binary.ts';
import { type TensorLike, toTensor } from './constant.ts';
import type { Case, Composite } from './define.ts';
import { oneHot, reshape } from './movement.ts';
import { mean, sum } from './reduce.ts';
import { type NdArray, ndarray } from './reference.ts';
import { cast, clip } from './select.ts';
import { type Shape, sameShape, show, sizeOf } from './shape.ts';
import { softmaxCrossEntropy } from './softmax.ts';
import type { Tensor } from './tensor.ts';
import { log, neg, softplus } from './unary.ts';

/** Probabilities are kept this far from 0 and 1: −log of it, 16.118, is the largest loss of a class. */
const EPSILON = 1e-7;

export interface CrossEntropyOptions {
  /** Predictions are logits, not probabilities; default false. */
  fromLogits?: boolean;
  /** Between 0 and 1: how much of each target is spread evenly over the classes; default 0. */
  labelSmoothing?: number;
}

const f32 = (x: TensorLike): Tensor => cast(toTensor(x), 'f32');

const clipped = (p: Tensor): Tensor => clip(p, EPSILON, 1 - EPSILON);

/** t (1 − s) + s · level */
const smooth = (t: Tensor, amount: number, level: number): Tensor =>
  amount === 0 ? t : add(mul(t, 1 - amount), amount * level);

/** Targets and predictions as f32 of one shape. */
function pair(name: string, yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] {
  const [t, p] = [f32(yTrue), f32(yPred)];
  if (p.rank === 0 || !sameShape(t.shape, p.shape))
    throw new ShapeError(
      `${name}: targets ${show(t.shape)} and predictions ${show(p.shape)} must have one shape, rank 1 or more.`,
    );
  return [t, p];
}

/**
 * Cross-entropy between distributions: −Σ t · log p, over the last axis.
 *
 * yTrue, yPred: [..., C] → [...]. Probabilities are divided by their sum and clipped to [1e-7, 1 − 1e-7];
 * with `fromLogits` nothing is clipped. `labelSmoothing` s makes t (1 − s) + s / C of t.
 */
export function categoricalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  { fromLogits = false, labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  const [t, p] = pair('categoricalCrossentropy', yTrue, yPred);
  const target = smooth(t, labelSmoothing, 1 / (p.shape.at(-1) as number));
  if (fromLogits) return softmaxCrossEntropy(p, target);
  const share = clipped(div(p, sum(p, -1, { keepDims: true })));
  return neg(sum(mul(target, log(share)), -1));
}

/**
 * {@link categoricalCrossentropy} for class numbers. yTrue: [...] or [..., 1], whole numbers below C;
 * yPred: [..., C] → [...].
 */
export function sparseCategoricalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  const labels = toTensor(yTrue);
  const p = f32(yPred);
  const lead = p.shape.slice(0, -1);
  const squeezed: Shape =
    labels.rank === p.rank && labels.shape.at(-1) === 1 ? labels.shape.slice(0, -1) : labels.shape;
  if (p.rank === 0 || !sameShape(squeezed, lead))
    throw new ShapeError(
      `sparseCategoricalCrossentropy: labels ${show(labels.shape)} do not fit predictions ${show(p.shape)}; ` +
        `expected ${show(lead)} or ${show([...lead, 1])}. Rows of C numbers go to categoricalCrossentropy.`,
    );
  const target = oneHot(cast(reshape(labels, squeezed), 'i32'), p.shape.at(-1) as number);
  return categoricalCrossentropy(target, p, options);
}

/**
 * Cross-entropy of independent yes-or-no targets, −(t · log p + (1 − t) · log(1 − p)), averaged over the
 * last axis.
 *
 * yTrue, yPred: [..., C] → [...]. Probabilities are clipped to [1e-7, 1 − 1e-7]; with `fromLogits` it is
 * softplus(x) − x · t. `labelSmoothing` s makes t (1 − s) + s / 2 of t.
 */
export function binaryCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  { fromLogits = false, labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  const [whole, x] = pair('binaryCrossentropy', yTrue, yPred);
  const t = smooth(whole, labelSmoothing, 0.5);
  if (fromLogits) return mean(sub(softplus(x), mul(x, t)), -1);
  const p = clipped(x);
  return neg(mean(add(mul(t, log(p)), mul(sub(1, t), log(sub(1, p)))), -1));
}

/** The mean of (yTrue − yPred)² over the last axis. yTrue, yPred: [..., C] → [...]. */
export function meanSquaredError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [t, p] = pair('meanSquaredError', yTrue, yPred);
  return mean(squaredDifference(t, p), -1);
}

/** A float64 twin from its formula for one row. */
const rowwise =
  (row: (t: number[], p: number[], options: Required<CrossEntropyOptions>) => number) =>
  ([t, p]: readonly NdArray[], { fromLogits = false, labelSmoothing = 0 }: CrossEntropyOptions): NdArray => {
    const columns = p.shape.at(-1) as number;
    const shape = p.shape.slice(0, -1);
    const rowOf = (x: NdArray, r: number) => [...x.data.subarray(r * columns, (r + 1) * columns)];
    return ndarray(
      shape,
      Array.from({ length: sizeOf(shape) }, (_, r) =>
        row(rowOf(t, r), rowOf(p, r), { fromLogits, labelSmoothing }),
      ),
    );
  };

const total = (x: number[]): number => x.reduce((so, one) => so + one, 0);
const clip64 = (p: number): number => Math.min(Math.max(p, EPSILON), 1 - EPSILON);

const categorical64 = rowwise((t, p, { fromLogits, labelSmoothing: s }) => {
  const most = Math.max(...p);
  const lse = most + Math.log(total(p.map((x) => Math.exp(x - most))));
  const logs = fromLogits ? p.map((x) => x - lse) : p.map((x) => Math.log(clip64(x / total(p))));
  return -total(t.map((one, c) => (one * (1 - s) + s / t.length) * logs[c]));
});

const binary64 = rowwise((t, p, { fromLogits, labelSmoothing: s }) => {
  const losses = t.map((hard, c) => {
    const one = hard * (1 - s) + s / 2;
    if (fromLogits) return Math.max(p[c], 0) + Math.log1p(Math.exp(-Math.abs(p[c]))) - p[c] * one;
    return -(one * Math.log(clip64(p[c])) + (1 - one) * Math.log(1 - clip64(p[c])));
  });
  return total(losses) / losses.length;
});

/** Each row of a table of losses: how it is called, its twin, and numbers that suit it. */
const table = {
  categoricalCrossentropy: {
    compute: categoricalCrossentropy,
    reference: categorical64,
    cases: [
      {
        shapes: [
          [4, 10],
          [4, 10],
        ],
        range: [0.1, 1],
      },
      {
        shapes: [
          [2, 3, 5],
          [2, 3, 5],
        ],
        attributes: { labelSmoothing: 0.1 },
        range: [0.1, 1],
      },
      {
        shapes: [
          [4, 10],
          [4, 10],
        ],
        attributes: { fromLogits: true, labelSmoothing: 0.2 },
      },
    ],
  },
  sparseCategoricalCrossentropy: {
    compute: sparseCategoricalCrossentropy,
    reference([labels, p], options) {
      const columns = p.shape.at(-1) as number;
      const hot = (_: number, at: number) => Number(labels.data[Math.floor(at / columns)] === at % columns);
      return categorical64([ndarray(p.shape, p.data.map(hot)), p], options);
    },
    cases: [
      { shapes: [[5], [5, 3]], dtypes: ['i32', 'f32'], range: [0.2, 2.9] },
      {
        shapes: [
          [5, 1],
          [5, 4],
        ],
        dtypes: ['i32', 'f32'],
        range: [0.2, 2.9],
      },
      {
        shapes: [
          [2, 3],
          [2, 3, 3],
        ],
        dtypes: ['i32', 'f32'],
        range: [0, 3],
        attributes: { fromLogits: true },
      },
    ],
  },
  binaryCrossentropy: {
    compute: binaryCrossentropy,
    reference: binary64,
    cases: [
      {
        shapes: [
          [4, 1],
          [4, 1],
        ],
        range: [0.05, 0.95],
      },
      {
        shapes: [
          [3, 7],
          [3, 7],
        ],
        range: [0.05, 0.95],
        attributes: { labelSmoothing: 0.1 },
      },
      {
        shapes: [
          [3, 7],
          [3, 7],
        ],
        range: [-4, 4],
        attributes: { fromLogits: true },
      },
    ],
  },
  meanSquaredError: {
    compute: meanSquaredError,
    reference: rowwise((t, p) => total(t.map((one, c) => (one - p[c]) ** 2)) / t.length),
    cases: [
      {
        shapes: [
          [4, 10],
          [4, 10],
        ],
      },
      { shapes: [[1], [1]] },
    ],
  },
} satisfies Record<
  string,
  {
    compute: (yTrue: TensorLike, yPred: TensorLike, options: CrossEntropyOptions) => Tensor;
    reference: (inputs: readonly NdArray[], options: CrossEntropyOptions) => NdArray;
    cases: Case[];
  }
>;

export const twins = Object.entries(table).map(
  ([name, { compute, reference, cases }]) =>
    (): Composite => ({
      name,
      compute: ([t, p], options) => compute(t, p, options),
      reference: (inputs, options) => reference(inputs, options),
      // Probabilities down to 0.01 and sums of 10: FACTS 2 asks for 1e-5 of losses.
      tolerance: { relative: 1e-5, absolute: 1e-5 },
      cases,
    }),
);
