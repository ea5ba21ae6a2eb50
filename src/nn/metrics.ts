/**
 * Metrics: what each sample adds to some sums, and what the sums of an epoch mean. A mean needs one sum,
 * precision two; summing happens on the GPU, the last line on the host.
 */
import { ConfigError } from '../base/errors.ts';
import { type TensorLike, toTensor } from '../ops/constant.ts';
import { oneHot } from '../ops/movement.ts';
import { sum } from '../ops/reduce.ts';
import { cast } from '../ops/select.ts';
import type { Shape } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { numberBetween, wholeNumber } from './check.ts';
import { Loss, losses, shortNames, weighted } from './losses.ts';
import { describe, kerasClass, Names, readOptions, snakeCase } from './names.ts';
import { classNumbers, isSparse, paired, perSample } from './pairs.ts';

/** What a metric computes for the samples of a batch: [N] each, to be summed. */
type Columns = (yTrue: Tensor, yPred: Tensor, weight: Tensor | null) => Tensor[];

interface MetricTraits {
  /** Whether more is better; callbacks ask. Default 'up'. */
  direction?: 'up' | 'down';
  /** True where only the order within a row counts, so that logits do as well as probabilities. */
  orderOnly?: boolean;
  config?: Readonly<Record<string, unknown>>;
  /** How many columns there are, without and with weights; default [1, 2], as for a mean. */
  sums?: readonly [number, number];
  /** Keras's class name; default null: a metric of one's own, which files cannot describe. */
  className?: string | null;
}

/** A number that tells how good predictions are. */
export class Metric {
  /** The key in logs. */
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly orderOnly: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly sums: readonly [number, number];
  readonly className: string | null;
  /** What each sample adds to each of the sums. */
  readonly columns: Columns;
  /** The metric from the sums and the number of samples. */
  readonly result: (sums: readonly number[], samples: number) => number;

  constructor(
    name: string,
    columns: Columns,
    result: (sums: readonly number[], samples: number) => number,
    { direction = 'up', orderOnly = false, config = {}, sums = [1, 2], className = null }: MetricTraits = {},
  ) {
    this.className = className;
    this.sums = sums;
    this.name = name;
    this.columns = columns;
    this.result = result;
    this.direction = direction;
    this.orderOnly = orderOnly;
    this.config = config;
  }

  /** The same metric under another key. */
  named(name: string): Metric {
    return new Metric(name, this.columns, this.result, this);
  }

  /** The metric of given predictions, for use outside of training. */
  async compute(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null): Promise<number> {
    const [t, p] = [toTensor(yTrue), toTensor(yPred)];
    const weight =
      sampleWeight === null || sampleWeight === undefined ? null : cast(toTensor(sampleWeight), 'f32');
    const columns = this.columns(t, p, weight);
    const sums = await Promise.all(columns.map((column) => sum(column).item()));
    return this.result(sums, t.shape[0] ?? 1);
  }
}

/** The mean over samples of some values: [N, …] of them. */
export function meanMetric(
  name: string,
  values: (yTrue: Tensor, yPred: Tensor) => Tensor,
  traits: MetricTraits = {},
): Metric {
  const columns: Columns = (yTrue, yPred, weight) => {
    const all = cast(values(yTrue, yPred), 'f32');
    return (weight ? [weighted(all, weight), weight] : [all]).map(perSample);
  };
  const mean = ([total, weights]: readonly number[], samples: number): number =>
    divide(total, weights ?? samples);
  return new Metric(name, columns, mean, traits);
}

/** a / b, and 0 for nothing of nothing. */
const divide = (a: number, b: number): number => (b === 0 ? (Number.isNaN(a) ? a : 0) : a / b);

/** Σ over all axes but the first. */
const sumPerSample = (x: Tensor): Tensor =>
  x.rank < 2
    ? x
    : sum(
        x,
        Array.from({ length: x.rank - 1 }, (_, i) => i + 1),
      );

interface MetricOptions {
  /** The key in logs; default the metric's name in snake_case. */
  name?: string | null;
  /** A prediction above it is a yes; default 0.5. */
  threshold?: number;
  /** How many guesses count; default 5. */
  k?: number;
}

interface Row {
  readonly options?: Partial<{ threshold: number; k: number }>;
  readonly orderOnly?: boolean;
  /** For a mean: the values. */
  readonly values?: (yTrue: Tensor, yPred: Tensor, options: { threshold: number; k: number }) => Tensor;
  /** For a ratio: what is counted above and below the line. */
  readonly ratio?: (yTrue: Tensor, yPred: Tensor, options: { threshold: number }) => [Tensor, Tensor];
}

/** 1 where a prediction is a yes. */
const yes = (p: Tensor, threshold: number): Tensor => cast(p.greater(threshold), 'f32');

/** 1 where fewer than k classes have a higher score than the right one (t one-hot). */
function amongBest(t: Tensor, p: Tensor, k: number): Tensor {
  const own = sum(t.mul(p), -1, true);
  return sum(cast(p.greater(own), 'f32'), -1).less(k);
}

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
  precision: {
    options: { threshold: 0.5 },
    ratio: (t, p, { threshold }) => [yes(p, threshold).mul(t), yes(p, threshold)],
  },
  /** Share of what is true that is found. */
  recall: {
    options: { threshold: 0.5 },
    ratio: (t, p, { threshold }) => [yes(p, threshold).mul(t), t],
  },
} satisfies Record<string, Row>;

type MetricName = keyof typeof table;

const factory =
  (name: MetricName) =>
  (options?: MetricOptions): Metric => {
    const row: Row = table[name];
    const given = readOptions(name, options, { name: null as string | null, ...row.options }) as {
      name: string | null;
      threshold: number;
      k: number;
    };
    if (row.options?.threshold !== undefined)
      numberBetween(given.threshold, name, 'threshold', Number.NEGATIVE_INFINITY);
    if (row.options?.k !== undefined) wholeNumber(given.k, name, 'k');
    const key = given.name ?? snakeCase(kerasClass(name));
    const traits = {
      orderOnly: row.orderOnly,
      config: given as unknown as Record<string, unknown>,
      className: kerasClass(name),
    };
    const { values, ratio } = row;
    if (values) return meanMetric(key, (yTrue, yPred) => values(yTrue, yPred, given), traits);
    const columns: Columns = (yTrue, yPred, weight) => {
      const [t, p] = paired(name, yTrue, yPred);
      return ratio!(t, p, given).map((counted) => sumPerSample(weighted(counted, weight)));
    };
    return new Metric(key, columns, ([above, below]) => divide(above, below), { ...traits, sums: [2, 2] });
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

/** Metrics by name: `metrics.topKCategoricalAccuracy({ k: 3 })`. Every loss is there too. */
export const metrics = {
  ...(Object.fromEntries((Object.keys(table) as MetricName[]).map((name) => [name, factory(name)])) as Record<
    MetricName,
    (options?: MetricOptions) => Metric
  >),
  ...(Object.fromEntries(
    (Object.keys(losses) as (keyof typeof losses)[]).map((name) => [name, lossMetric(name)]),
  ) as Record<keyof typeof losses, ReturnType<typeof lossMetric>>),
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
