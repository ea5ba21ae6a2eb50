/** Comparison, logic, choice and conversion. */
import { ValueError } from '../base/errors.ts';
import { operands } from './binary.ts';
import { broadcastCases } from './cases.ts';
import { type TensorLike, toTensor, unchanged } from './constant.ts';
import { apply, type Case, type Composite, noGradient, type Op, opsOf, twin } from './define.ts';
import { type DType, parseDType, wgslType } from './dtype.ts';
import { literal } from './expression.ts';
import { pointwise } from './pointwise.ts';
import { build, elementwise } from './reference.ts';
import { sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

const table = {
  equal: 'x == y',
  notEqual: 'x != y',
  greater: 'x > y',
  greaterEqual: 'x >= y',
  less: 'x < y',
  lessEqual: 'x <= y',
  logicalAnd: 'x & y',
  logicalOr: 'x | y',
  logicalXor: 'x != y',
  logicalNot: '!x',
};

const ops = opsOf(table, (f, name) =>
  pointwise({
    name,
    dtype: () => 'bool',
    // NaN is unequal to everything and in no order; compilers that assume it away say otherwise.
    f([x]) {
      if (x.dtype !== 'f32') return f;
      return name === 'notEqual' ? `(${f}) | is_nan(x) | is_nan(y)` : `(${f}) & !(is_nan(x) | is_nan(y))`;
    },
    backward: noGradient,
  }),
);

const comparison =
  (op: Op) =>
  (a: TensorLike, b: TensorLike): Tensor => {
    const [x, y] = operands(a, b, false);
    const numbers = x.dtype === 'bool' || x.dtype === 'u8' ? 'u32' : x.dtype;
    return apply(op, [cast(x, numbers), cast(y, numbers)]);
  };

/** a = b; NaN equals nothing. */
export const equal = comparison(ops.equal);
/** a ≠ b; NaN differs from everything. */
export const notEqual = comparison(ops.notEqual);
/** a > b */
export const greater = comparison(ops.greater);
/** a ≥ b */
export const greaterEqual = comparison(ops.greaterEqual);
/** a < b */
export const less = comparison(ops.less);
/** a ≤ b */
export const lessEqual = comparison(ops.lessEqual);

// By their bits: compilers may assume that every number is finite.
const predicates = {
  isNan: '(bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u',
  isInf: '(bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u',
  isFinite: '(bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u',
};

const predicateOps = opsOf(predicates, (f, name) =>
  pointwise({ name, dtype: () => 'bool', f: () => f, backward: noGradient }),
);

const predicate =
  (op: Op) =>
  (x: TensorLike): Tensor =>
    apply(op, [cast(toTensor(x), 'f32')]);

/** Is x NaN? */
export const isNan = predicate(predicateOps.isNan);
/** Is x Infinity or -Infinity? */
export const isInf = predicate(predicateOps.isInf);
/** Is x neither NaN nor infinite? */
const finite = predicate(predicateOps.isFinite);

export { finite as isFinite };

export interface NanToNumOptions {
  /** In place of NaN; default 0. */
  nan?: number;
  /** In place of Infinity; default the largest f32. */
  posInf?: number;
  /** In place of -Infinity; default the smallest f32. */
  negInf?: number;
}

/** The largest f32. */
const MOST = 3.4028234663852886e38;

/**
 * x with other numbers in place of NaN and infinities; f32. The gradient there is 0.
 *
 * ```ts
 * nanToNum([NaN, 1, -Infinity], { negInf: -1 })   // [0, 1, -1]
 * ```
 */
export function nanToNum(
  x: TensorLike,
  { nan = 0, posInf = MOST, negInf = -MOST }: NanToNumOptions = {},
): Tensor {
  const input = cast(toTensor(x), 'f32');
  return where(finite(input), input, where(isNan(input), nan, where(greater(input, 0), posInf, negInf)));
}

const truth = (x: TensorLike): Tensor => cast(toTensor(x), 'bool');

const connective =
  (op: Op) =>
  (a: TensorLike, b: TensorLike): Tensor =>
    apply(op, [truth(a), truth(b)]);

/** a and b, of truth values (non-zero is true). */
export const logicalAnd = connective(ops.logicalAnd);
/** a or b */
export const logicalOr = connective(ops.logicalOr);
/** One of a and b, not both. */
export const logicalXor = connective(ops.logicalXor);
/** not a */
export const logicalNot = (a: TensorLike): Tensor => apply(ops.logicalNot, [truth(a)]);

const whereOp = pointwise({
  name: 'where',
  dtype: ([_c, x]) => x,
  f: () => 'select(z, y, x)',
  backward: ([c], _z, g) => [null, where(c, g, 0), where(c, 0, g)],
  cost: (_inputs, z) => ({ flops: sizeOf(z.shape), bytes: 16 * sizeOf(z.shape) }),
});

/** a where the condition holds, else b; all three broadcast. */
export const where = (condition: TensorLike, a: TensorLike, b: TensorLike): Tensor =>
  apply(whereOp, [truth(condition), ...operands(a, b, false)]);

/** The largest number that a dtype holds, as WGSL of the other integer type, where there is a larger one. */
const LARGEST: Partial<Record<DType, string>> = { i32: '2147483647u', u8: '255u' };

/** WGSL that converts x from one dtype to another. */
function conversion(from: DType, to: DType): string {
  const type = wgslType(to);
  if (from === to || from === 'bool' || to === 'f32') return `${type}(x)`;
  if (to === 'bool') return from === 'f32' ? '(x != 0.0) | is_nan(x)' : `x != ${literal(0, from)}`;
  // A byte fits everywhere. WGSL saturates floats; what a NaN becomes, drivers differ in.
  if (from === 'u8') return `${type}(x)`;
  if (from === 'f32') {
    const whole = to === 'u8' ? `min(u32(x), ${LARGEST.u8})` : `${type}(x)`;
    return `select(${whole}, ${literal(0, to)}, is_nan(x))`;
  }
  const unsigned = from === 'i32' ? 'u32(max(x, 0i))' : 'x';
  return LARGEST[to] ? `${type}(min(${unsigned}, ${LARGEST[to]}))` : unsigned;
}

const castOp: Op = pointwise({
  name: 'cast',
  dtype: (_inputs, a) => a.dtype as DType,
  f: ([x], y) => conversion(x.dtype, y.dtype),
  backward: ([x], _y, g) => [x.dtype === 'f32' ? g : null],
});

/**
 * x in another dtype: `f32, i32, u32, u8, bool` or Keras's names. To an integer it drops the fraction and saturates
 * at the ends of the range (a float at 2147483520 for i32, 4294967040 for u32), and NaN becomes 0; anything to bool
 * asks whether it is not 0. Bytes (u8) are not scaled.
 */
export function cast(x: TensorLike, dtype: string): Tensor {
  const input = toTensor(x);
  const to = parseDType(dtype, 'cast');
  return input.dtype === to ? unchanged(input) : apply(castOp, [input], { dtype: to });
}

/** Truth values and bytes as i32, in which they can be added up and compared. */
export function countable(x: TensorLike): Tensor {
  const input = toTensor(x);
  return input.dtype === 'bool' || input.dtype === 'u8' ? cast(input, 'i32') : input;
}

interface Bounds extends Attributes {
  readonly low: number;
  readonly high: number;
}

const clipOp = pointwise({
  name: 'clip',
  f([x], y, e) {
    const { low, high } = y.attributes as Bounds;
    const [lo, hi] = [low, high].map((bound) => e.uniform(bound, x.dtype as 'f32' | 'i32'));
    return `select(select(x, ${hi}, x > ${hi}), ${lo}, x < ${lo})`;
  },
  backward([x], _y, g, a) {
    const { low, high } = a as Bounds;
    return [where(greaterEqual(x, low), where(lessEqual(x, high), g, 0), 0)];
  },
});

/** x kept between `low` and `high`; NaN stays NaN. ValueError when low > high or either is NaN. */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  const input = toTensor(x);
  if (typeof low !== 'number' || typeof high !== 'number' || !(low <= high))
    throw new ValueError(
      `clip: low is ${String(low)} and high is ${String(high)}; expected numbers with low ≤ high.`,
    );
  const whole = input.dtype === 'i32' && Number.isInteger(low) && Number.isInteger(high);
  const [lo, hi] = whole ? [Math.max(low, -(2 ** 31)), Math.min(high, 2 ** 31 - 1)] : [low, high];
  return apply(clipOp, [whole ? input : cast(input, 'f32')], { low: lo, high: hi });
}

