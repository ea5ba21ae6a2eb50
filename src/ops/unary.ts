/** Functions of one element, a row each: the WGSL, the derivative in ops, and the float64 twin. */
import { add, div, mul, sub } from './binary.ts';
import { fill, type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, defineOp, type Op, type Tolerance, twin } from './define.ts';
import { elementwise } from './reference.ts';
import { cast, greater, less, where } from './select.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

interface Row {
  /** WGSL of f(x). */
  readonly f: string;
  /** The gradient for x, given x, y = f(x) and the gradient g of y. */
  readonly df: (x: Tensor, y: Tensor, g: Tensor) => Tensor | null;
  /** f in float64. */
  readonly js: (x: number) => number;
  readonly tolerance: Tolerance;
  readonly range?: readonly [number, number];
  readonly avoid?: readonly number[];
  /** WGSL for integers, where they keep their dtype; otherwise they become f32 first. */
  readonly integers?: string;
}

const exact: Tolerance = {};
const rounded: Tolerance = { relative: 3e-7 };
const transcendental: Tolerance = { relative: 1e-5, absolute: 1e-6 };
const hyperbolic: Tolerance = { relative: 1e-5, absolute: 2e-5 };

const sigmoid64 = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const softplus64 = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** erf by its series (|x| < 3) or continued fraction: exact to 1e-15, for tests only. */
export function erf64(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let sum = a;
  let term = a;
  for (let n = 1; n < 200; n++) {
    term *= (-a * a) / n;
    sum += term / (2 * n + 1);
  }
  return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
}

/** Constants of "Self-Normalizing Neural Networks" (Klambauer et al. 2017). */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const table = {
  neg: { f: '-x', df: (_x, _y, g) => neg(g), js: (x) => -x, tolerance: exact, integers: '-x' },
  abs: {
    f: 'abs(x)',
    df: (x, _y, g) => mul(g, sign(x)),
    js: Math.abs,
    tolerance: exact,
    avoid: [0],
    integers: 'abs(x)',
  },
  sign: {
    f: 'select(sign(x), x, is_nan(x))',
    df: (x) => fill(x.shape, 0),
    js: Math.sign,
    tolerance: exact,
    avoid: [0],
  },
  floor: { f: 'floor(x)', df: (x) => fill(x.shape, 0), js: Math.floor, tolerance: exact },
  ceil: { f: 'ceil(x)', df: (x) => fill(x.shape, 0), js: Math.ceil, tolerance: exact },
  square: {
    f: 'x * x',
    df: (x, _y, g) => mul(g, mul(x, 2)),
    js: (x) => x * x,
    tolerance: rounded,
    integers: 'x * x',
  },
  sqrt: {
    f: 'sqrt(x)',
    df: (_x, y, g) => div(g, mul(y, 2)),
    js: Math.sqrt,
    tolerance: { relative: 1e-6 },
    range: [0.1, 4],
  },
  rsqrt: {
    f: 'inverseSqrt(x)',
    df: (x, y, g) => mul(g, mul(div(y, x), -0.5)),
    js: (x) => 1 / Math.sqrt(x),
    tolerance: { relative: 1e-6 },
    range: [0.1, 4],
  },
  reciprocal: {
    f: '1.0 / x',
    df: (_x, y, g) => neg(mul(g, square(y))),
    js: (x) => 1 / x,
    tolerance: { relative: 1e-6 },
    range: [0.2, 4],
  },
  exp: { f: 'exp_kept(x)', df: (_x, y, g) => mul(g, y), js: Math.exp, tolerance: transcendental },
  expm1: { f: 'expm1(x)', df: (_x, y, g) => mul(g, add(y, 1)), js: Math.expm1, tolerance: transcendental },
  log: {
    f: 'log_kept(x)',
    df: (x, _y, g) => div(g, x),
    js: Math.log,
    tolerance: transcendental,
    range: [0.1, 4],
  },
  log1p: {
    f: 'select(log_kept(1.0 + x), log1p_unit(x), abs(x) < 0.5)',
    df: (x, _y, g) => div(g, add(x, 1)),
    js: Math.log1p,
    tolerance: transcendental,
    range: [-0.5, 4],
  },
  sin: { f: 'sin(x)', df: (x, _y, g) => mul(g, cos(x)), js: Math.sin, tolerance: { absolute: 1e-3 } },
  cos: { f: 'cos(x)', df: (x, _y, g) => neg(mul(g, sin(x))), js: Math.cos, tolerance: { absolute: 1e-3 } },
  tanh: {
    f: 'tanh_safe(x)',
    df: (_x, y, g) => mul(g, sub(1, square(y))),
    js: Math.tanh,
    tolerance: hyperbolic,
  },
  sigmoid: {
    f: 'sigmoid(x)',
    df: (_x, y, g) => mul(g, mul(y, sub(1, y))),
    js: sigmoid64,
    tolerance: transcendental,
  },
  softplus: {
    f: 'softplus(x)',
    df: (x, _y, g) => mul(g, sigmoid(x)),
    js: softplus64,
    tolerance: transcendental,
  },
  logSigmoid: {
    f: '-softplus(-x)',
    df: (x, _y, g) => mul(g, sigmoid(neg(x))),
    js: (x) => -softplus64(-x),
    tolerance: transcendental,
  },
  softsign: {
    f: 'x / (1.0 + abs(x))',
    df: (x, _y, g) => div(g, square(add(abs(x), 1))),
    js: (x) => x / (1 + Math.abs(x)),
    tolerance: { relative: 1e-6 },
  },
  relu: {
    f: 'select(x, 0.0, x < 0.0)',
    df: (_x, y, g) => where(greater(y, 0), g, 0),
    js: (x) => Math.max(x, 0),
    tolerance: exact,
    avoid: [0],
    integers: 'max(x, 0)',
  },
  relu6: {
    f: 'select(select(x, 0.0, x < 0.0), 6.0, x > 6.0)',
    df: (_x, y, g) => where(greater(y, 0), where(less(y, 6), g, 0), 0),
    js: (x) => (x < 0 ? 0 : Math.min(x, 6)),
    tolerance: exact,
    range: [-3, 9],
    avoid: [0, 6],
  },
  elu: {
    f: 'select(x, expm1(x), x < 0.0)',
    df: (_x, y, g) => where(less(y, 0), mul(g, add(y, 1)), g),
    js: (x) => (x < 0 ? Math.expm1(x) : x),
    tolerance: transcendental,
    avoid: [0],
  },
  selu: {
    f: `${SELU_SCALE} * select(x, ${SELU_ALPHA} * expm1(x), x < 0.0)`,
    df: (_x, y, g) => where(less(y, 0), mul(g, add(y, SELU_SCALE * SELU_ALPHA)), mul(g, SELU_SCALE)),
    js: (x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x),
    tolerance: transcendental,
    avoid: [0],
  },
  erf: {
    f: 'erf(x)',
    df: (x, _y, g) => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
    js: erf64,
    tolerance: { relative: 1e-5, absolute: 2e-6 },
  },
  isNaN: {
    f: 'select(0.0, 1.0, is_nan(x))',
    df: (x) => fill(x.shape, 0),
    js: (x) => Number(Number.isNaN(x)),
    tolerance: exact,
  },
} satisfies Record<string, Row>;

