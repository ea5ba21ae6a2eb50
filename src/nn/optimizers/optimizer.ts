/** What an optimizer is: an update rule for one variable, in tensor algebra, and the state around it. */
import { ConfigError, GradientError, ShapeError, StateError, ValueError } from '../../base/errors.ts';
import { gradients as gradientsOf } from '../../graph/gradients.ts';
import { assignAll } from '../../graph/variables.ts';
import { type TensorLike, tensor, variable } from '../../ops/constant.ts';
import { sumOfSquares } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import { sameShape, show } from '../../ops/shape.ts';
import { Tensor, type Variable } from '../../ops/tensor.ts';
import { numberBetween, tensorFrom } from '../check.ts';
import { automaticName, describe } from '../names.ts';
import { scheduleFrom } from '../schedules/resolve.ts';
import { describeSchedule, type Schedule } from '../schedules/schedule.ts';
import { constrained } from '../weights/constraints.ts';
import type { Averaging, AveragingOptions, Step, Update } from './update.ts';

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** Size of a step: a number, a function of the iteration in tensor algebra, or a schedule's description. */
  learningRate?: number | Schedule | { className: string; config?: object };
  /** Share of each weight, times the learning rate, that is taken off in each step; default null: none. */
  weightDecay?: number | null;
  /** Largest length of each variable's gradient; default null: no limit. */
  clipnorm?: number | null;
  /** Largest absolute value in a gradient; default null: no limit. */
  clipvalue?: number | null;
  /** Largest length of all gradients taken together; default null: no limit. */
  globalClipnorm?: number | null;
  /** Keep a running mean of each variable, which takes its place at the end of `fit`; default false. */
  useEma?: boolean;
  /** Share of that mean that stays; default 0.99. */
  emaMomentum?: number;
  /** The mean takes the variable's place after every so many updates too; default null: at the end alone. */
  emaOverwriteFrequency?: number | null;
  /** Change variables in every so-manieth step, by the mean of the gradients since; from 2, default null. */
  gradientAccumulationSteps?: number | null;
  name?: string | null;
}

/** Defaults to be spread into those of an optimizer's own. */
export const optimizerDefaults = {
  weightDecay: null as number | null,
  clipnorm: null as number | null,
  clipvalue: null as number | null,
  globalClipnorm: null as number | null,
  useEma: false,
  emaMomentum: 0.99,
  emaOverwriteFrequency: null as number | null,
  gradientAccumulationSteps: null as number | null,
  name: null as string | null,
};

/** What is told apart by the names of layers: a model. */
export interface Named {
  readonly name: string;
  readonly layers: readonly Named[];
  readonly weights: readonly Variable[];
}

export type { Update };

const clips = ['clipnorm', 'clipvalue', 'globalClipnorm'] as const;

/**
 * The base of all optimizers.
 *
 * `apply(variables, gradients)` is plain algebra on tensors and variables: it may stand in a captured
 * function, where all updates of all variables become one dispatch.
 *
 * ```ts
 * const step = capture((x, y) => {
 *   const loss = losses.meanSquaredError().compute(y, x.matmul(w));
 *   optimizer.apply([w], gradients(loss, [w]));
 *   return loss;
 * });
 * ```
 */
export abstract class Optimizer {
  /** Keras's class name: 'RMSprop'. */
  readonly className: string;
  readonly name: string;
  readonly weightDecay: number | null;
  readonly clipnorm: number | null;
  readonly clipvalue: number | null;
  readonly globalClipnorm: number | null;
  /** Its options that averaging.ts reads and checks; null where it takes no means. */
  readonly averages: AveragingOptions | null;
  /** The model that it was compiled for; null in steps of one's own. */
  model: Named | null = null;
  /** Steps so far: an i32 scalar. */
  readonly iterations: Variable = variable(0, { dtype: 'i32', name: 'iteration', trainable: false });
  private readonly rate: Variable;
  private readonly schedule: Schedule | null;
  private rateOnHost: number;
  /** What it keeps beside none of the variables: behind all else, as in Keras. */
  readonly further: readonly Variable[] = [];
  /** What each optimizer keeps beside each variable. */
  private readonly slotsOf = new Map<Variable, Variable[]>();
  /** What is kept beside each variable whatever the rule, before what the rule wants. */
  readonly commonSlots: readonly string[] = [];
  /** How means change its steps: averaging.ts sets it. */
  averaging: Averaging | null = null;
  /** Whether weight decay is for a variable: see excludeFromWeightDecay. */
  decays: (one: Variable) => boolean = () => true;

