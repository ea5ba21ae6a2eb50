/** Functions of one element, a row each: the WGSL and the derivative in ops, and below the float64 twin. */
import { add, div, mul, sub } from './binary.ts';
import { cancels, opaque } from './cancel.ts';
import { fill, type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, type Op, opsOf, type Tolerance, twin } from './define.ts';
import { libraryOf, pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast, equal, greater, less, where } from './select.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface Row {
  /** WGSL of f(x). */
  readonly f: string;
  /** The gradient for x, given x, y = f(x) and the gradient g of y. */
  readonly df: (x: Tensor, y: Tensor, g: Tensor) => Tensor;
  /** WGSL for integers, where they keep their dtype; otherwise they become f32 first. */
  readonly integers?: string;
}

/** The gradient of steps. */
export const none: Row['df'] = (x) => fill(x.shape, 0);

/** Constants of "Self-Normalizing Neural Networks" (Klambauer et al. 2017). */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const table = {
  neg: { f: '-x', integers: '-x', df: (_x, _y, g) => neg(g) },
  abs: { f: 'abs(x)', integers: 'abs(x)', df: (x, _y, g) => where(equal(x, 0), 0, mul(g, sign(x))) },
  sign: { f: 'select(sign(x), x, is_nan(x))', df: none },
  floor: { f: 'floor(x)', df: none },
  ceil: { f: 'ceil(x)', df: none },
  round: { f: 'round(x)', df: none },
  square: { f: 'x * x', integers: 'x * x', df: (x, _y, g) => mul(g, mul(x, 2)) },
  sqrt: { f: 'sqrt(x)', df: (_x, y, g) => div(g, mul(y, 2)) },
  rsqrt: { f: 'inverseSqrt(x)', df: (x, y, g) => mul(g, mul(div(y, x), -0.5)) },
  reciprocal: { f: '1.0 / x', df: (_x, y, g) => neg(mul(g, square(y))) },
  exp: { f: 'exp_kept(x)', df: (_x, y, g) => mul(g, y) },
  expm1: { f: 'expm1(x)', df: (_x, y, g) => mul(g, add(y, 1)) },
  log: { f: 'log_kept(x)', df: (x, _y, g) => div(g, x) },
  log1p: { f: 'log1p(x)', df: (x, _y, g) => div(g, add(x, 1)) },
  sin: { f: 'sin_kept(x)', df: (x, _y, g) => mul(g, cos(x)) },
  cos: { f: 'cos_kept(x)', df: (x, _y, g) => neg(mul(g, sin(x))) },
  tanh: { f: 'tanh_safe(x)', df: (_x, y, g) => mul(g, sub(1, square(y))) },
  sigmoid: { f: 'sigmoid(x)', df: (_x, y, g) => mul(g, mul(y, sub(1, y))) },
  softplus: { f: 'softplus(x)', df: (x, _y, g) => mul(g, sigmoid(x)) },
  logSigmoid: { f: '-softplus(-x)', df: (x, _y, g) => mul(g, sigmoid(neg(x))) },
  softsign: { f: 'x / (1.0 + abs(x))', df: (x, _y, g) => div(g, square(add(abs(x), 1))) },
  relu: {
    f: 'select(x, 0.0, x < 0.0)',
    integers: 'max(x, 0)',
    df: (_x, y, g) => where(greater(y, 0), g, 0),
  },
  relu6: {
    f: 'select(select(x, 0.0, x < 0.0), 6.0, x > 6.0)',
    df: (_x, y, g) => where(greater(y, 0), where(less(y, 6), g, 0), 0),
  },
  elu: {
    f: 'select(x, expm1(x), x < 0.0)',
    df: (_x, y, g) => where(less(y, 0), mul(g, add(y, 1)), g),
  },
  selu: {
    f: `${SELU_SCALE} * select(x, ${SELU_ALPHA} * expm1(x), x < 0.0)`,
    df: (_x, y, g) => where(less(y, 0), mul(g, add(y, SELU_SCALE * SELU_ALPHA)), mul(g, SELU_SCALE)),
  },
  erf: { f: 'erf(x)', df: (x, _y, g) => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))) },
} satisfies Record<string, Row>;

/** Named where it is used: rows call each other, which leaves nothing to infer a type from. */
export type Unary = (x: TensorLike) => Tensor;

/** The ops of a table, and what calls one. `functions`: WGSL that its rows call. */
export function unaryOps<Name extends string>(table: Readonly<Record<Name, Row>>, functions?: string) {
  const ops = opsOf<Name, Row>(table, ({ f, integers, df }, name) =>
    pointwise({
      name,
      functions,
      library: libraryOf(f),
      dtype: ([x]) => (integers ? x : 'f32'),
      f([x], _y, e) {
        if (x.dtype !== 'f32') return integers!;
        return cancels(name, x, x) ? f.replace(/x$/, opaque('x', e)) : f;
      },
      backward: ([x], y, g) => [df(x, y, g)],
      cost: ([x]) => ({ flops: sizeOf(x.shape), bytes: 8 * sizeOf(x.shape) }),
    }),
  );
  const call =
    (name: Name): Unary =>
    (input) => {
      const x = toTensor(input);
      return apply(ops[name], [table[name].integers && x.dtype !== 'f32' ? cast(x, 'i32') : cast(x, 'f32')]);
    };
  return { ops, call };
}

const { ops, call } = unaryOps<keyof typeof table>(table);

