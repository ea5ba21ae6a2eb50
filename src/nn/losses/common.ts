/** The losses that are named every day. */
import { sum } from '../../ops/reduce.ts';
import { softmaxCrossEntropy } from '../../ops/softmax.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { EPSILON, lossOf } from './loss.ts';

/** mean (t − p)² */
export const meanSquaredError = lossOf('meanSquaredError', (t, p) => p.sub(t).square());

/** mean |t − p| */
export const meanAbsoluteError = lossOf('meanAbsoluteError', (t, p) => p.sub(t).abs());

/** −Σ t · log p over the last axis, p first scaled to a sum of 1 and kept inside (0, 1). */
const crossEntropyOfProbabilities = (t: Tensor, p: Tensor): Tensor =>
  sum(t.mul(logOf(p.div(sum(p, -1, true)))), -1).neg();

const logOf = (p: Tensor): Tensor => p.clip(EPSILON, 1 - EPSILON).log();

const crossEntropy = (t: Tensor, p: Tensor, { fromLogits }: { fromLogits: boolean }): Tensor =>
  fromLogits ? softmaxCrossEntropy(p, t) : crossEntropyOfProbabilities(t, p);

/** A share of each label is spread evenly over all classes. */
const smooth = (t: Tensor, share: number, classes: number): Tensor =>
  share === 0 ? t : t.mul(1 - share).add(share / classes);

/** −Σ t · log p: rows t of probabilities, mostly one-hot */
export const categoricalCrossentropy = lossOf(
  'categoricalCrossentropy',
  (t, p, options) => crossEntropy(smooth(t, options.labelSmoothing, p.shape[p.rank - 1]), p, options),
  { fromLogits: false, labelSmoothing: 0 },
  { absorbs: 'softmax' },
);

/** −log p of the right class: class numbers t, one for each row */
export const sparseCategoricalCrossentropy = lossOf(
  'sparseCategoricalCrossentropy',
  crossEntropy,
  { fromLogits: false },
  { absorbs: 'softmax', sparse: true },
);

/** mean −(t · log p + (1 − t) · log(1 − p)) */
export const binaryCrossentropy = lossOf(
  'binaryCrossentropy',
  (yTrue, p, { fromLogits, labelSmoothing }) => {
    const t = smooth(yTrue, labelSmoothing, 2);
    // −log σ(z) = softplus(−z): each half is accurate where it counts, and so is the gradient at z = 0.
    const [ifTrue, ifFalse] = fromLogits
      ? [p.neg().softplus(), p.softplus()]
      : [p, p.neg().add(1)].map((x) => logOf(x).neg());
    return t.mul(ifTrue).add(t.neg().add(1).mul(ifFalse));
  },
  { fromLogits: false, labelSmoothing: 0 },
  { absorbs: 'sigmoid' },
);
