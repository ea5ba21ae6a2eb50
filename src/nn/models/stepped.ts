/** Models whose classes may have training steps of their own. */
import { ConfigError, StateError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { LayerInput } from '../layers/layer.ts';
import type { Batch } from '../training/feed/feed.ts';
import type { Samples } from '../training/feed/samples.ts';
import type { CompiledObjective, Measured, Objective, ObjectiveChoice } from '../training/objective.ts';
import { OwnObjective, type OwnSteps, type StepBatch, type StepLogs } from '../training/own-step.ts';
import { learn } from '../training/steps.ts';
import { Model } from './model.ts';
import { type Form, packed, spread } from './ports.ts';

/** What losses and metrics compare in a step of one's own. */
export interface Compared {
  readonly x: Tensor;
  readonly y: Tensor | null;
  readonly yPred: Tensor;
  readonly sampleWeight?: Tensor | null;
}

/** What is trained by fit's step, or by that of its class. */
export abstract class Stepped extends Model {
  /** How values are given and taken. A model of one's own learns it from its first data. */
  inputForm: Form = 'one';
  outputForm: Form = 'one';
  /** Loss and metrics of compile, once y has been seen. */
  private compiledObjective: CompiledObjective | null = null;

  /**
   * One step of training, which a class may replace by its own. It is captured once and replayed, so it is synchronous and
   * sees tensors and variables alone. `y` and `sampleWeight` are null where they are not given.
   *
   * ```ts
   * class Careful extends Model {
   *   trainStep({ x, y }) {
   *     const yPred = this.apply(x, { training: true });
   *     const loss = this.computeLoss({ x, y, yPred }).mul(2);
   *     const weights = this.trainableWeights;
   *     this.optimizer.apply(weights, gradients(loss, weights));
   *     return { loss, ...this.computeMetrics({ x, y, yPred }) };
   *   }
   * }
   * ```
   */
  trainStep(batch: StepBatch): StepLogs {
    return this.fitsOwn('trainStep', batch, true);
  }

  /** One batch of evaluate, and of validation: see {@link trainStep}. */
  testStep(batch: StepBatch): StepLogs {
    return this.fitsOwn('testStep', batch, false);
  }

  /** Compile's losses, weighted and added, and what weights and layers add; 0 where there is none of them. */
  computeLoss({ x, y, yPred, sampleWeight = null }: Compared): Tensor {
    const { compare } = this.comparing('computeLoss');
    return compare(this.columns({ x, y, sampleWeight }), spread(yPred as Tensor).all).loss!;
  }

  /** Compile's metrics and, of several outputs, their losses, for the logs of a step. */
  computeMetrics({ x, y, yPred, sampleWeight = null }: Compared): StepLogs {
    const { compare, logs } = this.comparing('computeMetrics');
    const batch = this.columns({ x, y, sampleWeight });
    const { loss, ...rest } = logs(compare(batch, spread(yPred as Tensor).all), batch);
    return rest;
  }

  private fitsOwn(what: string, batch: StepBatch, training: boolean): StepLogs {
    const { objective, logs } = this.comparing(what);
    const columns = this.columns(batch);
    if (!training) return logs({ columns: objective.measure(this, columns, false).columns }, columns);
    return logs({ columns: learn(this, objective, this.optimizer, columns) }, columns);
  }

  /** How compile's objective compares within a step. */
  private comparing(what: string) {
    const objective = this.compiledObjective;
    if (!objective)
      throw new StateError(
        `${what}: ${this.name} was compiled without a loss, or got no y. Compute the loss in the step itself.`,
      );
    return {
      objective,
      compare: (batch: Batch, predictions: readonly Tensor[]) =>
        objective.compare(this, batch, predictions, true),
      logs: ({ columns }: Pick<Measured, 'columns'>, { weights }: Batch): StepLogs => {
        let end = 0;
        const { entries } = objective.tally(
          weights.some((one) => one),
          true,
        );
        return Object.fromEntries(
          entries.map((entry) => {
            const begin = end;
            end += entry.columns.length;
            return [entry.name, { metric: entry, columns: columns.slice(begin, end) }];
          }),
        );
      },
    };
  }

  /** A step's batch as lists. */
  private columns({ x, y, sampleWeight }: Pick<Compared, 'x' | 'y' | 'sampleWeight'>): Batch {
    const list = (given: unknown): readonly (Tensor | null)[] =>
      given === null || given === undefined ? [] : spread(given as Tensor | null).all;
    return { inputs: list(x) as Tensor[], targets: list(y), weights: list(sampleWeight) };
  }

  /** The steps that its class has of its own. */
  protected get ownSteps(): OwnSteps {
    const packedBatch = ({ inputs, targets, weights }: Batch): StepBatch => {
      const some = (list: readonly (Tensor | null)[], form: Form): LayerInput | null =>
        list.some((one) => one) ? (packed(list, form) as LayerInput) : null;
      return {
        x: packed(inputs, this.inputForm) as LayerInput,
        y: some(targets, this.outputForm)!,
        sampleWeight: some(weights, this.outputForm),
      };
    };
    const own = (name: 'trainStep' | 'testStep') =>
      this[name] === Stepped.prototype[name]
        ? null
        : (batch: Batch): StepLogs => this[name](packedBatch(batch));
    return { train: own('trainStep'), test: own('testStep') };
  }

  protected override async settle(
    choice: ObjectiveChoice,
    samples: Samples,
    key: string,
    operation: string,
  ): Promise<Objective> {
    const { train, test } = this.ownSteps;
    const choices = choice(this.outputNames);
    // A step of one's own may do without y.
    const hasLoss = choices.some(({ loss }) => loss) && (!train || samples.targets.length > 0);
    this.compiledObjective = hasLoss ? await this.settleCompiled(choice, samples, key, operation) : null;
    if (train || test)
      return new OwnObjective(key, this.name, { train, test }, this.compiledObjective, samples);
    if (this.compiledObjective) return this.compiledObjective;
    throw new ConfigError(`compile: no output of ${this.name} has a loss. Name one for an output.`);
  }
}