// ---- the twins

const pairTwin = (op: Op, js: (x: number, y: number) => boolean, numbers: Partial<Case>) =>
  twin(op, () => ({
    reference: ([x, y]) => elementwise((a, b) => Number(js(a, b)), x, y),
    cases: broadcastCases.map((one) => ({ ...one, ...numbers })),
  }));

const steps: Partial<Case> = { noGradient: 'a step function' };
const logic: Partial<Case> = { dtypes: ['bool', 'bool'], range: [0, 2], noGradient: 'logic' };

const notTwin = twin(ops.logicalNot, () => ({
  reference: ([x]) => elementwise((a) => Number(a === 0), x),
  cases: [{ ...logic, shapes: [[7]], dtypes: ['bool'] }],
}));

const finiteness = [
  [predicateOps.isNan, Number.isNaN],
  [predicateOps.isInf, (x: number) => Math.abs(x) === Number.POSITIVE_INFINITY],
  [predicateOps.isFinite, Number.isFinite],
] as const;

// Numbers that are not finite are tried in test/ops/edges.
const predicateTwins = finiteness.map(([op, js]) =>
  twin(op, () => ({
    reference: ([x]) => elementwise((one) => Number(js(one)), x),
    cases: [{ shapes: [[2, 3]], ...steps }],
  })),
);

