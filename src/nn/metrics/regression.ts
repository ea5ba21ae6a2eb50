/** Metrics of numbers rather than classes, beside the losses, each of which is a metric too. */

import { oneOf } from '../check.ts';
import { losses, weighted } from '../losses.ts';
import { readOptions } from '../names.ts';
import { paired } from '../pairs.ts';
import { type Columns, Metric, meanMetric } from './metric.ts';

const read = (name: string, options: object | undefined) =>
  readOptions(name, options, { name: null as string | null });

/** √ mean (t − p)² */
export function rootMeanSquaredError(options?: { name?: string | null }): Metric {
  const given = read('rootMeanSquaredError', options);
  const mean = meanMetric(
    given.name ?? 'root_mean_squared_error',
    (yTrue, yPred) => losses.meanSquaredError(yTrue, yPred),
    { direction: 'down', config: given, className: 'RootMeanSquaredError' },
  );
  return new Metric(mean.name, mean.columns, (...sums) => Math.sqrt(mean.result(...sums)), mean);
}

/** The cosine of the angle between y and the prediction. */
export function cosineSimilarity(options?: { name?: string | null }): Metric {
  const given = read('cosineSimilarity', options);
  return meanMetric(
    given.name ?? 'cosine_similarity',
    (yTrue, yPred) => losses.cosineSimilarity(yTrue, yPred).neg(),
    { config: given, className: 'CosineSimilarity' },
  );
}

export interface R2Options {
  name?: string | null;
  /** How several outputs become one number; default 'uniformAverage'. */
  classAggregation?: 'uniformAverage' | 'varianceWeightedAverage';
}

/** 1 − Σ (t − p)² / Σ (t − t̄)²: the share of the variance that predictions explain. 1 is perfect, 0 a guess of t̄. */
export function r2Score(options?: R2Options): Metric {
  const name = 'r2Score';
  const given = readOptions(name, options, {
    name: null as string | null,
    classAggregation: 'uniformAverage' as string,
    numRegressors: 0,
  });
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
  return new Metric(given.name ?? 'r2_score', columns, result, { config: given, className: 'R2Score' });
}
