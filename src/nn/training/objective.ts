/**
 * What a model is trained for: a loss and metrics for each of its outputs, once the shapes of y and the predictions are
 * known.
 */
import { ConfigError, StateError } from '../../base/errors.ts';
import { zeros } from '../../ops/constant.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { resolveActivation } from '../activations.ts';
import { addedSoFar, adding } from '../layers/added.ts';
import { type BatchShape, masking } from '../layers/layer.ts';
import { type Loss, weighted } from '../losses/loss.ts';
import { type LossChoice, resolveLoss } from '../losses/resolve.ts';
import type { Metric } from '../metrics/metric.ts';
import { type MetricChoice, resolveMetric } from '../metrics/resolve.ts';
import { describe } from '../names.ts';
import { perSample } from '../targets.ts';
import type { Batch } from './feed/feed.ts';
import { countSums, meanEntry, sumsFrom, Tally } from './tally.ts';

/** What an objective asks of a model. */
export interface Predictor {
  /** Of each output. */
  readonly finalActivations: readonly (string | null)[];
  /** What weights and layers add to the loss. */
  readonly losses: readonly Tensor[];
  /** The outputs for a batch's inputs. `logits`: of which outputs they are wanted. */
  outputsFor(inputs: readonly Tensor[], training: boolean, logits?: readonly boolean[]): readonly Tensor[];
}

/** What a step learns about its batch. */
export interface Measured {
  /** The number to be made small; null where the step has done its updates itself. */
  readonly loss: Tensor | null;
  /** What each sample adds to the sums behind loss and metrics: [N], or [N, k] for k of them. */
  readonly columns: readonly Tensor[];
}

/** What steps measure, and what is made of it. */
export interface Objective {
  /** Equal for samples of equal shapes. */
  readonly key: string;
  readonly metrics: readonly Metric[];
  /** For each target whether it is class numbers. */
  readonly sparse: readonly boolean[];
  /** Whether an output has no loss. */
  readonly isPartial: boolean;
  /** Whether its training step does the updates itself. */
  readonly updates?: boolean;
  /** ShapeError when loss or metrics cannot compare such targets with such predictions. */
  checkShapes(targets: readonly (Shape | null)[], outputs: readonly Shape[]): void;
  /** Runs the model on a batch and compares. `before`: the sums of the batches before it, for metrics that go on from theirs. */
  measure(model: Predictor, batch: Batch, training: boolean, before?: readonly Tensor[]): Measured;
  /** What runs with or without weights of samples add up. */
  tally(hasWeights: boolean, training: boolean): Tally;
}

/** A choice of loss and metrics for an output, before any shape is known. */
export interface OutputChoice {
  /** Null: none. */
  readonly loss: LossChoice | null;
  readonly metrics: readonly MetricChoice[];
  readonly weightedMetrics: readonly MetricChoice[];
  /** What the loss counts in the sum of all outputs' losses. */
  readonly lossWeight?: number;
}

/** The choices for outputs of these names. */
export type ObjectiveChoice = (names: readonly string[]) => readonly OutputChoice[];

/** What `compile` was told for an output, with every name looked up. */
export function chooseForOutput(
  { loss, metrics, weightedMetrics }: { loss: unknown; metrics: unknown; weightedMetrics: unknown },
  operation: string,
): OutputChoice {
  const list = (given: unknown, argument: string): MetricChoice[] => {
    if (given === null || given === undefined) return [];
    if (!Array.isArray(given))
      throw new ConfigError(`${operation}: ${argument} is ${describe(given)}; expected a list of metrics.`);
    return given.map((one) => resolveMetric(one, operation));
  };
  return {
    loss: loss === null ? null : resolveLoss(loss, operation),
    metrics: list(metrics, 'metrics'),
    weightedMetrics: list(weightedMetrics, 'weightedMetrics'),
  };
}

/** Loss and metrics of an output. */
interface Comparison {
  readonly loss: Loss | null;
  readonly lossWeight: number;
  readonly metrics: readonly Metric[];
  /** From this one on, metrics are weighted by the samples' weights. */
  readonly firstWeighted: number;
  /** Of the targets, where there are any, and of the predictions. */
  readonly shapes: readonly [Shape | null, Shape];
}

/** Names of the numbers that layers add to the logs, in training and without; and of each output whether it has a mask. */
export interface AddedNames extends Readonly<Record<'training' | 'testing', readonly string[]>> {
  readonly masked: readonly boolean[];
}

/** A shape whose every size is a number: unknown ones are 0. */
const known = (shape: BatchShape): Shape => shape.map((size) => size ?? 0);