const nanToNumTwin = (): Composite => ({
  name: 'nanToNum',
  compute: ([x], attributes) => nanToNum(x, attributes as NanToNumOptions),
  reference: ([x]) => x,
  cases: [{ shapes: [[2, 3]], attributes: { nan: 7 } }],
});

const whereTwin = twin(whereOp, () => ({
  reference: ([c, x, y]) => elementwise((chosen, a, b) => (chosen !== 0 ? a : b), c, x, y),
  cases: [
    { shapes: [[5], [5], [5]], dtypes: ['bool', 'f32', 'f32'] },
    { shapes: [[4, 1], [4, 3], [3]], dtypes: ['bool', 'f32', 'f32'] },
    { shapes: [[2, 3], [], [3]], dtypes: ['bool', 'f32', 'f32'] },
  ],
}));

/**
 * Float to integer drops the fraction and saturates at the last f32 inside the range, as WGSL does;
 * NaN becomes 0.
 */
const toDType: Record<DType, (x: number) => number> = {
  f32: (x) => x,
  i32: (x) => Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 128),
  u32: (x) => Math.min(Math.max(Math.trunc(x), 0), 2 ** 32 - 256),
  u8: (x) => Math.min(Math.max(Math.trunc(x), 0), 255),
  bool: (x) => Number(x !== 0),
};

const castTwin = twin(castOp, () => ({
  reference: ([x], a) => elementwise(toDType[a.dtype as DType], x),
  cases: (['f32', 'i32', 'u32', 'bool', 'u8'] as const).flatMap((to) =>
    (['f32', 'i32', 'u32', 'bool', 'u8'] as const)
      .filter((from) => from !== to)
      .map((from) => ({
        shapes: [[to === 'u8' ? 70 : 7]],
        dtypes: [from],
        attributes: { dtype: to },
        range: [from === 'f32' || from === 'i32' ? -300 : 0, from === 'u8' || from === 'bool' ? 9 : 600],
        noGradient: 'integers',
      })),
  ),
}));

const clipTwin = twin(clipOp, () => ({
  reference: ([x], a) => {
    const { low, high } = a as Bounds;
    return build(x.shape, (_, i) => (x.data[i] < low ? low : Math.min(x.data[i], high)));
  },
  cases: [{ shapes: [[17]], attributes: { low: -0.75, high: 1.25 }, avoid: [-0.75, 1.25] }],
}));

/** For the registry. */
export const twins = [
  pairTwin(ops.equal, (x, y) => x === y, steps),
  pairTwin(ops.notEqual, (x, y) => x !== y, steps),
  pairTwin(ops.greater, (x, y) => x > y, steps),
  pairTwin(ops.greaterEqual, (x, y) => x >= y, steps),
  pairTwin(ops.less, (x, y) => x < y, steps),
  pairTwin(ops.lessEqual, (x, y) => x <= y, steps),
  pairTwin(ops.logicalAnd, (x, y) => x !== 0 && y !== 0, logic),
  pairTwin(ops.logicalOr, (x, y) => x !== 0 || y !== 0, logic),
  pairTwin(ops.logicalXor, (x, y) => (x !== 0) !== (y !== 0), logic),
  notTwin,
  ...predicateTwins,
  nanToNumTwin,
  whereTwin,
  castTwin,
  clipTwin,
];
