/** Metrics by name, and what `compile({ metrics })` means. Each is a row: a mean of values, or sums and what they mean. */
import { ConfigError } from '../base/errors.ts';
import { oneHot } from '../ops/movement.ts';
import { sum } from '../ops/reduce.ts';
import { cast } from '../ops/select.ts';
import type { Shape } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { numberBetween, wholeNumber } from './check.ts';
import { Loss, losses, shortNames, weighted } from './losses.ts';
import { auc } from './metrics/auc.ts';
import { f1Score, fBetaScore } from './metrics/f-score.ts';
import { type Columns, divide, Metric, meanMetric, sumPerSample } from './metrics/metric.ts';
import { cosineSimilarity, r2Score, rootMeanSquaredError } from './metrics/regression.ts';
import { describe, kerasClass, Names, readOptions, snakeCase } from './names.ts';
import { classNumbers, isSparse, paired } from './pairs.ts';

interface MetricOptions {
  /** The key in logs; default the metric's name in snake_case. */
  name?: string | null;
  /** A prediction above it is a yes; default 0.5. */
  threshold?: number;
  /** The same for counts of yes and no, as Keras calls it there. */
  thresholds?: number;
  /** How many guesses count; default 5. */
  k?: number;
}

interface RowOptions {
  threshold: number;
  thresholds: number;
  k: number;
}

interface Row {
  readonly options?: Partial<RowOptions>;
  readonly orderOnly?: boolean;
  /** For a mean: the values. */
  readonly values?: (yTrue: Tensor, yPred: Tensor, options: RowOptions) => Tensor;
  /** For a count, what is counted; for a ratio, above and below the line. t: 0 or 1, yes: 1 where p is a yes. */
  readonly counts?: (t: Tensor, yes: Tensor) => readonly [Tensor] | readonly [Tensor, Tensor];
}

/** 1 where a prediction is a yes. */
const yes = (p: Tensor, threshold: number): Tensor => cast(p.greater(threshold), 'f32');

/** 1 where fewer than k classes have a higher score than the right one (t one-hot). */
function amongBest(t: Tensor, p: Tensor, k: number): Tensor {
  const own = sum(t.mul(p), -1, true);
  return sum(cast(p.greater(own), 'f32'), -1).less(k);
}

const no = (yes: Tensor): Tensor => yes.neg().add(1);

const yesOrNo = { thresholds: 0.5 };

const table = {
  /** Share of values that are equal. What training calls 'accuracy' is chosen by shapes; see resolveMetric. */
  accuracy: {
    values: (yTrue, yPred) => {
      const [t, p] = paired('accuracy', yTrue, yPred);
      return t.equal(p);
    },
  },
  /** Share of values on the right side of the threshold. */
  binaryAccuracy: {
    options: { threshold: 0.5 },
    values: (yTrue, yPred, { threshold }) => {
      const [t, p] = paired('binaryAccuracy', yTrue, yPred);
      const hits = cast(t.equal(yes(p, threshold)), 'f32');
      return hits.rank > 1 ? hits.mean(-1) : hits;
    },
  },
  /** Share of rows whose highest score is at the 1 of one-hot y. */
  categoricalAccuracy: {
    orderOnly: true,
    values: (yTrue, yPred) => {
      const [t, p] = paired('categoricalAccuracy', yTrue, yPred);
      return t.argMax(-1).equal(p.argMax(-1));
    },
  },
  /** Share of rows whose highest score is that of the class y. */
  sparseCategoricalAccuracy: {
    orderOnly: true,
    values: (yTrue, yPred) => yPred.argMax(-1).equal(classNumbers('sparseCategoricalAccuracy', yTrue, yPred)),
  },
  /** Share of rows whose right class, by one-hot y, is among the k highest scores. */
  topKCategoricalAccuracy: {
    orderOnly: true,
    options: { k: 5 },
    values: (yTrue, yPred, { k }) => {
      const [t, p] = paired('topKCategoricalAccuracy', yTrue, yPred);
      return amongBest(t, p, k);
    },
  },
  /** Share of rows whose class y is among the k highest scores. */
  sparseTopKCategoricalAccuracy: {
    orderOnly: true,
    options: { k: 5 },
    values: (yTrue, yPred, { k }) => {
      const labels = classNumbers('sparseTopKCategoricalAccuracy', yTrue, yPred);
      return amongBest(oneHot(labels, yPred.shape[yPred.rank - 1]), yPred, k);
    },
  },
  /** Share of the yeses that are right. */
  precision: { options: yesOrNo, counts: (t, yes) => [yes.mul(t), yes] },
  /** Share of what is true that is found. */
  recall: { options: yesOrNo, counts: (t, yes) => [yes.mul(t), t] },
  /** How many yeses are right. */
  truePositives: { options: yesOrNo, counts: (t, yes) => [yes.mul(t)] },
  /** How many yeses are wrong. */
  falsePositives: { options: yesOrNo, counts: (t, yes) => [yes.mul(no(t))] },
  /** How many noes are right. */
  trueNegatives: { options: yesOrNo, counts: (t, yes) => [no(yes).mul(no(t))] },
  /** How many noes are wrong. */
  falseNegatives: { options: yesOrNo, counts: (t, yes) => [no(yes).mul(t)] },
} satisfies Record<string, Row>;

type MetricName = keyof typeof table;

