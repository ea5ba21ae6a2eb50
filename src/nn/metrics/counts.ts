/** Counts of what is taken for a yes or a no, and their ratios. */
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { weighted } from '../losses/loss.ts';
import { paired } from '../targets.ts';
import { divide, type MetricFactory, metricOf, no, sumPerSample, yes } from './metric.ts';

export interface CountOptions {
  /** A prediction above it is a yes; default 0.5. */
  thresholds?: number;
}

/**
 * What is counted; of a ratio, above and below the line. t: 0 or 1; yes, no: 1 where the prediction is one, and
 * a NaN is neither.
 */
const counted = (
  name: string,
  counts: (t: Tensor, yes: Tensor, no: Tensor) => readonly Tensor[],
  direction?: 'down',
): MetricFactory<CountOptions> =>
  metricOf<Required<CountOptions>>(name, { thresholds: 0.5 }, ({ thresholds }) => {
    numberBetween(thresholds, name, 'thresholds', Number.NEGATIVE_INFINITY);
    return {
      direction,
      columns(yTrue, yPred, weight) {
        const [t, p] = paired(name, yTrue, yPred);
        return counts(t, yes(p, thresholds), no(p, thresholds)).map((one) =>
          sumPerSample(weighted(one, weight)),
        );
      },
      result: ([above, below]) => (below === undefined ? above : divide(above, below)),
    };
  });

const not = (x: Tensor): Tensor => x.neg().add(1);

/** Share of the yeses that are right. A NaN for what is not true counts as a wrong yes. */
export const precision = counted('precision', (t, yes, no) => [
  yes.mul(t),
  yes.mul(t).add(not(no).mul(not(t))),
]);
/** Share of what is true that is found. */
export const recall = counted('recall', (t, yes) => [yes.mul(t), t]);
/** How many yeses are right. */
export const truePositives = counted('truePositives', (t, yes) => [yes.mul(t)]);
/** How many yeses, or NaNs, stand where they are wrong. */
export const falsePositives = counted('falsePositives', (t, _yes, no) => [not(no).mul(not(t))], 'down');
/** How many noes are right. */
export const trueNegatives = counted('trueNegatives', (t, _yes, no) => [no.mul(not(t))]);
/** How many noes, or NaNs, stand where a yes is due. */
export const falseNegatives = counted('falseNegatives', (t, yes) => [not(yes).mul(t)], 'down');
