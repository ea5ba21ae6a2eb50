/** The remainder of a division. */
import { remainder } from '../shaders/functions.ts';
import { div, mul, operands } from './binary.ts';
import { broadcastCases } from './cases.ts';
import type { TensorLike } from './constant.ts';
import { apply, type Case, twin } from './define.ts';
import { pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast } from './select.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { floor, neg } from './unary.ts';

const modOp = pointwise({
  name: 'mod',
  functions: remainder,
  f: ([x]) => (x.dtype === 'f32' ? 'mod_floor(x, y)' : 'select(x - y * floor_div_i32(x, y), 0, y == 0)'),
  backward: ([x, y], _z, g) => (x.dtype === 'f32' ? [g, neg(mul(g, floor(div(x, y))))] : [null, null]),
  cost: (_inputs, z) => ({ flops: 4 * sizeOf(z.shape), bytes: 12 * sizeOf(z.shape) }),
});

/**
 * x mod y = x − y ⌊x / y⌋ with broadcasting, exactly; it has the sign of y, as in Python.
 *
 * For y = 0 it is NaN, for integers 0. Integers stay integers (i32).
 *
 * ```ts
 * mod([5, -5, 5.5], 3)   // [2, 1, 2.5]
 * ```
 */
export function mod(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = operands(x, y, true);
  const dtype = a.dtype === 'u32' ? 'i32' : a.dtype;
  return apply(modOp, [cast(a, dtype), cast(b, dtype)]);
}

// ---- the twin

/** JavaScript's % has the sign of x. */
export function mod64(x: number, y: number): number {
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
}

const cases: Case[] = [
  // Where x is a multiple of y there is a jump.
  ...broadcastCases.slice(1, 4).map((one): Case => ({ ...one, range: [1.05, 1.95] })),
  { shapes: [[257], [257]], range: [0.5, 900], noGradient: 'jumps everywhere' },
];

const modTwin = twin(modOp, () => ({
  reference: ([x, y]) => elementwise(mod64, x, y),
  // Exact where the signs agree; otherwise one difference is rounded.
  tolerance: { relative: 1e-6 },
  cases,
}));

/** For the registry. */
export const twins = [modTwin];
