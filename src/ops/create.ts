/** Tensors that follow from a few numbers, and what is cut from a matrix by its diagonal. Inside an expression they cost nothing. */
import { ShapeError, ValueError } from '../base/errors.ts';
import { add, mul, sub } from './binary.ts';
import { fill, iota, type TensorLike, toTensor } from './constant.ts';
import type { Case, Composite } from './define.ts';
import { parseDType } from './dtype.ts';
import { expandDims, pad, reshape, slice } from './movement.ts';
import { at, build } from './reference.ts';
import { cast, equal, greaterEqual, lessEqual, where } from './select.ts';
import { checkCount, show } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Finite numbers, or a ValueError that names the argument. */
function checkNumbers(operation: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers))
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new ValueError(`${operation}: ${name} is ${String(value)}; expected a finite number.`);
}

/**
 * start, start + step, … as long as it is before stop: i32 where all three are whole, else f32, or `dtype`.
 *
 * With one number it counts from 0. Throws ValueError for a step of 0.
 *
 * ```ts
 * arange(4)            // [0, 1, 2, 3]
 * arange(1, 0, -0.25)  // [1, 0.75, 0.5, 0.25]
 * ```
 */
export function arange(start: number, stop?: number, step = 1, dtype?: string): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  checkNumbers('arange', { start: from, stop: to, step });
  if (step === 0) throw new ValueError('arange: step is 0; expected a number above or below it.');
  const whole = [from, to, step].every(Number.isInteger);
  const n = iota(Math.max(0, Math.ceil((to - from) / step)));
  const numbers = add(mul(whole ? n : cast(n, 'f32'), step), from);
  return cast(numbers, dtype ?? (whole ? 'i32' : 'f32'));
}

/**
 * `num` numbers in equal steps from `start` to `stop`, which is the last of them unless `endpoint` is false; f32.
 *
 * ```ts
 * linspace(0, 1, 5)   // [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(
  start: number,
  stop: number,
  num = 50,
  { endpoint = true }: { endpoint?: boolean } = {},
): Tensor {
  checkNumbers('linspace', { start, stop });
  checkCount(num, 'linspace: num', 0);
  const steps = Math.max(1, endpoint ? num - 1 : num);
  const n = iota(num);
  const numbers = add(mul(cast(n, 'f32'), (stop - start) / steps), start);
  // However the steps were rounded.
  return endpoint && num > 1 ? where(equal(n, num - 1), stop, numbers) : numbers;
}

/** How far right of the diagonal each place of a matrix lies: column − row. */
const offsets = (rows: number, columns: number): Tensor => sub(iota(columns), expandDims(iota(rows), -1));

/** A whole number, or a ValueError. */
function checkDiagonal(k: unknown, operation: string): void {
  if (!Number.isInteger(k))
    throw new ValueError(
      `${operation}: k is ${String(k)}; expected a whole number, 0 for the main diagonal.`,
    );
}

export interface EyeOptions {
  /** Which diagonal: 1 is the one above the main one, -1 the one below; default 0. */
  k?: number;
  /** Default f32. */
  dtype?: string;
}

/** Ones on a diagonal of a matrix of zeros; square unless `columns` says otherwise. */
export function eye(rows: number, columns = rows, { k = 0, dtype = 'f32' }: EyeOptions = {}): Tensor {
  checkCount(rows, 'eye: rows', 0);
  checkCount(columns, 'eye: columns', 0);
  checkDiagonal(k, 'eye');
  return cast(equal(offsets(rows, columns), k), parseDType(dtype, 'eye'));
}

/** x with zeros where `keeps` does not hold of column − row. */
function triangle(x: TensorLike, k: number, name: string, keeps: typeof lessEqual): Tensor {
  const input = toTensor(x);
  checkDiagonal(k, name);
  if (input.rank < 2)
    throw new ShapeError(`${name}: ${show(input.shape)} is no matrix; expected [..., rows, columns].`);
  const [rows, columns] = input.shape.slice(-2);
  return where(keeps(offsets(rows, columns), k), input, fill([], 0, input.dtype));
}

/**
 * The lower triangles of matrices [..., rows, columns]: zeros above diagonal `k` (default 0, the main one).
 *
 * ```ts
 * const mask = tril(ones([4, 4]));   // what a causal attention may see
 * ```
 */
export const tril = (x: TensorLike, k = 0): Tensor => triangle(x, k, 'tril', lessEqual);