const factory =
  (name: MetricName) =>
  (options?: MetricOptions): Metric => {
    const row: Row = table[name];
    const given = readOptions(name, options, {
      name: null as string | null,
      ...row.options,
    }) as RowOptions & {
      name: string | null;
    };
    for (const option of ['threshold', 'thresholds'] as const)
      if (row.options?.[option] !== undefined)
        numberBetween(given[option], name, option, Number.NEGATIVE_INFINITY);
    if (row.options?.k !== undefined) wholeNumber(given.k, name, 'k');
    const key = given.name ?? snakeCase(kerasClass(name));
    const traits = {
      direction: name.startsWith('false') ? ('down' as const) : ('up' as const),
      orderOnly: row.orderOnly,
      config: given as unknown as Record<string, unknown>,
      className: kerasClass(name),
    };
    const { values, counts } = row;
    if (values) return meanMetric(key, (yTrue, yPred) => values(yTrue, yPred, given), traits);
    const columns: Columns = (yTrue, yPred, weight) => {
      const [t, p] = paired(name, yTrue, yPred);
      return counts!(t, yes(p, given.thresholds)).map((counted) => sumPerSample(weighted(counted, weight)));
    };
    const result = ([above, below]: readonly number[]): number =>
      below === undefined ? above : divide(above, below);
    return new Metric(key, columns, result, traits);
  };

/** A loss as a metric: its mean value. */
const lossMetric =
  (name: keyof typeof losses) =>
  (options?: {
    name?: string | null;
    fromLogits?: boolean;
    labelSmoothing?: number;
    delta?: number;
  }): Metric => {
    const loss = losses[name](options);
    return meanMetric(loss.name, (yTrue, yPred) => loss.values(yTrue, yPred), {
      direction: 'down',
      config: loss.config,
      className: loss.className,
    });
  };

type Factory = (options?: object) => Metric;

/** Metrics by name: `metrics.auc({ curve: 'PR' })`. Every loss is there too. */
export const metrics = {
  ...(Object.fromEntries((Object.keys(table) as MetricName[]).map((name) => [name, factory(name)])) as Record<
    MetricName,
    (options?: MetricOptions) => Metric
  >),
  ...(Object.fromEntries(
    (Object.keys(losses) as (keyof typeof losses)[]).map((name) => [name, lossMetric(name)]),
  ) as Record<keyof typeof losses, ReturnType<typeof lossMetric>>),
  auc,
  f1Score,
  fBetaScore,
  rootMeanSquaredError,
  r2Score,
  /** The cosine of the angle between y and the prediction: more is better. The loss is its negative. */
  cosineSimilarity,
};

export const metricNames = new Names<Factory>('metric', metrics as Record<string, Factory>, shortNames);

/** A metric of one's own: a function, or an object with `call` (and perhaps `name`, `direction`, `config`). */
export interface MetricDefinition {
  name?: string;
  /** Whether more is better; default 'up'. */
  direction?: 'up' | 'down';
  /** One value for each sample. */
  call(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: Record<string, unknown>;
}

export type MetricLike =
  | string
  | Metric
  | Loss
  | MetricDefinition
  | ((yTrue: Tensor, yPred: Tensor) => Tensor);

/** Chooses the metric once the shapes of y and the predictions are known. */
export type MetricChoice = (yTrue: Shape, yPred: Shape) => Metric;

/**
 * What `compile({ metrics: […] })` means by one entry. 'accuracy' (or 'acc') is binary where there is one
 * output, sparse where y holds class numbers, categorical otherwise; its key is the word as it was given.
 */
export function resolveMetric(given: unknown, operation: string): MetricChoice {
  if (typeof given === 'string' && ['accuracy', 'acc'].includes(given.toLowerCase()))
    return (yTrue, yPred) => {
      if (yPred.at(-1) === 1) return metrics.binaryAccuracy({ name: given });
      const sparse = isSparse(yTrue, yPred);
      return metrics[sparse ? 'sparseCategoricalAccuracy' : 'categoricalAccuracy']({ name: given });
    };
  if (typeof given === 'string' && ['crossentropy', 'ce'].includes(given.toLowerCase()))
    return (yTrue, yPred) => {
      if (yPred.at(-1) === 1) return metrics.binaryCrossentropy({ name: given });
      const sparse = isSparse(yTrue, yPred);
      return metrics[sparse ? 'sparseCategoricalCrossentropy' : 'categoricalCrossentropy']({ name: given });
    };
  const metric = metricOf(given, operation);
  return () => metric;
}

function metricOf(given: unknown, operation: string): Metric {
  if (given instanceof Metric) return given;
  if (given instanceof Loss)
    return meanMetric(given.name, (yTrue, yPred) => given.values(yTrue, yPred), { direction: 'down' });
  if (typeof given === 'string') return metricNames.get(given, operation)().named(given);
  if (typeof given === 'function')
    return meanMetric(given.name || 'metric', given as (t: Tensor, p: Tensor) => Tensor);
  if (typeof given === 'object' && given !== null && 'call' in given) {
    const { name = 'metric', call, direction, config } = given as MetricDefinition;
    return meanMetric(name, (yTrue, yPred) => call.call(given, yTrue, yPred), { direction, config });
  }
  throw new ConfigError(
    `${operation}: metric is ${describe(given)}; expected a name, a metric or a function.`,
  );
}

export { Metric, meanMetric };
