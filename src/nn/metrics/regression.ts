/** Metrics of numbers rather than classes, beside the losses, each of which is a metric too. */
import { fill, iota } from '../../ops/constant.ts';
import { concat } from '../../ops/movement.ts';
import { logicalAnd, where } from '../../ops/select.ts';
import { sizeOf } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { oneOf } from '../check.ts';
import * as losses from '../losses/index.ts';
import { weighted } from '../losses/loss.ts';
import { paired } from '../targets.ts';
import { type Columns, divide, type Join, type MetricFactory, meanOf, metricOf } from './metric.ts';

/** √ mean (t − p)² */
export const rootMeanSquaredError = metricOf('rootMeanSquaredError', {}, () => {
  const { columns, result } = meanOf((yTrue, yPred) => losses.meanSquaredError(yTrue, yPred));
  return { columns, result: (...sums) => Math.sqrt(result(...sums)), direction: 'down' };
});

/** The cosine of the angle between y and the prediction: more is better. The loss is its negative. */
export const cosineSimilarity = metricOf('cosineSimilarity', {}, () =>
  meanOf((yTrue, yPred) => losses.cosineSimilarity(yTrue, yPred).neg()),
);

export interface R2Options {
  /** How several outputs become one number; default 'uniformAverage'. */
  classAggregation?: 'uniformAverage' | 'varianceWeightedAverage';
}

const r2Defaults = { classAggregation: 'uniformAverage' as string, numRegressors: 0 };

/** The sums of two parts, by the anchor of the first. */
const joined: Join = (a, b) => {
  const outputs = (a.length - 1) / 5;
  if (a[5 * outputs] === 0) return b;
  return a.map((x, i) => {
    const [kind, output] = [Math.floor(i / outputs), i % outputs];
    const [, sum, squares, , count] = [0, 1, 2, 3, 4].map((k) => b[k * outputs + output]);
    const shift = b[output] - a[output];
    if (kind === 0) return x;
    if (kind === 1) return x + sum + count * shift;
    return x + (kind === 2 ? squares + 2 * shift * sum + count * shift * shift : b[i]);
  });
};

/**
 * 1 − Σ (t − p)² / Σ (t − t̄)²: the share of the variance that predictions explain. 1 is perfect, 0 a guess of t̄.
 *
 * Sums are of d = t − anchor, the mean of the first batch: Σ t² − (Σ t)² / n would be rounding where t is far from 0.
 */
export const r2Score: MetricFactory<R2Options> = metricOf('r2Score', r2Defaults, (given) => {
  const name = 'r2Score';
  oneOf(given.numRegressors, name, 'numRegressors', [0]);
  const aggregation = oneOf(
    given.classAggregation.replaceAll('_', '').toLowerCase(),
    name,
    'classAggregation',
    ['uniformaverage', 'varianceweightedaverage'],
  );
  const columns: Columns = (yTrue, yPred, weight, before) => {
    const [t, p] = paired(name, yTrue, yPred);
    const [samples, ...inner] = t.shape;
    const outputs = sizeOf(inner);
    const flat = (x: Tensor): Tensor => x.reshape([samples, outputs]);
    let anchor = t.mean(0);
    let begins = iota(samples).equal(0);
    if (before) {
      const seen = before.slice([5 * outputs], [1]);
      anchor = where(seen.greater(0).reshape([]), before.slice([0], [outputs]).reshape(inner), anchor);
      begins = logicalAnd(begins, seen.equal(0));
    }
    const d = t.sub(anchor);
    const sums = [d, d.square(), t.sub(p).square(), fill(t.shape, 1)];
    return [
      concat(
        [
          where(begins.reshape([samples, 1]), anchor.reshape([1, outputs]), 0),
          ...sums.map((x) => flat(weighted(x, weight))),
          fill([samples, 1], 1),
        ],
        1,
      ),
    ];
  };
  const result = (sums: readonly number[]): number => {
    const outputs = (sums.length - 1) / 5;
    const of = Array.from({ length: outputs }, (_, i) => {
      const [sum, squares, residue, count] = [1, 2, 3, 4].map((kind) => sums[kind * outputs + i]);
      const variance = squares - divide(sum * sum, count);
      return { variance, score: variance === 0 ? 0 : 1 - residue / variance };
    });
    const share = ({ variance }: { variance: number }): number =>
      aggregation === 'uniformaverage' ? 1 : variance;
    const total = of.reduce((sum, one) => sum + share(one), 0);
    return of.reduce((sum, one) => sum + share(one) * one.score, 0) / total;
  };
  return { columns, result, join: joined };
});
