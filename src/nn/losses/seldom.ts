/** The losses that are seldom named. */
import { sum } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { EPSILON, lossOf } from './loss.ts';

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

/** Σ t · log(t / p) */
export const klDivergence = lossOf('klDivergence', (yTrue, yPred) => {
  const [t, p] = [yTrue, yPred].map((x) => x.clip(EPSILON, 1));
  return sum(t.mul(t.div(p).log()), -1);
});

/** mean p − t · log p */
export const poisson = lossOf('poisson', (t, p) => p.sub(t.mul(p.add(EPSILON).log())));

/** Rows of length 1 under a square root, but never 0. */
const unit = (x: Tensor): Tensor =>
  x.div(
    sum(x.square(), -1, true)
      .maximum(EPSILON * EPSILON)
      .sqrt(),
  );

/** −cos of the angle between t and p */
export const cosineSimilarity = lossOf('cosineSimilarity', (t, p) => sum(unit(t).mul(unit(p)), -1).neg());

/** Labels 0 and 1 become −1 and 1, when there are no others. */
function hingeLabels(t: Tensor): Tensor {
  const others = sum(t.notEqual(0).logicalAnd(t.notEqual(1)).cast('f32'));
  return where(others.equal(0), t.mul(2).sub(1), t);
}

/** By how much 1 − t · p is above 0. */
const missed = (t: Tensor, p: Tensor): Tensor => hingeLabels(t).mul(p).neg().add(1).relu();

/** mean max(1 − t · p, 0), t = ±1 */
export const hinge = lossOf('hinge', missed);

/** mean max(1 − t · p, 0)² */
export const squaredHinge = lossOf('squaredHinge', (t, p) => missed(t, p).square());

/** max(best of the wrong classes − the right one + 1, 0) */
export const categoricalHinge = lossOf('categoricalHinge', (t, p) => {
  const wrong = t.neg().add(1).mul(p).max(-1);
  return wrong
    .sub(sum(t.mul(p), -1))
    .add(1)
    .relu();
});
