/** What is known of a whole axis: spread, size, logarithm of a sum, and whether any or all of it is true. */
import { ConfigError, ShapeError } from '../base/errors.ts';
import { add, pow, sub } from './binary.ts';
import { fill, stopGradient, type TensorLike, toTensor } from './constant.ts';
import type { Case, Composite, Tolerance } from './define.ts';
import { reshape } from './movement.ts';
import { type Axes, keeps, max, mean, min, type ReduceOptions, sum } from './reduce.ts';
import { broadcastPosition, forEachIndex, type NdArray, ndarray } from './reference.ts';
import { cast, equal, isFinite as finite, logicalNot, notEqual, where } from './select.ts';
import { normalizeAxes, reducedShape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';
import { abs, exp, log, sqrt, square } from './unary.ts';

type Options = ReduceOptions | boolean;

const real = (x: TensorLike): Tensor => cast(toTensor(x), 'f32');

/** √x whose gradient at 0 is 0 and not the infinity that times 0 makes NaN. */
function root(x: Tensor): Tensor {
  const zero = equal(x, 0);
  return where(zero, 0, sqrt(where(zero, 1, x)));
}

/**
 * The mean of (x − mean x)² over `axis` (all axes when left out), always f32: of the population, divided by n.
 *
 * Differences are squared, so that it is right far from 0. Of nothing it is NaN.
 *
 * ```ts
 * variance([[1, 2], [3, 5]], 0)   // [1, 2.25]
 * ```
 */
export function variance(x: TensorLike, axis?: Axes, options: Options = false): Tensor {
  const input = real(x);
  return mean(square(sub(input, mean(input, axis, true))), axis, options);
}

/** √variance over `axis`: see {@link variance}. Where it is 0 its gradient is 0. */
export const std = (x: TensorLike, axis?: Axes, options: Options = false): Tensor =>
  root(variance(x, axis, options));

/**
 * log Σ exp x over `axis` (all axes when left out), without overflow; −Infinity of nothing.
 *
 * ```ts
 * logSumExp([1000, 1000])   // 1000.693
 * ```
 */
export function logSumExp(x: TensorLike, axis?: Axes, options: Options = false): Tensor {
  const input = real(x);
  const axes = normalizeAxes(axis, input.rank, 'logSumExp');
  const shape = reducedShape(input.shape, axes, keeps('logSumExp', options));
  if (input.size === 0) return fill(shape, Number.NEGATIVE_INFINITY);
  const most = max(input, axes, true);
  // Whatever is taken off comes back: it has no gradient. Of infinities nothing is taken off.
  const shift = stopGradient(where(finite(most), most, 0));
  return reshape(add(log(sum(exp(sub(input, shift)), axes, true)), shift), shape);
}

/** Is any element over `axis` true, that is, not 0? False of nothing; bool. */
export const any = (x: TensorLike, axis?: Axes, options: Options = false): Tensor =>
  notEqual(sum(cast(toTensor(x), 'bool'), axis, options), 0);

/** Are all elements over `axis` true, that is, not 0? True of nothing; bool. */
export const all = (x: TensorLike, axis?: Axes, options: Options = false): Tensor =>
  equal(sum(logicalNot(x), axis, options), 0);

/**
 * The norm of vectors or matrices, always f32.
 *
 * With one axis, or with none (then of all elements): Σ |x|^ord to the power 1 / ord; `ord` is any number, by default
 * 2 ('euclidean'); ±Infinity give the largest and smallest |x|, 0 counts what is not 0. With two axes it is a norm of
 * matrices: 'fro' or 'euclidean' (default), 1 and Infinity for the largest column and row sums of |x|, -1 and
 * -Infinity for the smallest. Where an euclidean norm is 0 its gradient is 0.
 *
 * Throws ConfigError for an unknown `ord` and ShapeError for more than two axes.
 *
 * ```ts
 * norm([3, 4])                                     // 5
 * norm([[1, -2], [3, 4]], 1, [0, 1])               // 6
 * norm(x, 'euclidean', -1, { keepDims: true })
 * ```
 */
export function norm(
  x: TensorLike,
  ord: number | 'euclidean' | 'fro' | null = 'euclidean',
  axis?: Axes,
  options: Options = false,
): Tensor {
  const input = real(x);
  const axes = normalizeAxes(axis, input.rank, 'norm');
  const all = axis === undefined || axis === null;
  if (!all && (axes.length === 0 || axes.length > 2))
    throw new ShapeError(`norm: axes ${show(axes)}; expected one axis, two, or nothing for all elements.`);
  const euclidean = ord === null || ord === 'euclidean' || ord === 'fro';
  if (euclidean || (ord === 2 && (all || axes.length === 1))) return root(sum(square(input), axes, options));
  const refuse = (known: string): never => {
    throw new ConfigError(`norm: ord is ${String(ord)}; for ${show(axes)} of ${show(input.shape)} ${known}.`);
  };
  if (typeof ord !== 'number' || Number.isNaN(ord)) return refuse("expected a number, 'euclidean' or 'fro'");
  const size = abs(input);
  if (all || axes.length === 1) {
    if (ord === Number.POSITIVE_INFINITY) return max(size, axes, options);
    if (ord === Number.NEGATIVE_INFINITY) return min(size, axes, options);
    if (ord === 0) return cast(sum(notEqual(input, 0), axes, options), 'f32');
    if (ord === 1) return sum(size, axes, options);
    return pow(sum(pow(size, ord), axes, options), 1 / ord);
  }
  // The order of two axes is that of rows and columns, as they were given.
  const [rows, columns] = (axis as readonly number[]).map((one) => (one < 0 ? one + input.rank : one));
  const [summed, other] = Math.abs(ord) === 1 ? [rows, columns] : [columns, rows];
  if (Math.abs(ord) !== 1 && Math.abs(ord) !== Number.POSITIVE_INFINITY)
    return refuse("known are 1, -1, Infinity, -Infinity, 'fro' and 'euclidean'");
  const extreme = ord > 0 ? max : min;
  const most = extreme(sum(size, summed, true), other, true);
  return reshape(most, reducedShape(input.shape, axes, keeps('norm', options)));
}

// ---- the twins

/** f of all elements that fall on each element of the result. */
function reduced(x: NdArray, { axis, keepDims }: Attributes, f: (line: number[]) => number): NdArray {
  const axes = normalizeAxes(axis as Axes, x.shape.length, 'reference');
  const y = ndarray(reducedShape(x.shape, axes, true));
  const lines: number[][] = Array.from(y.data, () => []);
  forEachIndex(x.shape, (index, flat) => lines[broadcastPosition(y, index)].push(x.data[flat]));
  return ndarray(reducedShape(x.shape, axes, keepDims as boolean), lines.map(f));
}

const total = (line: readonly number[]): number => line.reduce((sum, one) => sum + one, 0);
const mean64 = (line: readonly number[]): number => total(line) / line.length;
const variance64 = (line: readonly number[]): number => {
  const middle = mean64(line);
  return mean64(line.map((one) => (one - middle) ** 2));
};
const logSumExp64 = (line: readonly number[]): number => {
  const most = Math.max(...line);
  return most + Math.log(total(line.map((one) => Math.exp(one - most))));
};
const norm64 = (line: readonly number[], ord: unknown): number => {
  const sizes = line.map(Math.abs);
  if (ord === Number.POSITIVE_INFINITY) return Math.max(...sizes);
  if (ord === Number.NEGATIVE_INFINITY) return Math.min(...sizes);
  if (ord === 0) return sizes.filter((one) => one !== 0).length;
  const p = typeof ord === 'number' ? ord : 2;
  return total(sizes.map((one) => one ** p)) ** (1 / p);
};

type Reduction = (x: TensorLike, axis?: Axes, options?: Options) => Tensor;

const cases: Case[] = [
  { shapes: [[7]], attributes: { axis: null, keepDims: false } },
  { shapes: [[4, 130]], attributes: { axis: -1, keepDims: true } },
  { shapes: [[2, 3, 5]], attributes: { axis: [0, 2], keepDims: false } },
];

const statisticTwin =
  (
    name: string,
    compute: Reduction,
    f: (line: number[]) => number,
    tolerance: Tolerance = { relative: 1e-5, absolute: 1e-5 },
    more: Partial<Case> = {},
  ) =>
  (): Composite => ({
    name,
    compute: ([x], { axis, keepDims }) => compute(x, axis as Axes, keepDims as boolean),
    reference: ([x], attributes) => reduced(x, attributes, f),
    tolerance,
    terms: ([x]) => (name === 'any' || name === 'all' ? 0 : sizeOf(x)),
    cases: cases.map((one) => ({ ...one, ...more })),
  });

const normTwin = (): Composite => ({
  name: 'norm',
  compute: ([x], { ord, axis, keepDims }) => norm(x, ord as number, axis as Axes, keepDims as boolean),
  reference: ([x], attributes) => {
    const { ord, axis } = attributes;
    if (!Array.isArray(axis) || axis.length < 2 || typeof ord !== 'number')
      return reduced(x, attributes, (line) => norm64(line, ord));
    const sums = reduced(x, { axis: axis[ord === 1 ? 0 : 1], keepDims: true }, (line) => norm64(line, 1));
    return reduced(sums, attributes, (line) => Math.max(...line));
  },
  tolerance: { relative: 1e-5, absolute: 1e-5 },
  terms: ([x]) => sizeOf(x),
  cases: [
    { shapes: [[7]], attributes: { ord: 'euclidean', axis: null, keepDims: false } },
    { shapes: [[3, 130]], attributes: { ord: 3, axis: -1, keepDims: true }, avoid: [0] },
    { shapes: [[2, 3, 5]], attributes: { ord: 1, axis: [0, 2], keepDims: false }, avoid: [0] },
    { shapes: [[4, 5]], attributes: { ord: 'fro', axis: [0, 1], keepDims: true } },
  ],
});

const truth = { dtypes: ['i32'], range: [0, 2], noGradient: 'logic' } satisfies Partial<Case>;

/** For the registry. */
export const twins = [
  statisticTwin('variance', variance, variance64),
  statisticTwin('std', std, (line) => Math.sqrt(variance64(line))),
  statisticTwin('logSumExp', logSumExp, logSumExp64, undefined, { range: [-30, 30] }),
  statisticTwin('any', any, (line) => Number(line.some((one) => one !== 0)), {}, truth),
  statisticTwin(
    'all',
    all,
    (line) => Number(line.every((one) => one !== 0)),
    {},
    { ...truth, range: [0, 40] },
  ),
  normTwin,
];
