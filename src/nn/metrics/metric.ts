/** What a metric is: what each sample adds to some sums, and what the sums of an epoch mean. */
import { type TensorLike, toTensor } from '../../ops/constant.ts';
import { sum } from '../../ops/reduce.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { type Loss, type LossFactory, type LossOptions, weighted } from '../losses/loss.ts';
import { kerasClass, readOptions, snakeCase } from '../names.ts';
import { innerAxes, perSample, valuesFrom } from '../targets.ts';

/**
 * What a metric computes for the samples of a batch, to be summed over them: [N] or [N, sums] each. `before`: the
 * sums of the batches before it, for metrics that have a `join`, and whose columns are one [N, sums].
 */
export type Columns = (
  yTrue: Tensor,
  yPred: Tensor,
  weight: Tensor | null,
  before?: Tensor | null,
) => Tensor[];

/** The sums of two parts of the samples as those of both. */
export type Join = (a: Float64Array, b: Float64Array) => Float64Array;

/** The metric from the sums and the number of samples. */
type Result = (sums: readonly number[], samples: number) => number;

export interface MetricTraits {
  /** Whether more is better; callbacks ask. Default 'up'. */
  direction?: 'up' | 'down';
  /** True where only the order within a row counts, so that logits do as well as probabilities. */
  orderOnly?: boolean;
  config?: Readonly<Record<string, unknown>>;
  /** Keras's class name; default null: a metric of one's own, which files cannot describe. */
  className?: string | null;
  /** Default null: sums are added. */
  join?: Join | null;
}

/** What a batch adds to a metric: a column for each of its sums. */
export interface MetricUpdate {
  readonly metric: Pick<Metric, 'name' | 'result' | 'join'>;
  readonly columns: readonly Tensor[];
}

/** A number that tells how good predictions are. */
export class Metric {
  /** The key in logs. */
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly orderOnly: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly className: string | null;
  readonly join: Join | null;
  /** What each sample adds to each of the sums: columns [N], or several beside each other, [N, sums]. */
  readonly columns: Columns;
  /** The metric from the sums and the number of samples. */
  readonly result: Result;

  constructor(
    name: string,
    columns: Columns,
    result: Result,
    { direction = 'up', orderOnly = false, config = {}, className = null, join = null }: MetricTraits = {},
  ) {
    this.className = className;
    this.join = join;
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

  /**
   * In a `trainStep` of one's own: what this batch adds to the metric, to be returned for the logs:
   * `return { loss, accuracy: this.accuracy.updateState(y, yPred) }`.
   */
  updateState(
    yTrue: TensorLike,
    yPred: TensorLike | null,
    sampleWeight: TensorLike | null = null,
  ): MetricUpdate {
    const weight = sampleWeight === null ? null : cast(toTensor(sampleWeight), 'f32');
    return { metric: this, columns: this.columns(toTensor(yTrue), toTensor(yPred!), weight) };
  }

  /** The metric of given predictions, for use outside of training. */
  async compute(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null): Promise<number> {
    const [t, p] = [toTensor(yTrue), toTensor(yPred)];
    const weight =
      sampleWeight === null || sampleWeight === undefined ? null : cast(toTensor(sampleWeight), 'f32');
    const columns = this.columns(t, p, weight);
    const sums = await Promise.all(
      columns.map((column) => (column.rank < 2 ? sum(column) : sum(column, 0)).data()),
    );
    return this.result(
      sums.flatMap((of) => [...of]),
      t.shape[0] ?? 1,
    );
  }
}

/** What a metric does. */
interface Rule extends Omit<MetricTraits, 'className'> {
  readonly columns: Columns;
  readonly result: Result;
}

/** Makes a metric from options. */
export type MetricFactory<Options = object> = (options?: Options & { name?: string | null }) => Metric;

/** A metric by name. Its key in logs, its class in files and its config follow from its name and options. */
export function metricOf<Options extends object>(
  name: string,
  defaults: Options,
  ruleFor: (given: Options) => Rule,
  className = kerasClass(name),
  key = snakeCase(className),
): MetricFactory<Partial<Options>> {
  return (options) => {
    const config = readOptions(name, options, { name: null as string | null, ...defaults });
    const { columns, result, ...traits } = ruleFor(config);
    return new Metric(config.name ?? key, columns, result, { config, ...traits, className });
  };
}

type Values = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** The mean over samples of some values: [N, …] of them, or one that counts for each sample of the batch. */
export const meanOf = (values: Values, name = 'metric'): Rule => ({
  columns(yTrue, yPred, weight) {
    const given = cast(valuesFrom(values(yTrue, yPred), name, yPred), 'f32');
    const all = given.rank === 0 ? given.broadcastTo([yPred.shape[0] ?? 1]) : given;
    return (weight ? [weighted(all, weight), weight] : [all]).map(perSample);
  },
  result: ([total, weights], samples) => divide(total, weights ?? samples),
});

/** A metric that is the mean over samples of some values: [N, …] of them, or one for the whole batch. */
export function meanMetric(name: string, values: Values, traits?: MetricTraits): Metric {
  const { columns, result } = meanOf(values, `metric ${name}`);
  return new Metric(name, columns, result, traits);
}

/** The mean value of a loss. */
export const metricOfLoss = (loss: Loss): Metric =>
  meanMetric(loss.name, (yTrue, yPred) => loss.values(yTrue, yPred), {
    direction: 'down',
    config: loss.config,
    className: loss.className,
  });

/** A loss by name as a metric by name. */
export const lossMetric =
  (loss: LossFactory) =>
  (options?: Omit<LossOptions, 'reduction'>): Metric =>
    metricOfLoss(loss(options));

/** 1 where a prediction is a yes, 0 elsewhere. */
export const yes = (p: Tensor, threshold: number | Tensor): Tensor => cast(p.greater(threshold), 'f32');

/** 1 where a prediction is a no, 0 elsewhere. A NaN is neither: whatever is true, it is wrong. */
export const no = (p: Tensor, threshold: number | Tensor): Tensor => cast(p.lessEqual(threshold), 'f32');

/** a / b, and 0 for nothing of nothing. */
export const divide = (a: number, b: number): number => (b === 0 ? (Number.isNaN(a) ? a : 0) : a / b);

/** Σ over all axes but the first. */
export const sumPerSample = (x: Tensor): Tensor => (x.rank < 2 ? x : sum(x, innerAxes(x)));
