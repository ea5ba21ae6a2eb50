/** Trigonometric and hyperbolic functions and their inverses, a row each. They come with their own WGSL. */
import { trigonometry } from '../shaders/functions.ts';
import { add, div, mul, sub } from './binary.ts';
import { broadcastCases } from './cases.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, type Tolerance, twin } from './define.ts';
import { pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast } from './select.ts';
import { sizeOf } from './shape.ts';
import { neg, type Proof, type Row, rsqrt, square, type Unary, unaryOps, unaryTwins } from './unary.ts';

const table = {
  tan: {
    f: 'select(sin_kept(x) / cos_kept(x), tan_near(x), abs(x) < 8192.0)',
    df: (_x, y, g) => mul(g, add(square(y), 1)),
  },
  asin: { f: 'asin_of(x)', df: (x, _y, g) => mul(g, rsqrt(sub(1, square(x)))) },
  acos: { f: 'acos_of(x)', df: (x, _y, g) => neg(mul(g, rsqrt(sub(1, square(x))))) },
  atan: { f: 'atan_of(x)', df: (x, _y, g) => div(g, add(square(x), 1)) },
  sinh: { f: 'sinh_of(x)', df: (x, _y, g) => mul(g, cosh(x)) },
  cosh: { f: 'cosh_of(x)', df: (x, _y, g) => mul(g, sinh(x)) },
  asinh: { f: 'asinh_of(x)', df: (x, _y, g) => mul(g, rsqrt(add(square(x), 1))) },
  acosh: { f: 'acosh_of(x)', df: (x, _y, g) => mul(g, rsqrt(mul(sub(x, 1), add(x, 1)))) },
  atanh: { f: 'atanh_of(x)', df: (x, _y, g) => div(g, mul(sub(1, x), add(x, 1))) },
} satisfies Record<string, Row>;

const { ops, call } = unaryOps<keyof typeof table>(table, trigonometry);

/** tan x */
export const tan: Unary = call('tan');
/** arcsin x, from -π/2 to π/2; NaN outside [-1, 1]. */
export const asin: Unary = call('asin');
/** arccos x, from 0 to π; NaN outside [-1, 1]. */
export const acos: Unary = call('acos');
/** arctan x, from -π/2 to π/2. */
export const atan: Unary = call('atan');
/** (eˣ - e⁻ˣ) / 2 */
export const sinh: Unary = call('sinh');
/** (eˣ + e⁻ˣ) / 2 */
export const cosh: Unary = call('cosh');
/** log(x + √(x² + 1)), accurate near 0. */
export const asinh: Unary = call('asinh');
/** log(x + √(x² - 1)); NaN below 1. */
export const acosh: Unary = call('acosh');
/** log((1 + x) / (1 - x)) / 2; ±Infinity at ±1, NaN beyond. */
export const atanh: Unary = call('atanh');

const atan2Op = pointwise({
  name: 'atan2',
  functions: trigonometry,
  f: () => 'atan2_of(x, y)',
  backward([y, x], _angle, g) {
    const slope = div(g, add(square(x), square(y)));
    return [mul(slope, x), neg(mul(slope, y))];
  },
  cost: (_inputs, z) => ({ flops: sizeOf(z.shape), bytes: 12 * sizeOf(z.shape) }),
});

/**
 * The angle of the point (x, y), from -π to π: arctan(y / x) in the right quadrant; both broadcast.
 *
 * The signs of zeros count, as in IEEE: atan2(0, -1) is π and atan2(-0, -1) is -π.
 *
 * ```ts
 * const angle = atan2([1, -1], [-1, -1]);   // [3π/4, -3π/4]
 * ```
 */
export const atan2 = (y: TensorLike, x: TensorLike) =>
  apply(atan2Op, [cast(toTensor(y), 'f32'), cast(toTensor(x), 'f32')]);

// ---- the twins

/** A few units in the last place. */
const close: Tolerance = { relative: 1e-6, absolute: 1e-7 };
/** The same behind a division (2.5 units) and a square root, which WGSL makes of another division. */
const byRoot: Tolerance = { relative: 2e-6, absolute: 1e-7 };
/** WGSL lets e^x be off by 3 + 2 |x| units, and log x near 1 by 2⁻²¹. */
const byExp: Tolerance = { relative: 1e-5, absolute: 1e-6 };

const proofs: Record<keyof typeof table, Proof> = {
  tan: { js: Math.tan, tolerance: { relative: 3e-6, absolute: 1e-6 }, range: [-4, 4], avoid: [-1.57, 1.57] },
  asin: { js: Math.asin, tolerance: byRoot, range: [-0.95, 0.95] },
  acos: { js: Math.acos, tolerance: byRoot, range: [-0.95, 0.95] },
  atan: { js: Math.atan, tolerance: close, range: [-6, 6] },
  sinh: { js: Math.sinh, tolerance: byExp, range: [-5, 5] },
  cosh: { js: Math.cosh, tolerance: byExp, range: [-5, 5] },
  asinh: { js: Math.asinh, tolerance: byExp, range: [-9, 9] },
  acosh: { js: Math.acosh, tolerance: byExp, range: [1.05, 9] },
  atanh: { js: Math.atanh, tolerance: byExp, range: [-0.95, 0.95] },
};

const shapes: Case[] = [[], [0, 3], [257]].map((shape) => ({ shapes: [shape] }));

const atan2Twin = twin(atan2Op, () => ({
  reference: ([y, x]) => elementwise(Math.atan2, y, x),
  tolerance: close,
  // A gradient across the cut, where x is negative and y turns from + to -, is a jump.
  cases: broadcastCases.slice(1, 4).map((one) => ({ ...one, avoid: [0] })),
}));

/** For the registry. */
export const twins = [...unaryTwins(ops, proofs, shapes), atan2Twin];
