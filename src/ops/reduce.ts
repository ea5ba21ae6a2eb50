/** Reductions over axes, a row each, and the mean, which is a sum. */
import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { div, mul } from './binary.ts';
import { fill, type TensorLike, toTensor, zeros } from './constant.ts';
import { cooperates, WORKGROUP } from './cooperate.ts';
import {
  apply,
  type Case,
  type Composite,
  defineOp,
  type Op,
  opsOf,
  type Tolerance,
  twin,
} from './define.ts';
import type { Expressions } from './expression.ts';
import { isColumnSumOf } from './matmul.ts';
import { broadcastTo, concat, reshape, transpose } from './movement.ts';
import { broadcastPosition, build, forEachIndex, type NdArray, ndarray } from './reference.ts';
import { cast, countable, equal, logicalAnd, where } from './select.ts';
import { around, normalizeAxes, reducedShape, type Shape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

/** One axis, several, or all of them when left out; counted from the end when negative. */
export type Axes = number | readonly number[] | null;

export interface ReduceOptions {
  /** Leave reduced axes in place with size 1; default false. */
  keepDims?: boolean;
}

interface Row {
  /** Where combining starts: the result over nothing, where that is finite. */
  readonly identity: number;
  /** The gradient for x; y and g have the reduced axes in place with size 1. */
  readonly df: (x: Tensor, y: Tensor, g: Tensor, axes: readonly number[]) => Tensor;
}

/** Equals share the gradient evenly, as in Keras: what moves them all together moves the result once. */
const extremeGradient: Row['df'] = (x, y, g, axes) => {
  const tied = equal(x, y);
  return where(tied, div(g, sum(cast(tied, g.dtype), axes, { keepDims: true })), 0);
};

const table = {
  sum: { identity: 0, df: (_x, _y, g) => g },
  prod: { identity: 1, df: productGradient },
  max: { identity: Number.NEGATIVE_INFINITY, df: extremeGradient },
  min: { identity: Number.POSITIVE_INFINITY, df: extremeGradient },
} satisfies Record<string, Row>;

export type Kind = keyof typeof table;

/** The product of the others: y / x, but right at zeros too. One zero leaves its own slope, two leave none. */
function productGradient(x: Tensor, y: Tensor, g: Tensor, axes: readonly number[]): Tensor {
  const zero = equal(x, 0);
  const zeros = sum(zero, axes, { keepDims: true });
  const others = where(zero, 1, x);
  const rest = prod(others, axes, { keepDims: true });
  const alone = where(logicalAnd(zero, equal(zeros, 1)), mul(g, rest), 0);
  return where(equal(zeros, 0), mul(g, div(y, others)), alone);
}

/** x seen as [outer, length, inner] around the reduced axes, which are neighbours. */
export const view = (shape: Shape, axes: readonly number[]) =>
  around(shape, axes[0] ?? shape.length, axes.at(-1) ?? shape.length - 1);

/** The longest chain of additions per lane: 64 blocks of 64 keep a sum within 1e-6 (FAULTS F18). */
const LONGEST_CHAIN = 4096;

export interface ReduceAttributes extends Attributes {
  readonly kind: Kind;
  /** Sorted neighbours. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
  /** Of the first stage of a long reduction. */
  readonly parts?: number;
}

/** How many parts a reduction is made in first, or 1. */
function partsOf(shape: ReturnType<typeof view>): number {
  const { outer, length, inner } = shape;
  if (cooperates(shape)) return length > WORKGROUP * 256 ? Math.ceil(length / LONGEST_CHAIN) * WORKGROUP : 1;
  // A few long columns would leave most lanes idle.
  const idle = outer * inner < 1024 && length >= 1024;
  return idle || length > LONGEST_CHAIN ? Math.ceil(length / 256) : 1;
}

const attributesOf = (kind: Kind, axes: number[], keepDims = false): Attributes => ({
  kind,
  axes,
  keepDims,
});

/** So many terms make a short sum. */
export const SHORT_SUM = 256;

/** A few short sums, like those of a batch's losses, may be a loop in whoever needs them rather than a kernel. */
const isShort = ({ inputs: [x], size }: Tensor): boolean => size <= 16 && x.size <= SHORT_SUM * size;

/** Element `index` of Σ x[outer, l, inner] over l, as a loop. */
function shortSum(e: Expressions, [x]: readonly Tensor[], index: string, y: Tensor): string {
  const { axes } = y.attributes as ReduceAttributes;
  const { outer, length, inner } = view(x.shape, axes);
  const first = outer === 1 ? index : e.divide(index, inner);
  const column = outer === 1 ? index : e.remainder(index, inner);
  return e.total(length, y.dtype, (l) => {
    const row = outer === 1 ? l : e.name(`${first} * ${e.uniform(length, 'u32')} + ${l}`);
    return e.value(x, e.name(`${row} * ${e.uniform(inner, 'u32')} + ${column}`));
  });
}

/** A product may have met the sum of its columns on its way: a bias gradient beside that of its weights. */
function columnSum(node: Tensor, anchor: Tensor): string | null {
  const [v] = node.inputs;
  const { axes } = node.attributes as ReduceAttributes;
  const ofColumns = axes.length > 0 && axes.length < v.rank && axes[0] === 0;
  return ofColumns && isColumnSumOf(anchor, v, sizeOf(v.shape.slice(axes.length))) ? 'col_sum' : null;
}

function reduction(row: Row, kind: Kind): Op {
  return defineOp({
    name: kind,
    shape([x], attributes) {
      const { axes, keepDims } = attributes as ReduceAttributes;
      if (
        !Number.isFinite(row.identity) &&
        view(x, axes).length === 0 &&
        sizeOf(reducedShape(x, axes, true)) > 0
      )
        throw new ValueError(
          `${kind}: ${show(x)} has nothing along axes ${show(axes)}; there is no ${kind} of nothing.`,
        );
      return reducedShape(x, axes, keepDims);
    },
    dtype: ([x]) => x,
    kernel: { family: 'reduce', inputs: ['x'], output: 'y' },
    ...(kind === 'sum' && { expression: shortSum, short: isShort, join: columnSum }),
    expand(y) {
      const [x] = y.inputs;
      const shape = view(x.shape, (y.attributes as ReduceAttributes).axes);
      if (x.size === 0) return fill(y.shape, y.size === 0 ? 0 : row.identity, y.dtype);
      if (shape.length === 1) return reshape(x, y.shape);
      const parts = partsOf(shape);
      if (parts === 1) return null;
      if (kind === 'sum' && x.dtype === 'f32' && shape.outer === 1 && shape.inner > 1)
        return reshape(columnSums(reshape(x, [shape.length, shape.inner])), y.shape);
      const first = apply(reduceParts, [x], { ...y.attributes, parts });
      return reshape(apply(ops[kind], [first], attributesOf(kind, [1])), y.shape);
    },
    backward([x], y, g, attributes) {
      if (x.dtype !== 'f32') return [null];
      const { axes } = attributes as ReduceAttributes;
      const inPlace = reducedShape(x.shape, axes, true);
      return [broadcastTo(row.df(x, reshape(y, inPlace), reshape(g, inPlace), axes), x.shape)];
    },
    cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
  });
}

/** Terms of a sum that one lane makes: so many sums of so many. */
const TERMS = 16;

/**
 * Sums of TERMS² rows each: x [rows, columns] → [⌈rows / TERMS²⌉, columns]. An expression, so that those of many tensors are one
 * dispatch: a model's gradients of scales and shifts, and the squares behind the length of all its gradients.
 */
const partialSums = defineOp({
  name: 'partialSums',
  shape: ([[rows, columns]]) => [Math.ceil(rows / TERMS ** 2), columns],
  dtype: () => 'f32',
  stored: 'f32',
  loops: true,
  steps: 12,
  expression(e, [x], index, y) {
    const columns = x.shape[1];
    const terms = e.uniform(TERMS, 'u32');
    const alone = columns === 1;
    const part = alone ? index : e.divide(index, columns);
    const column = alone ? '0u' : e.remainder(index, columns);
    const first = e.name(`${part} * ${e.uniform(TERMS ** 2, 'u32')}`);
    const rows = alone ? e.extent(x) : e.name(`${e.extent(x)} / ${e.uniform(columns, 'u32')}`);
    const blocks = e.name(`min(${terms}, (${rows} - ${first} + ${terms} - 1u) / ${terms})`);
    return e.total(blocks, y.dtype, (block) => {
      const at = e.name(`${first} + ${block} * ${terms}`);
      return e.total(e.name(`min(${terms}, ${rows} - ${at})`), y.dtype, (l) => {
        const row = e.name(`${at} + ${l}`);
        return e.value(x, alone ? row : e.name(`${row} * ${e.uniform(columns, 'u32')} + ${column}`));
      });
    });
  },
  cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
});

/** Σ of the rows of x [rows, columns] in stages: [1, columns]. */
function columnSums(x: Tensor): Tensor {
  let at = x;
  while (at.shape[0] > 1) at = apply(partialSums, [at]);
  return at;
}

/**
 * Σ x² of all elements of several tensors, a scalar: in stages, each of which is one dispatch for all of them.
 *
 * f32; the sum of nothing is 0.
 */
export function sumOfSquares(tensors: readonly Tensor[]): Tensor {
  let totals = tensors
    .filter(({ size }) => size > 0)
    .map((x) => {
      const flat = reshape(cast(x, 'f32'), [x.size, 1]);
      return columnSums(mul(flat, flat));
    });
  // So many at a time as a kernel binds beside its result, in groups alike, which are one dispatch.
  while (totals.length > 1) {
    const count = Math.ceil(totals.length / 7);
    const groups = Array.from({ length: count }, (_, i) =>
      totals.slice(Math.floor((i * totals.length) / count), Math.floor(((i + 1) * totals.length) / count)),
    );
    totals = groups.map((group) => columnSums(concat(group)));
  }
  return reshape(totals[0] ?? zeros([1]), []);
}

/** First stage of a long reduction: part p takes elements p, p + parts, p + 2·parts, …: y[outer, part, inner]. */
const reduceParts = defineOp({
  name: 'reduceParts',
  shape([x], attributes) {
    const { axes, parts = 1 } = attributes as ReduceAttributes;
    const { outer, inner } = view(x, axes);
    return [outer, parts, inner];
  },
  dtype: ([x]) => x,
  kernel: { family: 'reduce', inputs: ['x'], output: 'y' },
  cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
});

const ops = opsOf<Kind, Row>(table, reduction);

/** x with its reduced axes side by side, and where they are now. */
function neighbours(x: Tensor, axes: number[]): [Tensor, number[]] {
  const first = axes[0];
  if (axes.every((axis, i) => axis === first + i)) return [x, axes];
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return [transpose(x, [...kept, ...axes]), axes.map((_, i) => kept.length + i)];
}

/** Keras and TensorFlow.js pass keepDims as a plain third argument. */
export const keeps = (operation: string, options: ReduceOptions | boolean): boolean =>
  typeof options === 'boolean'
    ? options
    : (knownOptions<ReduceOptions>(operation, options, ['keepDims']).keepDims ?? false);

const call =
  (kind: Kind) =>
  (x: TensorLike, axis?: Axes, options: ReduceOptions | boolean = false): Tensor => {
    const input = countable(x);
    const axes = normalizeAxes(axis, input.rank, kind);
    const [side, together] = neighbours(input, axes);
    const y = apply(ops[kind], [side], attributesOf(kind, together));
    return reshape(y, reducedShape(input.shape, axes, keeps(kind, options)));
  };

/**
 * Σ x over `axis` (a number, a list, or all axes when left out). bool and u8 are summed as i32.
 *
 * f32 sums are made in blocks with a fixed tree: a relative error below 1e-6 for numbers of one sign,
 * and the same bits on every run. The sum of nothing is 0.
 *
 * ```ts
 * sum(x)                            // a scalar
 * sum(x, 0)                         // columns
 * sum(x, [1, 2], { keepDims: true })
 * ```
 */
export const sum = call('sum');
/** Π x over `axis`; the product of nothing is 1. */
export const prod = call('prod');
/**
 * The largest element over `axis`; NaN wins. Equal maxima share the gradient evenly, as in Keras. Throws ValueError over
 * an axis of size 0.
 */
export const max = call('max');
/** The smallest element over `axis`; otherwise as {@link max}. */
export const min = call('min');

/** Σ x / n over `axis`, always f32. The mean of nothing is NaN. */
export function mean(x: TensorLike, axis?: Axes, options: ReduceOptions | boolean = false): Tensor {
  const input = cast(toTensor(x), 'f32');
  const axes = normalizeAxes(axis, input.rank, 'mean');
  const count = sizeOf(axes.map((one) => input.shape[one]));
  const keepDims = keeps('mean', options);
  if (count === 0) return fill(reducedShape(input.shape, axes, keepDims), Number.NaN);
  return mul(sum(input, axes, keepDims), 1 / count);
}

// ---- the twins

interface Proof extends Pick<Case, 'range'> {
  readonly combine: (p: number, q: number) => number;
  readonly tolerance: Tolerance;
}

const proofs: Record<Kind, Proof> = {
  // eps · n/5 of the largest case: 300 numbers up to 2.
  sum: { combine: (p, q) => p + q, tolerance: { relative: 1e-6, absolute: 2e-5 } },
  prod: {
    combine: (p, q) => p * q,
    tolerance: { relative: 2e-5, absolute: 1e-7 },
    range: [0.7, 1.4],
  },
  max: { combine: Math.max, tolerance: {} },
  min: { combine: Math.min, tolerance: {} },
};

/** Combines into y, whose reduced axes have size 1, every element of x that falls on it. */
function reference([x]: readonly NdArray[], { kind, axes, keepDims }: ReduceAttributes): NdArray {
  const { combine } = proofs[kind];
  const y = ndarray(reducedShape(x.shape, axes, true));
  y.data.fill(table[kind].identity);
  forEachIndex(x.shape, (index, flat) => {
    const at = broadcastPosition(y, index);
    y.data[at] = combine(y.data[at], x.data[flat]);
  });
  return ndarray(reducedShape(x.shape, axes, keepDims), y.data);
}

const reductionTwins = (Object.keys(table) as Kind[]).map((kind) =>
  twin(ops[kind], () => {
    const { tolerance, range } = proofs[kind];
    const cases: Case[] = [
      { shapes: [[]], attributes: attributesOf(kind, []) },
      { shapes: [[1]], attributes: attributesOf(kind, [0]) },
      { shapes: [[7]], attributes: attributesOf(kind, [0], true) },
      { shapes: [[5, 3]], attributes: attributesOf(kind, [0]) },
      { shapes: [[5, 3]], attributes: attributesOf(kind, [1], true) },
      { shapes: [[2, 3, 4, 5]], attributes: attributesOf(kind, [1, 2]) },
      { shapes: [[127]], attributes: attributesOf(kind, [0]) },
      { shapes: [[3, 130]], attributes: attributesOf(kind, [1]) },
      { shapes: [[67, 65]], attributes: attributesOf(kind, [0]) },
      { shapes: [[300, 2]], attributes: attributesOf(kind, [0, 1]) },
      { shapes: [[0, 3]], attributes: attributesOf(kind, [1]) },
      ...(Number.isFinite(table[kind].identity)
        ? [{ shapes: [[0, 3]], attributes: attributesOf(kind, [0]) }]
        : []),
    ];
    return {
      reference: (inputs, attributes) => reference(inputs, attributes as ReduceAttributes),
      tolerance,
      terms: ([x], { axes }) => (kind === 'max' || kind === 'min' ? 0 : view(x, axes as number[]).length),
      cases: cases.map((one) => ({ ...one, range })),
    };
  }),
);

const reducePartsTwin = twin(reduceParts, () => ({
  reference([x], attributes) {
    const { kind, axes, parts = 1 } = attributes as ReduceAttributes;
    const { combine } = proofs[kind];
    const { outer, length, inner } = view(x.shape, axes);
    return build([outer, parts, inner], ([o, part, i]) => {
      let total: number = table[kind].identity;
      for (let l = part; l < length; l += parts) total = combine(total, x.data[(o * length + l) * inner + i]);
      return total;
    });
  },
  tolerance: { relative: 1e-6, absolute: 2e-5 },
  terms: ([x], { kind, axes }) => (kind === 'sum' ? view(x, axes as number[]).length : 0),
  cases: [
    { shapes: [[2, 30, 3]], attributes: { kind: 'sum', axes: [1], parts: 7 } },
    { shapes: [[200]], attributes: { kind: 'max', axes: [0], parts: 64 } },
  ].map((one) => ({ ...one, noGradient: 'made after differentiation' })),
}));

const partialSumsTwin = twin(partialSums, () => ({
  reference: ([x]) =>
    build([Math.ceil(x.shape[0] / TERMS ** 2), x.shape[1]], ([part, column]) => {
      let total = 0;
      for (let row = part * TERMS ** 2; row < Math.min((part + 1) * TERMS ** 2, x.shape[0]); row++)
        total += x.data[row * x.shape[1] + column];
      return total;
    }),
  tolerance: { relative: 1e-6, absolute: 2e-5 },
  terms: ([x]) => Math.min(x[0], TERMS ** 2),
  cases: [
    [1, 1],
    [300, 1],
    [7, 3],
    [530, 5],
  ].map((shape) => ({
    shapes: [shape],
    noGradient: 'made after differentiation',
  })),
}));

const meanTwin = (): Composite => ({
  name: 'mean',
  compute: ([x], { axis, keepDims }) => mean(x, axis as Axes, { keepDims: keepDims as boolean }),
  reference([x], { axis, keepDims }) {
    const axes = normalizeAxes(axis as Axes, x.shape.length, 'mean');
    const total = reference([x], { kind: 'sum', axes, keepDims: keepDims as boolean });
    return ndarray(
      total.shape,
      total.data.map((one) => (one * sizeOf(total.shape)) / sizeOf(x.shape)),
    );
  },
  tolerance: { relative: 1e-6, absolute: 2e-6 },
  terms: ([x], { axis }) => sizeOf(normalizeAxes(axis as Axes, x.length, 'mean').map((one) => x[one])),
  cases: [
    { shapes: [[5]], attributes: { axis: null, keepDims: false } },
    { shapes: [[4, 7]], attributes: { axis: 0, keepDims: false } },
    { shapes: [[4, 7]], attributes: { axis: -1, keepDims: true } },
    { shapes: [[2, 3, 5]], attributes: { axis: [0, 2], keepDims: true } },
  ],
});

/** For the registry. */
export const twins = [...reductionTwins, reducePartsTwin, partialSumsTwin, meanTwin];