/** The upper triangles of matrices: zeros below diagonal `k`. See {@link tril}. */
export const triu = (x: TensorLike, k = 0): Tensor => triangle(x, k, 'triu', greaterEqual);

/** The elements of [..., n, n] whose last two positions are equal: [..., n]. They lie n + 1 apart. */
export function diagonalOf(x: Tensor): Tensor {
  const n = x.shape[x.rank - 1];
  const outer = x.shape.slice(0, -2);
  const flat = pad(reshape(x, [...outer, n * n]), [...outer.map(() => [0, 0] as const), [0, n]]);
  const rows = reshape(flat, [...outer, n, n + 1]);
  return reshape(slice(rows, [], [...outer, n, 1]), [...outer, n]);
}

/**
 * The `k`-th diagonal: of a vector [n] the matrix [n + |k|, n + |k|] that has it, of a matrix the vector on it.
 *
 * ```ts
 * diag([1, 2])             // [[1, 0], [0, 2]]
 * diag([[1, 2], [3, 4]])   // [1, 4]
 * ```
 */
export function diag(x: TensorLike, k = 0): Tensor {
  const input = toTensor(x);
  checkDiagonal(k, 'diag');
  if (input.rank !== 1 && input.rank !== 2)
    throw new ShapeError(`diag: ${show(input.shape)} is neither a vector nor a matrix.`);
  const [down, right] = [Math.max(-k, 0), Math.max(k, 0)];
  if (input.rank === 1) {
    const [n] = input.shape;
    const size = n + Math.abs(k);
    const row = pad(input, [[right, down]]);
    return where(equal(offsets(size, size), k), row, fill([], 0, input.dtype));
  }
  const [rows, columns] = input.shape;
  const n = Math.max(0, Math.min(rows - down, columns - right));
  if (n === 0) return fill([0], 0, input.dtype);
  return diagonalOf(slice(input, [down, right], [n, n]));
}

// ---- the twins

const counted = (
  name: string,
  compute: () => Tensor,
  shape: readonly number[],
  js: (index: readonly number[]) => number,
  more: Partial<Composite> = {},
): (() => Composite)[] => [
  () => ({ name, compute, reference: () => build(shape, js), cases: [{ shapes: [] }], ...more }),
];

const matrices: Case[] = [
  { shapes: [[4, 4]], attributes: { k: 0 } },
  { shapes: [[2, 3, 5]], attributes: { k: -1 } },
  { shapes: [[5, 2]], attributes: { k: 1 } },
];

const triangleTwin =
  (name: string, compute: typeof tril, keeps: (offset: number, k: number) => boolean) => (): Composite => ({
    name,
    compute: ([x], { k }) => compute(x, k as number),
    reference: ([x], { k }) =>
      build(x.shape, (index, flat) => {
        const [row, column] = index.slice(-2);
        return keeps(column - row, k as number) ? x.data[flat] : 0;
      }),
    cases: matrices,
  });

const diagTwin = (): Composite => ({
  name: 'diag',
  compute: ([x], { k }) => diag(x, k as number),
  reference([x], attributes) {
    const k = attributes.k as number;
    const [down, right] = [Math.max(-k, 0), Math.max(k, 0)];
    const [rows, columns] = x.shape;
    if (x.shape.length === 2) {
      const n = Math.max(0, Math.min(rows - down, columns - right));
      return build([n], ([i]) => at(x, [i + down, i + right]));
    }
    const size = rows + Math.abs(k);
    return build([size, size], ([row, column]) => (column - row === k ? x.data[row - down] : 0));
  },
  cases: [
    { shapes: [[4]], attributes: { k: 0 } },
    { shapes: [[3]], attributes: { k: -2 } },
    { shapes: [[4, 6]], attributes: { k: 1 } },
    { shapes: [[5, 3]], attributes: { k: -1 } },
  ],
});

/** For the registry. */
export const twins = [
  ...counted(
    'arange',
    () => arange(1, -2, -0.25),
    [12],
    ([i]) => 1 - 0.25 * i,
  ),
  ...counted(
    'linspace',
    () => linspace(-1, 2, 7),
    [7],
    ([i]) => -1 + 0.5 * i,
    {
      tolerance: { absolute: 1e-6 },
    },
  ),
  ...counted(
    'eye',
    () => eye(3, 5, { k: 1 }),
    [3, 5],
    ([row, column]) => Number(column === row + 1),
  ),
  triangleTwin('tril', tril, (offset, k) => offset <= k),
  triangleTwin('triu', triu, (offset, k) => offset >= k),
  diagTwin,
];