  constructor(className: string, options: Required<OptimizerOptions>) {
    this.className = className;
    this.name = options.name ?? automaticName(className);
    this.schedule = scheduleOf(options.learningRate, className);
    this.rateOnHost = this.schedule ? Number.NaN : this.checkedRate(options.learningRate);
    this.rate = variable(this.rateOnHost, { name: 'learning_rate', trainable: false });
    const limit = (value: number | null, option: string): number | null =>
      value === null ? null : numberBetween(value, className, option, 0);
    this.weightDecay = limit(options.weightDecay, 'weightDecay');
    [this.clipnorm, this.clipvalue, this.globalClipnorm] = clips.map((option) =>
      limit(options[option], option),
    );
    if (clips.filter((option) => options[option] !== null).length > 1)
      throw new ConfigError(
        `${className}: clipnorm, clipvalue and globalClipnorm exclude each other. Keep one.`,
      );
    const { useEma, emaMomentum, emaOverwriteFrequency, gradientAccumulationSteps } = options;
    this.averages =
      useEma || gradientAccumulationSteps
        ? { useEma, emaMomentum, emaOverwriteFrequency, gradientAccumulationSteps }
        : null;
    if (useEma) this.commonSlots = ['average'];
    if (gradientAccumulationSteps) this.commonSlots = [...this.commonSlots, 'gradient_accumulator'];
  }

  /** What is kept beside each variable, as Keras names it: ['velocity']. */
  abstract readonly slotNames: readonly string[];

  /** The rule: new values from the variable's value w, its gradient g and its slots. `one`: the variable. */
  protected abstract update(
    w: Tensor,
    g: Tensor,
    slots: readonly Tensor[],
    learningRate: Tensor,
    one: Variable,
  ): Update;

  /** Where slots start; 0 unless overridden. */
  protected get initialSlotValue(): number {
    return 0;
  }

  /** The learning rate; NaN under a schedule. Setting it changes later steps, captured ones too. */
  get learningRate(): number {
    return this.rateOnHost;
  }

  set learningRate(value: number) {
    if (this.schedule !== null)
      throw new StateError(`${this.name}: learningRate follows a schedule and cannot be set.`);
    this.rateOnHost = this.checkedRate(value);
    void this.rate.assign(this.rateOnHost);
  }

  /** The learning rate of the next step, as f32 has it; under a schedule it is computed. */
  async currentLearningRate(): Promise<number> {
    if (this.schedule === null) return Math.fround(this.rateOnHost);
    return this.scheduledRate(this.schedule).item();
  }

  /** Updates so far: steps, where gradients are not accumulated. */
  protected get updates(): Tensor {
    const { averages, iterations } = this;
    return averages?.gradientAccumulationSteps
      ? iterations.floorDiv(averages.gradientAccumulationSteps)
      : iterations;
  }

  private scheduledRate(schedule: Schedule): Tensor {
    const what = `${this.name}: the schedule of learningRate`;
    const rate = tensorFrom(schedule(this.iterations.cast('f32')), what);
    if (rate.size === 1) return rate;
    throw new ShapeError(`${what} gave a tensor of shape ${show(rate.shape)}; expected one number.`);
  }

  private checkedRate(value: unknown): number {
    return numberBetween(value, this.className, 'learningRate', 0);
  }

  /** Makes what is kept beside the variables, where it is not there yet. */
  build(variables: readonly Variable[]): void {
    for (const one of variables) {
      if (this.slotsOf.has(one)) continue;
      const slots = this.slotsAtStart(one).map((values, i) =>
        variable(values, {
          shape: [...one.shape],
          name: `${one.name}_${this.slotsFor(one)[i]}`,
          trainable: false,
        }),
      );
      this.slotsOf.set(one, slots);
    }
  }

