import { ValueError } from '../../base/errors.ts';
import { tensor } from '../../ops/constant.ts';
import { EPSILON } from '../../ops/cross-entropy.ts';
import { stack } from '../../ops/movement.ts';
import { cast, logicalOr } from '../../ops/select.ts';
import { flag, oneOf, wholeNumber } from '../check.ts';
import { weighted } from '../losses/loss.ts';
import { describe } from '../names.ts';
import { paired } from '../targets.ts';
import { type Columns, divide, type MetricFactory, metricOf, no, sumPerSample, yes } from './metric.ts';

export interface AucOptions {
  /** How many points the curve has; default 200. */
  numThresholds?: number;
  /** The thresholds between 0 and 1 themselves; default null: evenly spread. */
  thresholds?: readonly number[] | null;
  /** 'ROC', recall over false positives (the default), or 'PR', precision over recall. */
  curve?: 'ROC' | 'PR';
  /** How the area between two points is taken: 'interpolation' (the default), 'minoring' or 'majoring'. */
  summationMethod?: 'interpolation' | 'minoring' | 'majoring';
  /** A curve for each output, and the mean of their areas; default false: one curve for all outputs. */
  multiLabel?: boolean;
  /** Whether predictions are taken for logits, and go through a sigmoid first; default false. */
  fromLogits?: boolean;
}

/** What is counted above each threshold. The first one is below 0: there, everything is. */
interface Counts {
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
}

/** The points of a curve, from the lowest threshold to the highest. */
const curves: Record<'ROC' | 'PR', (counts: Counts) => { x: number[]; y: number[] }> = {
  ROC: ({ truePositives, falsePositives }) => ({
    x: falsePositives.map((count) => divide(count, falsePositives[0])),
    y: truePositives.map((count) => divide(count, truePositives[0])),
  }),
  PR: ({ truePositives, falsePositives }) => ({
    x: truePositives.map((count) => divide(count, truePositives[0])),
    y: truePositives.map((count, i) => divide(count, count + falsePositives[i])),
  }),
};

const heights: Record<NonNullable<AucOptions['summationMethod']>, (a: number, b: number) => number> = {
  interpolation: (a, b) => (a + b) / 2,
  minoring: Math.min,
  majoring: Math.max,
};

/**
 * The area under a curve of precision and recall when the counts, not the precision, are interpolated between
 * points (Davis and Goadrich 2006).
 */
function interpolatedPrecision({ truePositives, falsePositives }: Counts): number {
  const positives = truePositives.map((count, i) => count + falsePositives[i]);
  let area = 0;
  for (let i = 0; i + 1 < positives.length; i++) {
    const gained = truePositives[i] - truePositives[i + 1];
    const slope = divide(gained, Math.max(positives[i] - positives[i + 1], 0));
    const intercept = truePositives[i + 1] - slope * positives[i + 1];
    const ratio = positives[i] > 0 && positives[i + 1] > 0 ? positives[i] / positives[i + 1] : 1;
    area += divide(slope * (gained + intercept * Math.log(ratio)), truePositives[0]);
  }
  return area;
}

/** How far beyond 0 and 1 a prediction may be by rounding alone. */
const SLACK = 1e-5;

/**
 * The area under the curve of y (0 or 1) against predictions in [0, 1], by Keras's 200 thresholds: the curve's
 * points are counts of the predictions above each of them, summed on the GPU. A NaN is on the wrong side of each.
 *
 * y and predictions: [n] or [n, outputs].
 *
 * ValueError where predictions lie outside [0, 1]: thresholds do not tell those apart.
 */
export const auc: MetricFactory<AucOptions> = metricOf<
  Required<AucOptions> & { numLabels: null; labelWeights: null }
>(
  'auc',
  {
    numThresholds: 200,
    curve: 'ROC',
    summationMethod: 'interpolation',
    thresholds: null,
    multiLabel: false,
    fromLogits: false,
    numLabels: null,
    labelWeights: null,
  },
  ({ numLabels, labelWeights, ...config }) => {
    const name = 'auc';
    oneOf(numLabels, name, 'numLabels', [null]);
    oneOf(labelWeights, name, 'labelWeights', [null]);
    const curve = oneOf(config.curve, name, 'curve', ['ROC', 'PR'] as const);
    const method = oneOf(config.summationMethod, name, 'summationMethod', [
      'interpolation',
      'minoring',
      'majoring',
    ] as const);
    const multiLabel = flag(config.multiLabel, name, 'multiLabel');
    const fromLogits = flag(config.fromLogits, name, 'fromLogits');
    const thresholds = thresholdsOf(
      wholeNumber(config.numThresholds, name, 'numThresholds', 2),
      config.thresholds,
    );
    const count = thresholds.length;

    const columns: Columns = (yTrue, yPred, weight) => {
      const [t, p] = paired(name, yTrue, yPred);
      const [samples] = t.shape;
      const outputs = t.size / Math.max(samples, 1);
      const share = fromLogits ? p.sigmoid() : p;
      const places = share.clip(0, 1).reshape([samples, outputs, 1]);
      const truth = [t, t.neg().add(1)].map((one) => weighted(one, weight).reshape([samples, outputs, 1]));
      // What is true counts where it is above a threshold, what is not where it is not below.
      const counts = stack(
        [
          truth[0].mul(yes(places, tensor(thresholds))),
          truth[1].mul(no(places, tensor(thresholds)).neg().add(1)),
        ],
        2,
      ); // [samples, outputs, true or not, thresholds]
      const outside = cast(logicalOr(share.less(-SLACK), share.greater(1 + SLACK)), 'f32');
      return [
        multiLabel
          ? counts.reshape([samples, outputs * 2 * count])
          : (outputs === 1 ? counts : counts.sum(1)).reshape([samples, 2 * count]),
        sumPerSample(weighted(outside, weight)),
      ];
    };
    const area = (truePositives: readonly number[], falsePositives: readonly number[]): number => {
      const counts = { truePositives, falsePositives };
      if (curve === 'PR' && method === 'interpolation') return interpolatedPrecision(counts);
      const { x, y } = curves[curve](counts);
      return x.slice(1).reduce((sum, next, i) => sum + (x[i] - next) * heights[method](y[i], y[i + 1]), 0);
    };
    const result = (sums: readonly number[]): number => {
      const outside = sums[sums.length - 1];
      if (outside > 0)
        throw new ValueError(
          `${name}: ${outside} of the predictions lie outside 0 to 1, where thresholds cannot tell them apart. For logits say metrics.auc({ fromLogits: true }); let other models end in a sigmoid.`,
        );
      const curvesIn = (sums.length - 1) / (2 * count);
      const counts = (i: number): readonly number[] => sums.slice(i * count, (i + 1) * count);
      const areas = Array.from({ length: curvesIn }, (_, i) => area(counts(2 * i), counts(2 * i + 1)));
      return areas.reduce((sum, one) => sum + one, 0) / curvesIn;
    };
    return { columns, result, config };
  },
  'AUC',
);

/** Thresholds within [0, 1], with one just below and one just above. */
function thresholdsOf(count: number, given: readonly number[] | null): Float32Array {
  if (given !== null && !(Array.isArray(given) && given.every((one) => one >= 0 && one <= 1)))
    throw new ValueError(`auc: thresholds are ${describe(given)}; expected numbers from 0 to 1.`);
  const inner = given
    ? [...given].sort((a, b) => a - b)
    : Array.from({ length: count - 2 }, (_, i) => (i + 1) / (count - 1));
  return Float32Array.from([-EPSILON, ...inner, 1 + EPSILON]);
}
