/** Numbers in half the bits: storage for the operands of large products, where the adapter can. */
import type { Profile } from '../engine/profile.ts';
import { identity, type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, twin } from './define.ts';
import { pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast } from './select.ts';
import type { Tensor } from './tensor.ts';

const f = () => 'quantizeToF16(x)';

/** Rounded numbers in memory of their own, two to a word. Only plans for adapters with shader-f16 have it. */
const storedHalf = pointwise({ name: 'storedHalf', f, stored: 'f16' });

const told = new WeakSet<Profile>();

/** Says nothing of it on this engine: for a test that asks for f16 everywhere. */
export const keepQuiet = (profile: Profile): void => void told.add(profile);

/** Says, once per engine, why f16 saves nothing there. */
function tellOnce(profile: Profile): void {
  if (told.has(profile)) return;
  told.add(profile);
  const adapter = profile.description || profile.architecture || profile.backendName;
  console.warn(
    `half: this adapter (${adapter}) has no shader-f16, or init({ features }) left it out: numbers are rounded ` +
      'to f16 but kept as f32, which saves no memory.',
  );
}

const halfOp = pointwise({
  name: 'half',
  f,
  expand({ inputs }, profile) {
    if (profile.f16) return apply(identity, [apply(storedHalf, inputs)]);
    tellOnce(profile);
    return null;
  },
  backward: (_inputs, _y, g) => [g],
});

/**
 * x rounded to f16, as an f32 tensor: 11 significant bits, up to 65,504, with steps of 2⁻²⁴ near 0.
 *
 * Where the adapter has `shader-f16` (`engine.profile.f16`) the rounded numbers also lie in memory as f16, in half
 * the bytes, and are widened where they are read; elsewhere they are f32 and nothing is saved, but the numbers
 * are the same up to WGSL's freedom to round either way. The gradient passes as if nothing were rounded.
 */
export function half(x: TensorLike): Tensor {
  return apply(halfOp, [cast(toTensor(x), 'f32')]);
}

// ---- the twins

/** The largest finite f16. */
const MOST = 65_504;
/** f16 keeps 11 significant bits, down to 2⁻¹⁴; below, whole multiples of 2⁻²⁴. */
const LEAST_EXPONENT = -14;

/** x rounded to the nearest f16, to the even one of two. */
export function roundToHalf(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), LEAST_EXPONENT);
  const unit = 2 ** (exponent - 10);
  const whole = Math.round(x / unit);
  const tie = Math.abs(x / unit - Math.trunc(x / unit)) === 0.5;
  const rounded = (tie ? 2 * Math.round(x / unit / 2) : whole) * unit;
  return Math.abs(rounded) > MOST ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded;
}

// WGSL: either neighbour is a right rounding, and numbers below 2⁻¹⁴ may become 0.
const tolerance = { relative: 2 ** -10, absolute: 2 ** -14 };
const cases: Case[] = [
  { shapes: [[7]], noGradient: 'a step function, differentiated as if it were none' },
  { shapes: [[3, 5]], range: [-60_000, 60_000], noGradient: 'as above' },
  { shapes: [[130]], range: [-0.001, 0.001], noGradient: 'as above' },
];

const storedHalfTwin = twin(storedHalf, () => ({
  reference: ([x]) => elementwise(roundToHalf, x),
  tolerance,
  cases: [],
}));

const halfTwin = twin(halfOp, () => ({
  reference: ([x]) => elementwise(roundToHalf, x),
  tolerance,
  cases,
}));

/** For the registry. */
export const twins = [storedHalfTwin, halfTwin];