  /** One step: changes `variables` along their `gradients`. */
  apply(variables: readonly Variable[], gradients: readonly Tensor[]): void {
    this.check(variables, gradients);
    if (this.averages && !this.averaging)
      throw new StateError(`${this.name}: means of weights want optimizers.averaging(optimizer) first.`);
    this.build(variables);
    const rate = this.schedule ? this.scheduledRate(this.schedule) : this.rate;
    const step: Step = (gradients) =>
      this.clipped(gradients).map((g, i) => {
        const one = variables[i];
        const decay = this.decays(one) ? this.decayOf(one) : null;
        const decayed = decay === null ? one : one.sub(one.mul(decay).mul(rate));
        return this.update(decayed, g, this.slotsBeside(one).slice(this.commonSlots.length), rate, one);
      });
    const further = this.furtherAfter();
    const [updates, rest] = this.averaging
      ? this.averaging.step(this.updates, variables, gradients, step, further)
      : [step(gradients), further];
    assignAll([
      ...variables.flatMap((one, i): [Variable, TensorLike][] => [
        [one, constrained(one, updates[i].value)],
        ...this.slotsBeside(one).map((slot, j): [Variable, TensorLike] => [slot, updates[i].slots[j]]),
      ]),
      ...this.further.map((one, i): [Variable, TensorLike] => [one, rest[i]]),
      [this.iterations, this.iterations.add(1)],
    ]);
  }

  /** What `further` becomes in an update. */
  protected furtherAfter(): readonly Tensor[] {
    return [];
  }

  /** The decay of the weight of a variable. */
  protected decayOf(_one: Variable): number | null {
    return this.weightDecay;
  }

  /** Puts the means of `useEma` in the variables' places, as `fit` does at its end. */
  async finalizeVariableValues(variables: readonly Variable[]): Promise<void> {
    await this.averaging?.finish(variables);
  }

  /** Computes the gradients of a scalar loss and applies them. */
  minimize(loss: Tensor, variables: readonly Variable[]): void {
    if (loss.size !== 1)
      throw new GradientError(
        `${this.name}: loss has shape ${show(loss.shape)}; expected a scalar. Take its mean().`,
      );
    this.checkVariables(variables);
    this.apply(variables, gradientsOf(loss, [...variables]));
  }

  private checkVariables(variables: readonly Variable[]): void {
    if (variables.length === 0) throw new ValueError(`${this.name}: there are no variables to change.`);
    if (!variables.some(({ trainable }) => trainable))
      throw new ValueError(`${this.name}: none of the ${variables.length} variables is trainable.`);
  }

  private check(variables: readonly Variable[], gradients: readonly Tensor[]): void {
    this.checkVariables(variables);
    if (gradients.length !== variables.length)
      throw new ShapeError(
        `${this.name}: ${variables.length} variables came with ${gradients.length} gradients; expected one each.`,
      );
    variables.forEach((one, i) => {
      if (!(gradients[i] instanceof Tensor) || !sameShape(one.shape, gradients[i].shape))
        throw new ShapeError(
          `${this.name}: variable ${one.name} ${show(one.shape)} came with gradient ${gradients[i] instanceof Tensor ? show(gradients[i].shape) : describe(gradients[i])}; expected the same shape.`,
        );
    });
  }

  private clipped(gradients: readonly Tensor[]): readonly Tensor[] {
    const { clipnorm, clipvalue, globalClipnorm } = this;
    if (clipvalue) return gradients.map((g) => g.clip(-clipvalue, clipvalue));
    if (clipnorm) return gradients.map((g) => g.mul(clipnorm).div(lengthOf([g]).maximum(clipnorm)));
    if (globalClipnorm) {
      // g · c · min(1/‖g‖, 1/c); a length that is not finite makes everything NaN, as it should.
      const length = lengthOf(gradients);
      const scale = length
        .reciprocal()
        .minimum(1 / globalClipnorm)
        .mul(globalClipnorm)
        .add(length.sub(length));
      return gradients.map((g) => g.mul(scale));
    }
    return gradients;
  }

