/**
 * The losses that most models train with, a value for each sample or element: targets t first, predictions p second, f32 of
 * one shape. `nn/losses` gives them names, options and a mean; what is proved here is what trains there.
 */
import type { Case, Composite } from './define.ts';
import { oneHot, squeeze } from './movement.ts';
import { mean, sum } from './reduce.ts';
import { type NdArray, ndarray } from './reference.ts';
import { cast } from './select.ts';
import { sizeOf } from './shape.ts';
import { softmaxCrossEntropy } from './softmax.ts';
import type { Tensor } from './tensor.ts';

/** Probabilities are kept this far from 0 and 1: −log of it, 16.118, is the largest loss of a class. */
export const EPSILON = 1e-7;

export interface CrossEntropyOptions {
  /** Predictions are logits, not probabilities. */
  readonly fromLogits: boolean;
  /** Between 0 and 1: how much of each target is spread evenly over the classes. */
  readonly labelSmoothing: number;
}

const logOf = (p: Tensor): Tensor => p.clip(EPSILON, 1 - EPSILON).log();

/** A share of each target is spread evenly over all classes: t (1 − s) + s / C */
const smooth = (t: Tensor, share: number, classes: number): Tensor =>
  share === 0 ? t : t.mul(1 - share).add(share / classes);

/** −Σ t · log p over the last axis, p first scaled to a sum of 1 and kept inside (0, 1): [..., C] → [...] */
export function categoricalCrossentropy(
  t: Tensor,
  p: Tensor,
  { fromLogits, labelSmoothing }: CrossEntropyOptions,
): Tensor {
  const target = smooth(t, labelSmoothing, p.shape[p.rank - 1]);
  return fromLogits
    ? softmaxCrossEntropy(p, target)
    : sum(target.mul(logOf(p.div(sum(p, -1, true)))), -1).neg();
}

/**
 * −(t · log p + (1 − t) · log(1 − p)). From logits −log σ(z) = softplus(−z): each half is accurate where it counts, and so is the
 * gradient at z = 0.
 */
export function binaryCrossentropy(
  yTrue: Tensor,
  p: Tensor,
  { fromLogits, labelSmoothing }: CrossEntropyOptions,
): Tensor {
  const t = smooth(yTrue, labelSmoothing, 2);
  const [ifTrue, ifFalse] = fromLogits
    ? [p.neg().softplus(), p.softplus()]
    : [p, p.neg().add(1)].map((x) => logOf(x).neg());
  return t.mul(ifTrue).add(t.neg().add(1).mul(ifFalse));
}

/** (t − p)² */
export const squaredError = (t: Tensor, p: Tensor): Tensor => p.sub(t).square();

/** A float64 twin from its formula for one row. */
const rowwise =
  (row: (t: number[], p: number[], options: CrossEntropyOptions) => number) =>
  ([t, p]: readonly NdArray[], options: CrossEntropyOptions): NdArray => {
    const columns = p.shape.at(-1) as number;
    const shape = p.shape.slice(0, -1);
    const rowOf = (x: NdArray, r: number) => [...x.data.subarray(r * columns, (r + 1) * columns)];
    return ndarray(
      shape,
      Array.from({ length: sizeOf(shape) }, (_, r) => row(rowOf(t, r), rowOf(p, r), options)),
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
    compute(labels, p, options) {
      const numbers = labels.rank === p.rank ? squeeze(labels, -1) : labels;
      return categoricalCrossentropy(oneHot(cast(numbers, 'i32'), p.shape[p.rank - 1]), p, options);
    },
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
    compute: (...given) => mean(binaryCrossentropy(...given), -1),
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
    compute: (t, p) => mean(squaredError(t, p), -1),
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
    compute: (yTrue: Tensor, yPred: Tensor, options: CrossEntropyOptions) => Tensor;
    reference: (inputs: readonly NdArray[], options: CrossEntropyOptions) => NdArray;
    cases: Case[];
  }
>;

const plain: CrossEntropyOptions = { fromLogits: false, labelSmoothing: 0 };

export const twins = Object.entries(table).map(
  ([name, { compute, reference, cases }]) =>
    (): Composite => ({
      name,
      compute: ([t, p], options) => compute(t, p, { ...plain, ...options }),
      reference: (inputs, options) => reference(inputs, { ...plain, ...options }),
      // Probabilities down to 0.01 and sums of 10.
      tolerance: { relative: 1e-5, absolute: 1e-5 },
      cases,
    }),
);
