/** How often predictions are right, by other measures than the highest score. */
import { oneHot } from '../../ops/movement.ts';
import { sum } from '../../ops/reduce.ts';
import { cast, where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { classNumbers, paired } from '../targets.ts';
import { type MetricFactory, meanOf, metricOf } from './metric.ts';

/** Share of values that are equal. What training calls 'accuracy' is chosen by shapes; see resolve.ts. */
export const accuracy = metricOf('accuracy', {}, () =>
  meanOf((yTrue, yPred) => {
    const [t, p] = paired('accuracy', yTrue, yPred);
    return t.equal(p);
  }),
);

export interface TopKOptions {
  /** How many guesses count; default 5. */
  k?: number;
}

/**
 * Share of rows whose right class is among the k highest scores. A NaN is among none, and ahead of every number.
 * `rows`: the right classes, and the scores.
 */
const amongBest = (
  name: string,
  rows: (yTrue: Tensor, yPred: Tensor) => readonly [Tensor, Tensor],
): MetricFactory<TopKOptions> =>
  metricOf<Required<TopKOptions>>(name, { k: 5 }, (given) => {
    const k = wholeNumber(given.k, name, 'k');
    return {
      orderOnly: true,
      ...meanOf((yTrue, yPred) => {
        const [labels, p] = rows(yTrue, yPred);
        const classes = p.shape[p.rank - 1];
        // A choice and not a product with 0 and 1, which would be NaN beside an infinite score.
        const own = sum(where(oneHot(labels, classes), p, 0), -1, true);
        return sum(cast(p.lessEqual(own), 'f32'), -1).greater(Math.max(classes - k, 0));
      }),
    };
  });

/** Share of rows whose right class, by one-hot y, is among the k highest scores. */
export const topKCategoricalAccuracy = amongBest('topKCategoricalAccuracy', (yTrue, yPred) => {
  const [t, p] = paired('topKCategoricalAccuracy', yTrue, yPred);
  return [t.argMax(-1), p];
});

/** Share of rows whose class y is among the k highest scores. */
export const sparseTopKCategoricalAccuracy = amongBest('sparseTopKCategoricalAccuracy', (yTrue, yPred) => [
  classNumbers('sparseTopKCategoricalAccuracy', yTrue, yPred),
  cast(yPred, 'f32'),
]);