/** Loss and metrics of compile, for one kind of targets. */
export class CompiledObjective implements Objective {
  readonly key: string;
  readonly metrics: readonly Metric[];
  readonly sparse: readonly boolean[];
  readonly isPartial: boolean;
  private readonly outputs: readonly Comparison[];
  /** Of losses that are told one by one. */
  private readonly lossNames: readonly string[];
  private readonly addedNames: AddedNames;
  private readonly examples = new Map<boolean, readonly (readonly Tensor[])[]>();
  /** Of each output whether its steps come with a mask. */
  private readonly masked: readonly boolean[];

  /** Settles choices for outputs of these names, for targets and predictions of these shapes; loads metrics that were named. */
  static async settle(
    key: string,
    choices: readonly OutputChoice[],
    names: readonly string[],
    targets: readonly (BatchShape | null)[],
    predictions: readonly BatchShape[],
    addedNames: AddedNames,
    operation: string,
  ): Promise<CompiledObjective> {
    const settled = choices.map(async (choice, i): Promise<Comparison> => {
      const y = targets[i] ? known(targets[i]) : null;
      const shapes = [y, known(predictions[i])] as const;
      const wanted = [...choice.metrics, ...choice.weightedMetrics];
      if (y === null && (choice.loss || wanted.length > 0)) throw missing(operation, names[i], names.length);
      const metrics = wanted.map((choose) => choose(y!, shapes[1]));
      const loss = choice.loss?.(y!, shapes[1]) ?? null;
      return {
        loss,
        lossWeight: choice.lossWeight ?? 1,
        metrics: (await Promise.all(metrics)).map((metric) =>
          names.length > 1 ? metric.named(`${names[i]}_${metric.name}`) : metric,
        ),
        firstWeighted: choice.metrics.length,
        shapes,
      };
    });
    return new CompiledObjective(key, await Promise.all(settled), names, addedNames);
  }

  private constructor(
    key: string,
    outputs: readonly Comparison[],
    names: readonly string[],
    addedNames: AddedNames,
  ) {
    this.outputs = outputs;
    this.addedNames = addedNames;
    this.masked = addedNames.masked;
    this.key = key;
    this.metrics = outputs.flatMap(({ metrics }) => metrics);
    this.isPartial = outputs.some(({ loss }) => loss === null);
    this.sparse = outputs.map(({ loss }) => loss?.sparse ?? false);
    const compared = names.filter((_, i) => outputs[i].loss);
    this.lossNames = compared.length > 1 ? compared.map((name) => `${name}_loss`) : [];
    const all = ['loss', ...this.lossNames, ...this.metrics.map(({ name }) => name), ...addedNames.training];
    const twice = all.find((name, i) => all.indexOf(name) !== i);
    if (twice !== undefined)
      throw new ConfigError(
        `compile: two values would be called ${JSON.stringify(twice)}. Give a metric another name.`,
      );
  }

  /** Of each output, or null. */
  get losses(): readonly (Loss | null)[] {
    return this.outputs.map(({ loss }) => loss);
  }

  /** Tensors are descriptions: no work is done. */
  checkShapes(targets: readonly (Shape | null)[], predictions: readonly Shape[]): void {
    for (const [i, { loss, metrics }] of this.outputs.entries()) {
      const target = targets[i];
      if (!target) continue;
      const [y, p] = [zeros(target), zeros(predictions[i])];
      loss?.values(y, p);
      for (const metric of metrics) metric.columns(y, p, null);
    }
  }

  /**
   * A final softmax or sigmoid and its cross-entropy are computed from the logits: there the loss of a
   * confident mistake is its true size and its gradient is not 0. Probabilities are made only for metrics
   * that ask for more than their order.
   */
  measure(model: Predictor, batch: Batch, training: boolean, before: readonly Tensor[] = []): Measured {
    const logits = this.outputs.map(({ loss }, i) => {
      const last = model.finalActivations[i];
      return last !== null && last === loss?.absorbs;
    });
    return adding(() => {
      const predictions = model.outputsFor(batch.inputs, training, logits);
      return this.compare(model, batch, predictions, training, logits, before);
    });
  }

