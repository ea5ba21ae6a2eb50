/** Metrics of numbers rather than classes, beside the losses, each of which is a metric too. */
import { oneOf } from '../check.ts';
import * as common from '../losses/common.ts';
import { weighted } from '../losses/loss.ts';
import * as seldom from '../losses/seldom.ts';
import { paired } from '../pairs.ts';
import { type Columns, type MetricFactory, meanOf, metricOf } from './metric.ts';

/** √ mean (t − p)² */
export const rootMeanSquaredError = metricOf('rootMeanSquaredError', {}, () => {
  const { columns, result } = meanOf((yTrue, yPred) => common.meanSquaredError(yTrue, yPred));
  return { columns, result: (...sums) => Math.sqrt(result(...sums)), direction: 'down' };
});

/** The cosine of the angle between y and the prediction: more is better. The loss is its negative. */
export const cosineSimilarity = metricOf('cosineSimilarity', {}, () =>
  meanOf((yTrue, yPred) => seldom.cosineSimilarity(yTrue, yPred).neg()),
);

export interface R2Options {
  /** How several outputs become one number; default 'uniformAverage'. */
  classAggregation?: 'uniformAverage' | 'varianceWeightedAverage';
}

const r2Defaults = { classAggregation: 'uniformAverage' as string, numRegressors: 0 };

/** 1 − Σ (t − p)² / Σ (t − t̄)²: the share of the variance that predictions explain. 1 is perfect, 0 a guess of t̄. */
export const r2Score: MetricFactory<R2Options> = metricOf('r2Score', r2Defaults, (given) => {
  const name = 'r2Score';
  oneOf(given.numRegressors, name, 'numRegressors', [0]);
  const aggregation = oneOf(
    given.classAggregation.replaceAll('_', '').toLowerCase(),
    name,
    'classAggregation',
    ['uniformaverage', 'varianceweightedaverage'],
  );
  const columns: Columns = (yTrue, yPred, weight) => {
    const [t, p] = paired(name, yTrue, yPred);
    const ones = t.mul(0).add(1);
    const outputs = t.shape.slice(1).reduce((product, size) => product * size, 1);
    return [t, t.square(), t.sub(p).square(), ones].map((x) =>
      weighted(x, weight).reshape([t.shape[0], outputs]),
    );
  };
  const result = (sums: readonly number[]): number => {
    const outputs = sums.length / 4;
    const of = Array.from({ length: outputs }, (_, i) => {
      const [sum, squares, residue, count] = [0, 1, 2, 3].map((kind) => sums[kind * outputs + i]);
      const variance = squares - (sum * sum) / count;
      return { variance, score: variance === 0 ? 0 : 1 - residue / variance };
    });
    const share = ({ variance }: { variance: number }): number =>
      aggregation === 'uniformaverage' ? 1 : variance;
    const total = of.reduce((sum, one) => sum + share(one), 0);
    return of.reduce((sum, one) => sum + share(one) * one.score, 0) / total;
  };
  return { columns, result };
});
