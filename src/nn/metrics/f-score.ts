import { EPSILON } from '../../ops/cross-entropy.ts';
import { oneHot } from '../../ops/movement.ts';
import { cast, logicalAnd } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween, oneOf } from '../check.ts';
import { weighted } from '../losses/loss.ts';
import { classNumbers, isSparse, paired } from '../targets.ts';
import { type Columns, type MetricFactory, metricOf } from './metric.ts';

export interface FScoreOptions {
  /**
   * How the scores of the classes become one number: 'macro', their mean (the default; Keras's is a list, for
   * which logs have no place), 'weighted' by how often a class is true, or 'micro', the score of all counts.
   */
  average?: 'macro' | 'micro' | 'weighted';
  /** A prediction above it is a yes; default null: the highest of each row is. */
  threshold?: number | null;
  /** How much more recall counts than precision; default 1. For fBetaScore. */
  beta?: number;
}

type F1Options = Omit<FScoreOptions, 'beta'>;

const defaults: Required<F1Options> = { average: 'macro', threshold: null };

/**
 * The harmonic mean of precision and recall, with β² times the weight on recall:
 * (1 + β²) · precision · recall / (β² · precision + recall).
 *
 * Predictions: [n, classes]; y the same with one-hot rows, or [n] class numbers.
 */
function fScore(name: string, given: typeof defaults, beta: number) {
  const average = oneOf(given.average, name, 'average', ['macro', 'micro', 'weighted']);
  const threshold = given.threshold === null ? null : numberBetween(given.threshold, name, 'threshold', 0, 1);
  const square = beta ** 2;

  const columns: Columns = (yTrue, yPred, weight) => {
    const classes = yPred.shape[yPred.rank - 1];
    const sparse = classes > 1 && isSparse(yTrue.shape, yPred.shape);
    const rows = sparse ? oneHot(classNumbers(name, yTrue, yPred), classes) : yTrue;
    const [t, p] = paired(name, rows, yPred);
    const yes = cast(threshold === null ? highest(p) : p.greater(threshold), 'f32');
    return [yes.mul(t), yes, t].map((counted) => weighted(counted, weight));
  };
  const score = (both: number, yes: number, trues: number): number => {
    const [precision, recall] = [both / (yes + EPSILON), both / (trues + EPSILON)];
    return ((1 + square) * precision * recall) / (square * precision + recall + EPSILON);
  };
  const result = (sums: readonly number[]): number => {
    const classes = sums.length / 3;
    const [both, yes, trues] = [0, 1, 2].map((i) => sums.slice(i * classes, (i + 1) * classes));
    const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    if (average === 'micro') return score(total(both), total(yes), total(trues));
    const shares =
      average === 'macro'
        ? trues.map(() => 1 / classes)
        : trues.map((count) => count / (total(trues) + EPSILON));
    return total(shares.map((share, i) => share * score(both[i], yes[i], trues[i])));
  };
  return { columns, result };
}

/** The highest of each row, unless it is 0. */
const highest = (p: Tensor): Tensor => logicalAnd(p.greaterEqual(p.max(-1, true)), p.abs().greater(1e-9));

/** The mean of precision and recall: `fScore` with β = 1. */
export const f1Score: MetricFactory<F1Options> = metricOf('f1Score', defaults, (given) =>
  fScore('f1Score', given, 1),
);

/** The mean of precision and recall, where recall counts β times as much. */
export const fBetaScore: MetricFactory<FScoreOptions> = metricOf(
  'fBetaScore',
  { ...defaults, beta: 1 },
  (given) => fScore('fBetaScore', given, numberBetween(given.beta, 'fBetaScore', 'beta', EPSILON)),
  'FBetaScore',
  'fbeta_score',
);
