/** Functions of two elements with full broadcasting, a row each. */
import { broadcastCases } from './cases.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, defineOp, type Op, type Tolerance, twin } from './define.ts';
import { type DType, promote } from './dtype.ts';
import { broadcastIndex } from './expression.ts';
import { elementwise } from './reference.ts';
import { cast, equal, greater, greaterEqual, less, lessEqual, where } from './select.ts';
import { broadcastShapes, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { log, neg, square } from './unary.ts';

interface Row {
  /** WGSL of f(x, y) for f32. */
  readonly f: string;
  /** WGSL for integers where it differs. */
  readonly integers?: string;
  /** Gradients for x and y, given z = f(x, y) and its gradient g; broadcasting is undone by the driver. */
  readonly df: (x: Tensor, y: Tensor, z: Tensor, g: Tensor) => [Tensor | null, Tensor | null];
  readonly js: (x: number, y: number) => number;
  readonly tolerance: Tolerance;
  readonly cases?: Partial<Case>;
  /** True where integer operands give f32 (true division). */
  readonly real?: boolean;
}

const exact: Tolerance = {};
const rounded: Tolerance = { relative: 3e-7, absolute: 1e-7 };

const table = {
  add: { f: 'x + y', df: (_x, _y, _z, g) => [g, g], js: (x, y) => x + y, tolerance: rounded },
  sub: { f: 'x - y', df: (_x, _y, _z, g) => [g, neg(g)], js: (x, y) => x - y, tolerance: rounded },
  mul: { f: 'x * y', df: (x, y, _z, g) => [mul(g, y), mul(g, x)], js: (x, y) => x * y, tolerance: rounded },
  div: {
    f: 'x / y',
    integers: 'floor_div_i32(x, y)',
    df: (x, y, _z, g) => [div(g, y), neg(div(mul(g, x), square(y)))],
    js: (x, y) => x / y,
    tolerance: { relative: 1e-6 },
    cases: { range: [0.5, 3] },
  },
  floorDiv: {
    f: 'floor(x / y)',
    integers: 'floor_div_i32(x, y)',
    df: () => [null, null],
    js: (x, y) => Math.floor(x / y),
    tolerance: exact,
    cases: { range: [0.5, 3], noGradient: 'a step function' },
  },
  maximum: {
    f: 'max_nan(x, y)',
    integers: 'max(x, y)',
    df: (x, y, _z, g) => [where(greaterEqual(x, y), g, 0), where(less(x, y), g, 0)],
    js: Math.max,
    tolerance: exact,
  },
  minimum: {
    f: 'min_nan(x, y)',
    integers: 'min(x, y)',
    df: (x, y, _z, g) => [where(lessEqual(x, y), g, 0), where(greater(x, y), g, 0)],
    js: Math.min,
    tolerance: exact,
  },
  pow: {
    f: 'power(x, y)',
    df: (x, y, z, g) => [
      mul(g, where(equal(y, 0), 0, mul(y, pow(x, sub(y, 1))))),
      mul(g, where(greater(x, 0), mul(z, log(x)), 0)),
    ],
    js: (x, y) => x ** y,
    tolerance: { relative: 1e-4, absolute: 1e-6 },
    cases: { range: [0.2, 3] },
    real: true,
  },
  squaredDifference: {
    f: '(x - y) * (x - y)',
    df(x, y, _z, g) {
      const slope = mul(g, mul(sub(x, y), 2));
      return [slope, neg(slope)];
    },
    js: (x, y) => (x - y) ** 2,
    tolerance: { relative: 1e-6, absolute: 1e-6 },
  },
} satisfies Record<string, Row>;

const needsMath = /\b(max_nan|min_nan|power|floor_div_i32)\(/;

function binary(name: string, row: Row): Op {
  return defineOp({
    name,
    shape: ([x, y]) => broadcastShapes(x, y, name),
    dtype: ([x]) => x,
    expression(e, [x, y], index, z) {
      const f = x.dtype === 'f32' ? row.f : (row.integers ?? row.f);
      if (needsMath.test(f)) e.use('math');
      const values: Record<string, string> = {
        x: e.value(x, broadcastIndex(e, index, z.shape, x.shape)),
        y: e.value(y, broadcastIndex(e, index, z.shape, y.shape)),
      };
      return e.name(f.replace(/\b[xy]\b/g, (letter) => values[letter]));
    },
    backward: ([x, y], z, g) => row.df(x, y, z, g),
    cost: (_inputs, z) => ({ flops: sizeOf(z.shape), bytes: 12 * sizeOf(z.shape) }),
  });
}

const ops = Object.fromEntries(
  Object.entries(table).map(([name, row]) => [name, binary(name, row)]),
) as Record<keyof typeof table, Op>;

export const twins = Object.entries<Row>(table).map(([name, row]) =>
  twin(ops[name as keyof typeof table], () => ({
    reference: ([x, y]) => elementwise(row.js, x, y),
    tolerance: row.tolerance,
    cases: broadcastCases.map((one) => ({ ...one, ...row.cases })),
  })),
);

/** Both operands as tensors of their common dtype. */
export function operands(a: TensorLike, b: TensorLike, arithmetic: boolean): [Tensor, Tensor, DType] {
  const x = toTensor(a, typeof b === 'object' && 'dtype' in b ? (b.dtype as DType) : undefined);
  const y = toTensor(b, x.dtype);
  const dtype = promote(x.dtype, y.dtype, arithmetic);
  return [cast(x, dtype), cast(y, dtype), dtype];
}

const call =
  (name: keyof typeof table) =>
  (a: TensorLike, b: TensorLike): Tensor => {
    let [x, y, dtype] = operands(a, b, true);
    if ((table[name] as Row).real && dtype !== 'f32') [x, y, dtype] = [cast(x, 'f32'), cast(y, 'f32'), 'f32'];
    if ((name === 'div' || name === 'floorDiv') && dtype === 'u32') [x, y] = [cast(x, 'i32'), cast(y, 'i32')];
    return apply(ops[name], [x, y]);
  };

/** a + b with broadcasting. */
export const add = call('add');
/** a - b with broadcasting. */
export const sub = call('sub');
/** a · b, element by element, with broadcasting. */
export const mul = call('mul');
/**
 * a / b with broadcasting. In f32 a division by zero gives ±Infinity or NaN; two integers give ⌊a / b⌋
 * (as in TensorFlow.js), and 0 where b is 0.
 */
export const div = call('div');
/** ⌊a / b⌋; for integers x / 0 is 0. */
export const floorDiv = call('floorDiv');
/** The larger of each pair; NaN wins. A tie sends its gradient to a. */
export const maximum = call('maximum');
/** The smaller of each pair; NaN wins. A tie sends its gradient to a. */
export const minimum = call('minimum');
/** aᵇ as IEEE has it: negative bases with whole exponents are fine. */
export const pow = call('pow');
/** (a - b)² */
export const squaredDifference = call('squaredDifference');
