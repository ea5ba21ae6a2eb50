/** What a model is trained for: its loss and metrics, once the shapes of y and the predictions are known. */
import { ConfigError } from '../../base/errors.ts';
import { iota, zeros } from '../../ops/constant.ts';
import { concat } from '../../ops/movement.ts';
import { sum } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { resolveActivation } from '../activations.ts';
import type { BatchShape, CallContext } from '../layers/layer.ts';
import { type Loss, weighted } from '../losses/loss.ts';
import { type LossChoice, resolveLoss } from '../losses/resolve.ts';
import type { Metric } from '../metrics/metric.ts';
import { type MetricChoice, resolveMetric } from '../metrics/resolve.ts';
import { describe } from '../names.ts';
import type { Batch } from './feed/feed.ts';

/** What an objective asks of a model. */
export interface Predictor {
  readonly finalActivation: string | null;
  /** What its weights add to the loss. */
  readonly losses: readonly Tensor[];
  run(x: Tensor, context: CallContext): Tensor;
}

/** What a step learns about its batch. */
export interface Measured {
  /** The number to be made small. */
  readonly loss: Tensor;
  /** What each sample adds to the sums behind loss and metrics: [N], or [N, k] for k of them. */
  readonly columns: readonly Tensor[];
}

/** A choice of loss and metrics, before any shape is known. */
export interface ObjectiveChoice {
  readonly loss: LossChoice;
  readonly metrics: readonly MetricChoice[];
  readonly weightedMetrics: readonly MetricChoice[];
}

/** What `compile` was told, with every name looked up. */
export function chooseObjective(
  { loss, metrics, weightedMetrics }: { loss: unknown; metrics: unknown; weightedMetrics: unknown },
  operation: string,
): ObjectiveChoice {
  const list = (given: unknown, argument: string): MetricChoice[] => {
    if (given === null || given === undefined) return [];
    if (!Array.isArray(given))
      throw new ConfigError(`${operation}: ${argument} is ${describe(given)}; expected a list of metrics.`);
    return given.map((one) => resolveMetric(one, operation));
  };
  return {
    loss: resolveLoss(loss, operation),
    metrics: list(metrics, 'metrics'),
    weightedMetrics: list(weightedMetrics, 'weightedMetrics'),
  };
}

/** Loss and metrics for one kind of targets. */
export class Objective {
  /** Equal for equal choices by equal shapes. */
  readonly key: string;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  private readonly shapes: readonly [Shape, Shape];
  private readonly examples = new Map<boolean, readonly (readonly Tensor[])[]>();
  /** From this one on, metrics are weighted by the samples' weights. */
  private readonly firstWeighted: number;

  /** Settles what was chosen for y and outputs of these shapes; loads metrics that were named. */
  static async settle(
    choice: ObjectiveChoice,
    yShape: BatchShape,
    outputShape: BatchShape,
  ): Promise<Objective> {
    const known = (shape: BatchShape): Shape => shape.map((size) => size ?? 0);
    const shapes = [known(yShape), known(outputShape)] as const;
    const metrics = [...choice.metrics, ...choice.weightedMetrics].map((choose) => choose(...shapes));
    const loss = choice.loss(...shapes);
    return new Objective(await loss, await Promise.all(metrics), choice.metrics.length, shapes);
  }

  private constructor(
    loss: Loss,
    metrics: readonly Metric[],
    firstWeighted: number,
    shapes: readonly [Shape, Shape],
  ) {
    this.shapes = shapes;
    this.key = shapes.map(([, ...sizes]) => `[${sizes}]`).join(' ');
    this.loss = loss;
    this.metrics = metrics;
    this.firstWeighted = firstWeighted;
    const names = this.metrics.map(({ name }) => name);
    const twice = ['loss', ...names].find((name, i, all) => all.indexOf(name) !== i);
    if (twice !== undefined)
      throw new ConfigError(
        `compile: two values would be called ${JSON.stringify(twice)}. Give a metric another name.`,
      );
  }

  /** ShapeError when loss or metrics cannot compare such y with such predictions. Tensors are descriptions: no work is done. */
  checkShapes(yShape: Shape, outputShape: Shape): void {
    const [y, p] = [zeros(yShape), zeros(outputShape)];
    this.loss.values(y, p);
    for (const metric of this.metrics) metric.columns(y, p, null);
  }