/** Names of lib functions; a row that uses one pulls in the library. */
const needsMath = /\b(is_nan|exp_kept|log_kept|sigmoid|softplus|log1p_unit|expm1|tanh_safe|erf)\(/;

function unary(name: string, row: Row): Op {
  const integers = row.integers !== undefined;
  return defineOp({
    name,
    shape: ([x]) => x,
    dtype: ([x]) => (integers ? x : 'f32'),
    expression(e, [x], index) {
      if (needsMath.test(row.f)) e.use('math');
      const value = e.value(x, index);
      return e.name((x.dtype === 'f32' ? row.f : row.integers!).replace(/\bx\b/g, value));
    },
    backward: ([x], y, g) => [row.df(x, y, g)],
    cost: ([x]) => ({ flops: sizeOf(x.shape), bytes: 8 * sizeOf(x.shape) }),
  });
}

const ops = Object.fromEntries(
  Object.entries(table).map(([name, row]) => [name, unary(name, row)]),
) as Record<keyof typeof table, Op>;

/** A prime, a tile edge and its neighbours, a scalar, nothing. */
const shapes: Case[] = [[], [1], [5], [0], [2, 3], [63], [64, 2], [257]].map((shape) => ({
  shapes: [shape],
}));

export const twins = Object.entries<Row>(table).map(([name, row]) =>
  twin(ops[name as keyof typeof table], () => ({
    reference: ([x]) => elementwise(row.js, x),
    tolerance: row.tolerance,
    cases: shapes.map((one) => ({ ...one, range: row.range, avoid: row.avoid })),
  })),
);

const call = (name: keyof typeof table) => {
  const integers = (table[name] as Row).integers !== undefined;
  return (input: TensorLike): Tensor => {
    const x = toTensor(input);
    const fits = x.dtype === 'f32' || (integers && x.dtype === 'i32');
    return apply(ops[name], [fits ? x : cast(x, integers ? 'i32' : 'f32')]);
  };
};

/** -x */
export const neg = call('neg');
/** |x| */
export const abs = call('abs');
/** -1, 0 or 1 */
export const sign = call('sign');
/** The largest whole number ≤ x. */
export const floor = call('floor');
/** The smallest whole number ≥ x. */
export const ceil = call('ceil');
/** x² */
export const square = call('square');
/** √x; NaN below 0. */
export const sqrt = call('sqrt');
/** 1 / √x */
export const rsqrt = call('rsqrt');
/** 1 / x */
export const reciprocal = call('reciprocal');
/** eˣ */
export const exp = call('exp');
/** eˣ - 1, accurate near 0. */
export const expm1 = call('expm1');
/** Natural logarithm; -Infinity at 0, NaN below. */
export const log = call('log');
/** log(1 + x), accurate near 0. */
export const log1p = call('log1p');
/** sin x */
export const sin = call('sin');
/** cos x */
export const cos = call('cos');
/** tanh x */
export const tanh = call('tanh');
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = call('sigmoid');
/** log(1 + eˣ) */
export const softplus = call('softplus');
/** log(sigmoid x) = -softplus(-x) */
export const logSigmoid = call('logSigmoid');
/** x / (1 + |x|) */
export const softsign = call('softsign');
/** max(x, 0), keeping NaN. The gradient at 0 is 0. */
export const relu = call('relu');
/** min(max(x, 0), 6), keeping NaN. */
export const relu6 = call('relu6');
/** x above 0, eˣ - 1 below. */
export const elu = call('elu');
/** Scaled elu (Klambauer et al. 2017). */
export const selu = call('selu');
/** Gauss error function. */
export const erf = call('erf');
/** 1 where x is NaN, else 0. */
export const isNan = call('isNaN');