  /** Compares predictions that are there, within `adding`. `logits`: which of them have not gone through the activation that their loss absorbs. */
  compare(
    model: Pick<Predictor, 'losses'>,
    { inputs, targets, weights }: Batch,
    predictions: readonly Tensor[],
    training: boolean,
    logits: readonly boolean[] = [],
    before: readonly Tensor[] = [],
  ): Measured {
    const [count] = inputs[0].shape;
    const begins = this.begins(weights.some((weight) => weight));
    const penalties = model.losses;
    const losses: Tensor[] = [];
    const weightedSums: Tensor[] = [];
    const ofLosses: Tensor[] = [];
    const ofMetrics: Tensor[] = [];
    let metricsBefore = 0;
    for (const [i, { loss, lossWeight, metrics, firstWeighted }] of this.outputs.entries()) {
      const [z, y, weight] = [predictions[i], targets[i]!, weights[i] ?? null];
      const scaled = (x: Tensor): Tensor => (lossWeight === 1 ? x : x.mul(lossWeight));
      if (loss) {
        const values = weighted(
          weighted(loss.values(y, z, logits[i] || loss.fromLogits), weight),
          masking.weights(z, loss.reduction !== 'sum'),
        );
        losses.push(scaled(loss.reduce(values)));
        ofLosses.push(loss.contributions(values, count));
        weightedSums.push(scaled(ofLosses.at(-1)!));
      }
      let activated: Tensor | null = null;
      const p = (): Tensor => {
        activated ??= logits[i] ? resolveActivation(loss!.absorbs, 'measure').of(z) : z;
        return activated;
      };
      const counts = masking.weights(z, false);
      const metricWeight = (own: Tensor | null): Tensor | null =>
        counts && own ? weighted(counts, own) : (counts ?? own);
      for (const [m, metric] of metrics.entries())
        ofMetrics.push(
          ...metric.columns(
            y,
            metric.orderOnly ? z : p(),
            metricWeight(m >= firstWeighted ? weight : null),
            metric.join && sumsFrom(before, begins[metricsBefore + m]),
          ),
        );
      metricsBefore += metrics.length;
    }
    // Keras counts what weights and layers add in the loss that it reports, in validation too.
    const total = (terms: readonly Tensor[], none: number[]): Tensor => {
      const all = [...terms, ...penalties];
      return all.length > 0 ? all.reduce((sum, one) => sum.add(one)) : zeros(none);
    };
    return {
      loss: total(losses, []),
      columns: [
        total(weightedSums, [count]),
        ...(this.lossNames.length > 0 ? ofLosses : []),
        ...ofMetrics,
        ...addedColumns(this.addedNames[training ? 'training' : 'testing'], count),
      ],
    };
  }

  tally(hasWeights: boolean, training: boolean): Tally {
    const columns = this.exampleColumns(hasWeights);
    return new Tally([
      ...['loss', ...this.lossNames].map(meanEntry),
      ...this.metrics.map(({ name, result, join }, i) => ({ name, columns: columns[i], result, join })),
      ...this.addedNames[training ? 'training' : 'testing'].map(meanEntry),
    ]);
  }

  /** Where the sums of each metric begin. */
  private begins(hasWeights: boolean): number[] {
    let end = 1 + this.lossNames.length;
    return this.exampleColumns(hasWeights).map((columns) => {
      end += countSums(columns);
      return end - countSums(columns);
    });
  }

  /** What each metric makes of one sample. Tensors are descriptions: no work is done. */
  private exampleColumns(hasWeights: boolean): readonly (readonly Tensor[])[] {
    const present = this.examples.get(hasWeights);
    if (present) return present;
    const columns = this.outputs.flatMap(({ metrics, shapes, firstWeighted }, at) => {
      const masked = this.masked[at] ? [1, ...shapes[1].slice(1, -1)] : null;
      const [y, p] = shapes.map((shape) => zeros([1, ...(shape?.slice(1) ?? [])]));
      return metrics.map((metric, i) =>
        metric.columns(y, p, masked ? zeros(masked) : hasWeights && i >= firstWeighted ? zeros([1]) : null),
      );
    });
    this.examples.set(hasWeights, columns);
    return columns;
  }
}

const missing = (operation: string, name: string, outputs: number): ConfigError =>
  new ConfigError(
    `${operation}: y is missing${outputs > 1 ? ` for the output ${name}` : ''}. Give what the model should have said.`,
  );

/** What layers have added to the logs of this step, for each sample. */
function addedColumns(names: readonly string[], count: number): Tensor[] {
  const { metrics } = addedSoFar();
  const other = [...metrics.keys()].find((name) => !names.includes(name));
  if (other !== undefined || metrics.size < names.length)
    throw new StateError(
      `addMetric: the step adds ${[...metrics.keys()].join(', ') || 'nothing'}, and compile found ${names.join(', ') || 'nothing'}. Call compile again when layers have changed.`,
    );
  return names.map((name) => {
    const value = metrics.get(name)!;
    return value.rank === 0 ? value.broadcastTo([count]) : perSample(value);
  });
}
