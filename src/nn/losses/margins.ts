/** Losses of scores and directions: by how much the right one is ahead, and the angle between two. */
import { EPSILON } from '../../ops/cross-entropy.ts';
import { sum } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { lossOf } from './loss.ts';

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