  /**
   * Runs the model on a batch and compares.
   *
   * A final softmax or sigmoid and its cross-entropy are computed from the logits: there the loss of a
   * confident mistake is its true size and its gradient is not 0. Probabilities are made only for metrics
   * that ask for more than their order.
   *
   * `before`: the sums of the batches before it, for metrics that go on from theirs.
   */
  measure(model: Predictor, batch: Batch, training: boolean, before: readonly Tensor[] = []): Measured {
    const { loss } = this;
    const { inputs, targets, weights } = batch;
    const [x, y, weight] = [inputs[0], targets[0], weights[0]];
    const logits = loss.absorbs !== null && model.finalActivation === loss.absorbs;
    const z = model.run(x, { training, logits });
    let activated: Tensor | null = null;
    const predictions = (): Tensor => {
      activated ??= logits ? resolveActivation(loss.absorbs, 'measure').of(z) : z;
      return activated;
    };
    const values = weighted(loss.values(y, z, logits || loss.fromLogits), weight);
    // Keras counts the weights' penalties in the loss that it reports, in validation too.
    const penalized = (of: Tensor): Tensor => model.losses.reduce((sum, penalty) => sum.add(penalty), of);
    const columns = [
      penalized(loss.contributions(values, x.shape[0])),
      ...this.metrics.flatMap((metric, i) =>
        metric.columns(
          y,
          metric.orderOnly ? z : predictions(),
          i >= this.firstWeighted ? weight : null,
          metric.join && sumsFrom(before, this.places(weight !== null)[i][0]),
        ),
      ),
    ];
    return { loss: penalized(loss.reduce(values)), columns };
  }

  /** The sums of two parts of the samples as those of both. */
  joined(a: Float64Array, b: Float64Array, hasWeights: boolean): Float64Array {
    const both = a.map((x, i) => x + b[i]);
    this.places(hasWeights).forEach((place, i) => {
      const { join } = this.metrics[i];
      if (join) both.set(join(a.slice(...place), b.slice(...place)), place[0]);
    });
    return both;
  }

  /** Loss and metrics from the sums over `samples` samples. */
  results(sums: ArrayLike<number>, samples: number, hasWeights: boolean): Record<string, number> {
    const logs: Record<string, number> = { loss: sums[0] / samples };
    this.places(hasWeights).forEach((place, i) => {
      const { name, result } = this.metrics[i];
      logs[name] = result(Array.from(sums).slice(...place), samples);
    });
    return logs;
  }

  /** The sizes of `columnSums`. */
  sumSizes(hasWeights: boolean, apart: boolean): readonly number[] {
    const columns = [zeros([1]), ...this.exampleColumns(hasWeights).flat()];
    return grouped(columns, apart).map(countSums);
  }

  /** Where the sums of each metric begin, and where they end. */
  private places(hasWeights: boolean): readonly (readonly [number, number])[] {
    let end = 1;
    return this.exampleColumns(hasWeights).map((columns) => {
      const start = end;
      end += countSums(columns);
      return [start, end];
    });
  }

  /** What each metric makes of one sample. Tensors are descriptions: no work is done. */
  private exampleColumns(hasWeights: boolean): readonly (readonly Tensor[])[] {
    const known = this.examples.get(hasWeights);
    if (known) return known;
    const [y, p] = this.shapes.map(([, ...sizes]) => zeros([1, ...sizes]));
    const columns = this.metrics.map((metric, i) =>
      metric.columns(y, p, hasWeights && i >= this.firstWeighted ? zeros([1]) : null),
    );
    this.examples.set(hasWeights, columns);
    return columns;
  }
}

/** Sums that come from columns: one of each [N], k of each [N, k]. */
const countSums = (columns: readonly Tensor[]): number =>
  columns.reduce((count, { rank, shape }) => count + (rank < 2 ? 1 : shape[1]), 0);

/** The tensor among these that begins with sum number `start`. */
function sumsFrom(tensors: readonly Tensor[], start: number): Tensor | undefined {
  let end = 0;
  return tensors.find(({ size }) => {
    end += size;
    return end - size === start;
  });
}

/** Which columns are summed together: single ones that follow one another, unless `apart`. */
function grouped(columns: readonly Tensor[], apart: boolean): Tensor[][] {
  const groups: Tensor[][] = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (!apart && column.rank < 2 && last && last[0].rank < 2) last.push(column);
    else groups.push([column]);
  }
  return groups;
}

/**
 * Sums of columns over the samples. Single columns that follow one another stand side by side in one kernel; wide
 * ones get their own, since an element would be chosen among too many. Short columns are better summed `apart`:
 * then each sum is a loop in the update that adds it up.
 */
export const columnSums = (columns: readonly Tensor[], apart: boolean): Tensor[] =>
  grouped(columns, apart).map((group) => sum(group[0].rank < 2 ? sideBySide(group) : group[0], 0));

/** Columns [N] as [N, columns]. Many are chosen among by number: nested concatenations compile for seconds. */
function sideBySide(columns: readonly Tensor[]): Tensor {
  const upright = columns.map((column) => column.reshape([column.size, 1]));
  if (upright.length === 1) return upright[0];
  if (upright.length <= FEW) return concat(upright, 1);
  const number = iota(upright.length);
  const [first, ...rest] = upright;
  return rest.reduce(
    (chosen, column, i) => where(number.equal(i + 1), column, chosen),
    first.broadcastTo([columns[0].size, upright.length]),
  );
}

/** So many parts are concatenated without harm. */
export const FEW = 4;
