/**
 * The slow twins of losses and metrics: float64, plain loops. A loss is one value for each row of y and
 * predictions; a metric is one number for all rows, of which each counts as its weight says.
 */
import type { losses, metrics } from '../../src/index.ts';

type Row = readonly number[];
/** The value of one row. */
type OfRow = (t: Row, p: Row) => number;
/** The metric of all rows. */
type OfRows = (t: readonly Row[], p: readonly Row[], weights: Row) => number;

const EPSILON = 1e-7;
const total = (values: Row): number => values.reduce((sum, x) => sum + x, 0);
const over = (a: number, b: number): number => (b === 0 ? (Number.isNaN(a) ? a : 0) : a / b);
const clip = (x: number, low = EPSILON, high = 1 - EPSILON): number => Math.min(Math.max(x, low), high);
const argMax = (p: Row): number => {
  const nan = p.findIndex(Number.isNaN);
  return nan >= 0 ? nan : p.indexOf(Math.max(...p));
};
/** The mean over a row of what f makes of each pair. */
const mean =
  (f: (t: number, p: number) => number): OfRow =>
  (t, p) =>
    total(t.map((one, i) => f(one, p[i]))) / t.length;

const unit = (x: Row): Row => {
  const length = Math.sqrt(Math.max(total(x.map((one) => one * one)), EPSILON * EPSILON));
  return x.map((one) => one / length);
};
const crossEntropy: OfRow = (t, p) => -total(t.map((one, i) => one * Math.log(clip(p[i] / total(p)))));
/** Labels are −1 and 1 here. */
const missed = (t: number, p: number): number => Math.max(1 - t * p, 0);

/** Classes are one-hot rows here, for the sparse form too. */
export const lossTwins: Record<keyof typeof losses, OfRow> = {
  meanSquaredError: mean((t, p) => (p - t) ** 2),
  meanAbsoluteError: mean((t, p) => Math.abs(p - t)),
  meanAbsolutePercentageError: mean((t, p) => Math.abs((t - p) / Math.max(Math.abs(t), EPSILON)) * 100),
  meanSquaredLogarithmicError: mean(
    (t, p) => (Math.log1p(Math.max(p, EPSILON)) - Math.log1p(Math.max(t, EPSILON))) ** 2,
  ),
  huber: mean((t, p) => {
    const e = Math.abs(p - t);
    return e <= 1 ? e ** 2 / 2 : e - 0.5;
  }),
  logCosh: mean((t, p) => {
    const e = Math.abs(p - t);
    return e + Math.log1p(Math.exp(-2 * e)) - Math.LN2;
  }),
  klDivergence: (t, p) =>
    total(
      t.map((one, i) => clip(one, EPSILON, 1) * Math.log(clip(one, EPSILON, 1) / clip(p[i], EPSILON, 1))),
    ),
  poisson: mean((t, p) => p - t * Math.log(p + EPSILON)),
  cosineSimilarity: (t, p) => {
    const [a, b] = [unit(t), unit(p)];
    return -total(a.map((one, i) => one * b[i]));
  },
  hinge: mean(missed),
  squaredHinge: mean((t, p) => missed(t, p) ** 2),
  categoricalHinge: (t, p) => {
    const x = Math.max(...t.map((one, i) => (1 - one) * p[i])) - total(t.map((one, i) => one * p[i])) + 1;
    return Math.max(x, 0);
  },
  binaryCrossentropy: mean((t, p) => -(t * Math.log(clip(p)) + (1 - t) * Math.log(clip(1 - p)))),
  categoricalCrossentropy: crossEntropy,
  sparseCategoricalCrossentropy: crossEntropy,
};

/** The mean over rows of what f makes of each. */
const meanOf =
  (f: OfRow): OfRows =>
  (t, p, weights) =>
    over(total(t.map((row, i) => f(row, p[i]) * weights[i])), total(weights));

/** Weights of the elements of which a question is true: of y, prediction, and place in the row. */
const count = (
  t: readonly Row[],
  p: readonly Row[],
  weights: Row,
  of: (t: number, p: number) => number,
): number => total(t.flatMap((row, i) => row.map((one, j) => of(one, p[i][j]) * weights[i])));

