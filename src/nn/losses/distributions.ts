/** Losses of what a model gives as a distribution: probabilities of classes, or a rate. */
import * as formulas from '../../ops/cross-entropy.ts';
import { sum } from '../../ops/reduce.ts';
import { lossOf } from './loss.ts';

/** −Σ t · log p: rows t of probabilities, mostly one-hot */
export const categoricalCrossentropy = lossOf(
  'categoricalCrossentropy',
  formulas.categoricalCrossentropy,
  { fromLogits: false, labelSmoothing: 0 },
  { absorbs: 'softmax' },
);

/** −log p of the right class: class numbers t, one for each row */
export const sparseCategoricalCrossentropy = lossOf(
  'sparseCategoricalCrossentropy',
  (t, p, options) => formulas.categoricalCrossentropy(t, p, { ...options, labelSmoothing: 0 }),
  { fromLogits: false },
  { absorbs: 'softmax', sparse: true },
);

/** mean −(t · log p + (1 − t) · log(1 − p)) */
export const binaryCrossentropy = lossOf(
  'binaryCrossentropy',
  formulas.binaryCrossentropy,
  { fromLogits: false, labelSmoothing: 0 },
  { absorbs: 'sigmoid' },
);

/** Σ t · log(t / p) */
export const klDivergence = lossOf('klDivergence', (yTrue, yPred) => {
  const [t, p] = [yTrue, yPred].map((x) => x.clip(formulas.EPSILON, 1));
  return sum(t.mul(t.div(p).log()), -1);
});

/** mean p − t · log p */
export const poisson = lossOf('poisson', (t, p) => p.sub(t.mul(p.add(formulas.EPSILON).log())));
