/** Losses of numbers: what is made of the difference between the true and the predicted one. */
import { EPSILON, squaredError } from '../../ops/cross-entropy.ts';
import { where } from '../../ops/select.ts';
import { lossOf } from './loss.ts';

/** mean (t − p)² */
export const meanSquaredError = lossOf('meanSquaredError', squaredError);

/** mean |t − p| */
export const meanAbsoluteError = lossOf('meanAbsoluteError', (t, p) => p.sub(t).abs());

/** 100 · mean |t − p| / |t| */
export const meanAbsolutePercentageError = lossOf('meanAbsolutePercentageError', (t, p) =>
  t.sub(p).div(t.abs().maximum(EPSILON)).abs().mul(100),
);

/** mean (log(1 + t) − log(1 + p))² */
export const meanSquaredLogarithmicError = lossOf('meanSquaredLogarithmicError', (t, p) =>
  p.maximum(EPSILON).log1p().sub(t.maximum(EPSILON).log1p()).square(),
);

/** ½ e² up to |e| = delta, then delta · |e| − ½ delta² */
export const huber = lossOf(
  'huber',
  (t, p, { delta }) => {
    const e = p.sub(t).abs();
    return where(e.lessEqual(delta), e.square().mul(0.5), e.mul(delta).sub(0.5 * delta * delta));
  },
  { delta: 1 },
);

/** mean log cosh(p − t) */
export const logCosh = lossOf('logCosh', (t, p) => {
  // Of |e|, so that it is ∞ far out on both sides.
  const e = p.sub(t).abs();
  return e.add(e.mul(-2).softplus()).sub(Math.LN2);
});