/** -x */
export const neg: Unary = call('neg');
/** |x| */
export const abs: Unary = call('abs');
/** -1, 0 or 1 */
export const sign: Unary = call('sign');
/** The largest whole number ≤ x. */
export const floor: Unary = call('floor');
/** The smallest whole number ≥ x. */
export const ceil: Unary = call('ceil');
/** The nearest whole number; of two equally near, the even one. */
export const round: Unary = call('round');
/** x² */
export const square: Unary = call('square');
/** √x; NaN below 0. */
export const sqrt: Unary = call('sqrt');
/** 1 / √x */
export const rsqrt: Unary = call('rsqrt');
/** 1 / x */
export const reciprocal: Unary = call('reciprocal');
/** eˣ */
export const exp: Unary = call('exp');
/** eˣ - 1, accurate near 0. */
export const expm1: Unary = call('expm1');
/** Natural logarithm; -Infinity at 0, NaN below. */
export const log: Unary = call('log');
/** log(1 + x), accurate near 0. */
export const log1p: Unary = call('log1p');
/** sin x, off by less than 2e-7 up to |x| = 2³¹, on every adapter. */
export const sin: Unary = call('sin');
/** cos x, as near as sin x. */
export const cos: Unary = call('cos');
/** tanh x, accurate near 0. */
export const tanh: Unary = call('tanh');
/** 1 / (1 + e⁻ˣ) */
export const sigmoid: Unary = call('sigmoid');
/** log(1 + eˣ), accurate where it is near 0. */
export const softplus: Unary = call('softplus');
/** log(sigmoid x) = -softplus(-x) */
export const logSigmoid: Unary = call('logSigmoid');
/** x / (1 + |x|) */
export const softsign: Unary = call('softsign');
/** max(x, 0), keeping NaN. The gradient at 0 is 0. */
export const relu: Unary = call('relu');
/** min(max(x, 0), 6), keeping NaN. */
export const relu6: Unary = call('relu6');
/** x above 0, eˣ - 1 below. */
export const elu: Unary = call('elu');
/** Scaled elu (Klambauer et al. 2017). */
export const selu: Unary = call('selu');
/** Gauss error function. */
export const erf: Unary = call('erf');

// ---- the twins

const exact: Tolerance = {};
const rounded: Tolerance = { relative: 3e-7 };
const roots: Tolerance = { relative: 1e-6 };
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

/** Math.round goes up from the middle. */
export function roundToEven(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** f in float64, how near to it the op must come, and on which numbers. */
export interface Proof extends Pick<Case, 'range' | 'avoid'> {
  readonly js: (x: number) => number;
  readonly tolerance: Tolerance;
}

const proofs: Record<keyof typeof table, Proof> = {
  neg: { js: (x) => -x, tolerance: exact },
  abs: { js: Math.abs, tolerance: exact, avoid: [0] },
  sign: { js: Math.sign, tolerance: exact, avoid: [0] },
  floor: { js: Math.floor, tolerance: exact },
  ceil: { js: Math.ceil, tolerance: exact },
  round: { js: roundToEven, tolerance: exact },
  square: { js: (x) => x * x, tolerance: rounded },
  sqrt: { js: Math.sqrt, tolerance: roots, range: [0.1, 4] },
  rsqrt: { js: (x) => 1 / Math.sqrt(x), tolerance: roots, range: [0.1, 4] },
  reciprocal: { js: (x) => 1 / x, tolerance: roots, range: [0.2, 4] },
  exp: { js: Math.exp, tolerance: transcendental },
  expm1: { js: Math.expm1, tolerance: transcendental },
  log: { js: Math.log, tolerance: transcendental, range: [0.1, 4] },
  log1p: { js: Math.log1p, tolerance: transcendental, range: [-0.5, 4] },
  sin: { js: Math.sin, tolerance: { absolute: 5e-7 } },
  cos: { js: Math.cos, tolerance: { absolute: 5e-7 } },
  tanh: { js: Math.tanh, tolerance: hyperbolic },
  sigmoid: { js: sigmoid64, tolerance: transcendental },
  softplus: { js: softplus64, tolerance: transcendental },
  logSigmoid: { js: (x) => -softplus64(-x), tolerance: transcendental },
  softsign: { js: (x) => x / (1 + Math.abs(x)), tolerance: { relative: 1e-6 } },
  relu: { js: (x) => Math.max(x, 0), tolerance: exact, avoid: [0] },
  relu6: { js: (x) => (x < 0 ? 0 : Math.min(x, 6)), tolerance: exact, range: [-3, 9], avoid: [0, 6] },
  elu: { js: (x) => (x < 0 ? Math.expm1(x) : x), tolerance: transcendental, avoid: [0] },
  selu: {
    js: (x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x),
    tolerance: transcendental,
    avoid: [0],
  },
  erf: { js: erf64, tolerance: { relative: 1e-5, absolute: 2e-6 } },
};

/** A prime, a tile edge and its neighbours, a scalar, nothing. */
const shapes: Case[] = [[], [1], [5], [0], [2, 3], [63], [64, 2], [257]].map((shape) => ({
  shapes: [shape],
}));

/** The twins of a table's ops. */
export const unaryTwins = <Name extends string>(
  ops: Readonly<Record<Name, Op>>,
  proofs: Readonly<Record<Name, Proof>>,
  shapes: readonly Case[],
) =>
  (Object.entries(proofs) as [Name, Proof][]).map(([name, { js, tolerance, range, avoid }]) =>
    twin(ops[name], () => ({
      reference: ([x]) => elementwise(js, x),
      tolerance,
      cases: shapes.map((one) => ({ ...one, range, avoid })),
    })),
  );

/** For the registry. */
export const twins = unaryTwins(ops, proofs, shapes);