  /** All of its state in Keras's order: iteration, learning rate, then what it keeps beside the variables. */
  get variables(): readonly Variable[] {
    return [this.iterations, this.rate, ...this.inOrder([...this.slotsOf.values()]), ...this.further];
  }

  /** What is kept beside variables, in Keras's order: what is common kind by kind, then what the rule wants. */
  inOrder<T>(beside: readonly (readonly T[])[]): T[] {
    const { length } = this.commonSlots;
    const common = this.commonSlots.flatMap((_, kind) => beside.map((of) => of[kind]));
    return [...common, ...this.slotOrder(beside.map((of) => of.slice(length)))];
  }

  /** The names of what is kept beside a variable. */
  slotsFor(one: Variable): readonly string[] {
    return [...this.commonSlots, ...this.ownSlotsFor(one)];
  }

  /** Of those, what the rule wants. */
  protected ownSlotsFor(_one: Variable): readonly string[] {
    return this.slotNames;
  }

  /** What the rule wants beside variables, in Keras's order: kind by kind, unless an optimizer makes them pairwise. */
  slotOrder<T>(beside: readonly (readonly T[])[]): T[] {
    return this.slotNames.flatMap((_, kind) => beside.map((of) => of[kind]));
  }

  /** The values that what is kept beside a variable starts with, in the order of its kinds. */
  slotsAtStart(one: Variable): Float32Array[] {
    return this.slotsFor(one).map((_, kind) =>
      new Float32Array(one.size).fill(kind < this.commonSlots.length ? 0 : this.initialSlotValue),
    );
  }

  /** What is kept beside a variable, in the order of its kinds. */
  slotsBeside(one: Variable): readonly Variable[] {
    return this.slotsOf.get(one) ?? [];
  }

  get built(): boolean {
    return this.slotsOf.size > 0;
  }

  /** Takes up state in the order of `variables`; checks all of it before it changes any. */
  async setWeights(values: readonly TensorLike[]): Promise<void> {
    const { variables } = this;
    if (values.length !== variables.length)
      throw new ShapeError(
        `${this.name}: ${values.length} values came for ${variables.length} variables of the optimizer.`,
      );
    await this.setState(new Map(variables.map((one, i) => [one, values[i]])));
  }

  /** Takes up a part of its state; checks all of it before it changes any. */
  async setState(state: ReadonlyMap<Variable, TensorLike>): Promise<void> {
    const tensors = [...state].map(([one, value]): [Variable, Tensor] => [
      one,
      stateOf(value, one, this.name),
    ]);
    const rate = await tensors.find(([one]) => one === this.rate)?.[1].item();
    if (rate !== undefined && this.schedule === null) this.rateOnHost = rate;
    await assignAll(tensors);
  }

  /** The options that make such an optimizer again, as Keras names them in camelCase. */
  getConfig(): Record<string, unknown> {
    return {
      name: this.name,
      learningRate: (this.schedule && describeSchedule(this.schedule)) ?? this.rateOnHost,
      weightDecay: this.weightDecay,
      clipnorm: this.clipnorm,
      globalClipnorm: this.globalClipnorm,
      clipvalue: this.clipvalue,
      ...this.averages,
    };
  }
}

/** The schedule that a learning rate is or describes; null for a number. */
function scheduleOf(rate: unknown, operation: string): Schedule | null {
  if (typeof rate === 'function') return rate as Schedule;
  return typeof rate === 'object' && rate !== null ? scheduleFrom(rate, operation) : null;
}

/** √ Σ g² over all values of some tensors; safe at 0. */
function lengthOf(gradients: readonly Tensor[]): Tensor {
  const squares = sumOfSquares(gradients);
  return where(squares.greater(0), squares.sqrt(), squares);
}

/** A value for a variable of the optimizer, as a tensor of its shape. A flat typed array will do. */
function stateOf(value: TensorLike, one: Variable, name: string): Tensor {
  const flat = ArrayBuffer.isView(value);
  const given = tensor(value, flat ? { shape: [...one.shape] } : {});
  if (sameShape(given.shape, one.shape)) return given.cast(one.dtype);
  throw new ShapeError(`${name}: ${one.name} has shape ${show(one.shape)}; ${show(given.shape)} came.`);
}