const right = {
  yes: (t: number, p: number) => t * Number(p > 0.5),
  no: (t: number, p: number) => (1 - t) * Number(p <= 0.5),
};
/** A NaN is neither a yes nor a no: always wrong. */
const wrong = {
  yes: (t: number, p: number) => (1 - t) * Number(!(p <= 0.5)),
  no: (t: number, p: number) => t * Number(!(p > 0.5)),
};

const fScore: OfRows = (t, p, weights) => {
  const classes = t[0]?.length ?? 2;
  const scores = Array.from({ length: classes }, (_, j) => {
    const yes = p.map((row) => Number(row[j] === Math.max(...row) && Math.abs(row[j]) > 1e-9));
    const sums = (of: (i: number) => number) => total(t.map((_, i) => of(i) * weights[i]));
    const [both, said, is] = [sums((i) => yes[i] * t[i][j]), sums((i) => yes[i]), sums((i) => t[i][j])];
    const [precision, recall] = [both / (said + EPSILON), both / (is + EPSILON)];
    return (2 * precision * recall) / (precision + recall + EPSILON);
  });
  return total(scores) / classes;
};

const auc: OfRows = (t, p, weights) => {
  const inner = Array.from({ length: 198 }, (_, i) => Math.fround((i + 1) / 199));
  const points = [-1, ...inner, 2].map((threshold) => ({
    x: count(t, p, weights, (one, score) => (1 - one) * Number(!(score <= threshold))),
    y: count(t, p, weights, (one, score) => one * Number(score > threshold)),
  }));
  const [{ x: negatives, y: positives }] = points;
  return total(
    points
      .slice(1)
      .map(
        ({ x, y }, i) =>
          over(points[i].x - x, negatives) * ((over(points[i].y, positives) + over(y, positives)) / 2),
      ),
  );
};

const r2: OfRows = (t, p, weights) => {
  const outputs = t[0]?.length ?? 2;
  const scores = Array.from({ length: outputs }, (_, j) => {
    const center = total(t.map((row, i) => row[j] * weights[i])) / total(weights);
    const spread = total(t.map((row, i) => (row[j] - center) ** 2 * weights[i]));
    const residue = total(t.map((row, i) => (row[j] - p[i][j]) ** 2 * weights[i]));
    return spread === 0 || total(weights) === 0 ? 0 : 1 - residue / spread;
  });
  return total(scores) / outputs;
};

const among =
  (k: number): OfRow =>
  (t, p) => {
    const own = p[argMax(t)];
    return Number(!Number.isNaN(own) && p.filter((score) => !(score <= own)).length < k);
  };

const { cosineSimilarity, ...asMetrics } = lossTwins;
const hits: OfRow = (t, p) => Number(argMax(p) === argMax(t));

/** Top-k with k = 1; the others with their defaults. */
export const metricTwins: Record<Exclude<keyof typeof metrics, 'mean'>, OfRows> = {
  ...(Object.fromEntries(Object.entries(asMetrics).map(([name, twin]) => [name, meanOf(twin)])) as Record<
    keyof typeof asMetrics,
    OfRows
  >),
  cosineSimilarity: meanOf((t, p) => -cosineSimilarity(t, p)),
  rootMeanSquaredError: (...rows) => Math.sqrt(meanOf(lossTwins.meanSquaredError)(...rows)),
  accuracy: meanOf(mean((t, p) => Number(t === p))),
  binaryAccuracy: meanOf(mean((t, p) => right.yes(t, p) + right.no(t, p))),
  categoricalAccuracy: meanOf(hits),
  sparseCategoricalAccuracy: meanOf(hits),
  topKCategoricalAccuracy: meanOf(among(1)),
  sparseTopKCategoricalAccuracy: meanOf(among(1)),
  truePositives: (...rows) => count(...rows, right.yes),
  trueNegatives: (...rows) => count(...rows, right.no),
  falsePositives: (...rows) => count(...rows, wrong.yes),
  falseNegatives: (...rows) => count(...rows, wrong.no),
  precision: (...rows) =>
    over(count(...rows, right.yes), count(...rows, right.yes) + count(...rows, wrong.yes)),
  recall: (...rows) =>
    over(
      count(...rows, right.yes),
      count(...rows, (t) => t),
    ),
  auc,
  f1Score: fScore,
  fBetaScore: fScore,
  r2Score: r2,
  perplexity: (...rows) => Math.exp(meanOf(crossEntropy)(...rows)),
};
