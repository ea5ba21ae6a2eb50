/** Counts of what is taken for a yes or a no, and their ratios. */
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { weighted } from '../losses/loss.ts';
import { paired } from '../pairs.ts';
import { divide, type MetricFactory, metricOf, sumPerSample, yes } from './metric.ts';

export interface CountOptions {
  /** A prediction above it is a yes; default 0.5. */
  thresholds?: number;
}

/**
 * What is counted; of a ratio, above and below the line. t: 0 or 1, yes: 1 where the prediction is a yes.
 */
const counted = (
  name: string,
  counts: (t: Tensor, yes: Tensor) => readonly Tensor[],
  direction?: 'down',
): MetricFactory<CountOptions> =>
  metricOf<Required<CountOptions>>(name, { thresholds: 0.5 }, ({ thresholds }) => {
    numberBetween(thresholds, name, 'thresholds', Number.NEGATIVE_INFINITY);
    return {
      direction,
      columns(yTrue, yPred, weight) {
        const [t, p] = paired(name, yTrue, yPred);
        return counts(t, yes(p, thresholds)).map((one) => sumPerSample(weighted(one, weight)));
      },
      result: ([above, below]) => (below === undefined ? above : divide(above, below)),
    };
  });

const no = (yes: Tensor): Tensor => yes.neg().add(1);

/** Share of the yeses that are right. */
export const precision = counted('precision', (t, yes) => [yes.mul(t), yes]);
/** Share of what is true that is found. */
export const recall = counted('recall', (t, yes) => [yes.mul(t), t]);
/** How many yeses are right. */
export const truePositives = counted('truePositives', (t, yes) => [yes.mul(t)]);
/** How many yeses are wrong. */
export const falsePositives = counted('falsePositives', (t, yes) => [yes.mul(no(t))], 'down');
/** How many noes are right. */
export const trueNegatives = counted('trueNegatives', (t, yes) => [no(yes).mul(no(t))]);
/** How many noes are wrong. */
export const falseNegatives = counted('falseNegatives', (t, yes) => [no(yes).mul(t)], 'down');
