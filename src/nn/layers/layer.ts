/** What a layer is: weights made for an input shape, and a function of a tensor. */
import { ConfigError, ShapeError, StateError, ValueError } from '../../base/errors.ts';
import { sketch } from '../../graph/capture.ts';
import { assignAll } from '../../graph/variables.ts';
import { identity, type TensorLike, tensor, variable, zeros } from '../../ops/constant.ts';
import { apply } from '../../ops/define.ts';
import { checkShape, type Shape, sameShape, show } from '../../ops/shape.ts';
import { observed, Tensor, type Variable } from '../../ops/tensor.ts';
import { flag, tensorFrom, wholeNumber } from '../check.ts';
import { type InitializerLike, resolveInitializer } from '../initializers/resolve.ts';
import { automaticName, describe } from '../names.ts';
import { placeOutside } from '../seeds.ts';
import { constrain } from '../weights/constraints.ts';
import type { WeightRule } from '../weights/rule.ts';
import { addedSoFar, addLoss, addMetric } from './added.ts';
import {
  type BatchShape,
  type InputShape,
  isList,
  type LayerCall,
  SymbolicTensor,
  showBatch,
} from './symbolic.ts';

export { type BatchShape, type InputShape, SymbolicTensor, showBatch } from './symbolic.ts';

/** Options of every layer. */
export interface LayerOptions {
  /** Unique in a model; default is the class in snake_case with a counter: dense, dense_1, … */
  name?: string | null;
  /** Whether training changes its weights; default true. */
  trainable?: boolean;
  /** Sizes of one sample, for the first layer of a model: [28, 28]. */
  inputShape?: readonly (number | null)[] | null;
  /** The same with the number of samples in front: [null, 28, 28]. */
  batchInputShape?: BatchShape | null;
  /** Keras's name for `batchInputShape`. */
  batchShape?: BatchShape | null;
  /**
   * 'float32' (default), or Keras's policy 'mixed_float16': weights, sums and results stay f32, but a dense layer's
   * inputs and kernel are rounded to f16 for their product and gradients, and kept so where the adapter can
   * (see `half`). No loss needs scaling for it, since gradients are f32.
   */
  dtype?: string | null;
}

/** The names of dtype policies, by what is meant. */
const policies: Record<string, Layer['dtype']> = {
  f32: 'float32',
  float32: 'float32',
  float: 'float32',
  mixed_float16: 'mixed_float16',
};

/** The defaults of {@link LayerOptions}, to be spread into those of a layer's own. */
export const layerDefaults: Required<LayerOptions> = {
  name: null,
  trainable: true,
  inputShape: null,
  batchInputShape: null,
  batchShape: null,
  dtype: null,
};

/** What a layer is told about the call. */
export interface CallContext {
  /** True while training: dropout drops, batch statistics are gathered. Default false. */
  readonly training: boolean;
  /**
   * True where a loss wants what goes into the final softmax or sigmoid: the logits. For a network of several outputs,
   * which of them.
   */
  readonly logits?: boolean | readonly boolean[];
  /** Which steps count, [samples, steps] of bool; default: the mask that came with the input. */
  readonly mask?: Tensor | null;
  /** What attention may look at, [samples, T, S] of bool; default null: all. */
  readonly attentionMask?: Tensor | null;
  /** Where recurrent layers begin, a tensor of each part of their state; default zeros. */
  readonly initialState?: readonly Tensor[] | null;
}

/** What takes masks along with results, once a layer makes any (masks.ts). */
export const masking: {
  carry:
    | ((
        layer: Layer,
        x: Tensor | readonly Tensor[],
        y: Tensor | readonly Tensor[],
        context: CallContext,
      ) => void)
    | null;
  /** The mask that came with a tensor, or null. */
  of(x: Tensor): Tensor | null;
  /** What each step of masked predictions counts for, or null: 0 where masked, `evened` so that the mean is 1. */
  weights(predictions: Tensor, evened: boolean): Tensor | null;
} = { carry: null, of: () => null, weights: () => null };

export interface WeightOptions {
  /** Whether training may change it; default true. Running statistics are not trainable. */
  trainable?: boolean;
  /** What it adds to the loss while it is trained; default null: nothing. */
  regularizer?: WeightRule | null;
  /** What each update makes of it; default null: nothing. */
  constraint?: WeightRule | null;
}

/** Properties of every layer, which hold no layers of its own. */
const OWN = new Set(['calls', 'builtFor', 'ownWeights', 'regularizers']);

/**
 * The base of all layers. A layer of one's own extends it:
 *
 * ```ts
 * class Scale extends layers.Layer {
 *   build([, size]) { this.gain = this.addWeight('gain', [size], 'ones'); }
 *   call(x) { return x.mul(this.gain); }
 * }
 * ```
 */
export class Layer {
  /** Keras's class name: 'Dense'. */
  readonly className: string;
  readonly name: string;
  /** Whether the name was given, so that a clash of names is the user's. */
  readonly named: boolean;
  private trains: boolean;
  /** In what its products are computed. */
  readonly dtype: 'float32' | 'mixed_float16';
  /** The shape it was asked for at construction, or null. */
  readonly batchInputShape: BatchShape | null;
  /** The shape it was built for, or null before. */
  builtFor: InputShape | null = null;
  /** Its uses in networks, in the order in which they were made. */
  readonly calls: LayerCall<Layer>[] = [];
  /** Where it stands in its model: its random numbers belong to this place. */
  place: number | null = null;
  /** Where its random numbers come from: the model's seed; null: the seed in use. Saved models bring theirs. */
  randomSeed: number | null = null;
  /** Its own weights, in the order in which they were added. */
  protected readonly ownWeights: Variable[] = [];
  /** Properties that `call` sets itself: what it leaves behind says nothing about what it will do. */
  readonly writtenByCall = new Set<string>();
  /** What it counts from call to call. */
  readonly states: Variable[] = [];
  private readonly regularizers = new Map<Variable, WeightRule>();
  /** Whether each step of its result is made of that step of its input: then masks go on. */
  supportsMasking = false;
  /** Where its inputs are ids, how many there are: data are checked for others before they are used. */
  readonly idCount?: number;
  /** Where files keep the weights of the layers inside, by Keras's names for them; default: 'layers/dense', … */
  readonly innerPaths?: readonly string[];
  /** Where in its own place files keep its weights; default: there. */
  readonly weightsIn?: string;
  /** The masks of its results, where it has a rule of its own. */
  computeMask?(
    x: Tensor | readonly Tensor[],
    mask: Tensor | null | readonly (Tensor | null)[],
  ): Tensor | null | readonly (Tensor | null)[];

  /** `className`: the type to show and save; default is the JavaScript class's name, which a minifier may change. */
  constructor(options: LayerOptions = {}, className: string = new.target.name) {
    const { name, trainable = true, inputShape, batchInputShape, batchShape, dtype } = options;
    this.className = className;
    if (name !== undefined && name !== null && (typeof name !== 'string' || name === ''))
      throw new ConfigError(`${className}: name is ${describe(name)}; expected text.`);
    this.named = typeof name === 'string';
    this.name = name ?? automaticName(className);
    this.trains = flag(trainable, this.name, 'trainable');
    const whole =
      batchInputShape ?? batchShape ?? (inputShape ? [null, ...sizes(inputShape, this.name)] : null);
    this.batchInputShape = whole === null ? null : sizes(whole, this.name);
    const policy = dtype ?? 'float32';
    if (!Object.hasOwn(policies, policy))
      throw new ConfigError(
        `${this.name}: dtype is ${describe(dtype)}; layers compute in 'float32' or 'mixed_float16'.`,
      );
    this.dtype = policies[policy];
  }

  get built(): boolean {
    return this.builtFor !== null;
  }

  /** Makes the weights for inputs of a shape, or of a list of shapes. Called once. */
  build(_inputShape: InputShape): void {}

  /**
   * The layer's function, of a tensor, or of a list where the layer was given one. It sees only tensors and
   * variables, since it is captured and replayed.
   */
  call(x: Tensor | readonly Tensor[], _context: CallContext): Tensor {
    return x as Tensor;
  }

  /**
   * The shape that comes out when `inputShape` goes in. By default the function itself is asked: a tensor
   * is a description, so that calling it on one costs nothing.
   */
  computeOutputShape(inputShape: InputShape): BatchShape {
    const shapes = isList(inputShape) ? inputShape : [inputShape];
    if (shapes.some(([, ...sizes]) => sizes.includes(null))) return shapes[0];
    const xs = shapes.map(([, ...sizes]) => zeros([1, ...(sizes as number[])]));
    const y = sketch(() => this.run(isList(inputShape) ? xs : xs[0], { training: false }));
    return [shapes[0][0], ...y.shape.slice(1)];
  }

  /** The options that make such a layer again, without its weights. */
  getConfig(): Record<string, unknown> {
    return {
      name: this.name,
      trainable: this.trainable,
      dtype: this.dtype,
      ...(this.batchInputShape ? { batchInputShape: this.batchInputShape } : {}),
    };
  }

  /** The activation that the output has gone through, where it is the last thing that happens; else null. */
  get finalActivation(): string | null {
    return null;
  }

  /**
   * The layer applied to a tensor, or to a list of them; builds it first if need be. Applied to symbolic tensors it
   * becomes a part of a network, and gives what stands for its result.
   */
  apply(x: SymbolicLike | readonly SymbolicLike[]): SymbolicTensor<Layer>;
  apply(x: Tensor | readonly Tensor[], context?: Partial<CallContext>): Tensor;
  apply(
    x: SymbolicLike | Tensor | readonly (SymbolicLike | Tensor)[],
    context: Partial<CallContext> = {},
  ): SymbolicTensor<Layer> | Tensor {
    const listed = Array.isArray(x);
    const given = (listed ? x : [x]) as readonly (SymbolicLike | Tensor)[];
    if (given.some((one) => one instanceof SymbolicTensor || one instanceof Layer))
      return this.connect(
        given.map((one, i) => symbolic(one, `${this.name}: input ${i}`)),
        listed,
      );
    const tensors = given as readonly Tensor[];
    const shapes = tensors.map(({ shape }): BatchShape => [null, ...shape.slice(1)]);
    this.buildFor(listed ? shapes : shapes[0]);
    return this.run(listed ? tensors : tensors[0], { training: false, logits: false, ...context });
  }

  /** A use of the layer in a network. */
  private connect(inputs: readonly SymbolicTensor<Layer>[], listed: boolean): SymbolicTensor<Layer> {
    const shapes = inputs.map(({ shape }) => shape);
    const inputShape: InputShape = listed ? shapes : shapes[0];
    this.buildFor(inputShape);
    const output: InputShape = this.computeOutputShape(inputShape);
    const call = SymbolicTensor.from<Layer>(this, inputs, isList(output) ? output : [output], { listed });
    this.calls.push(call);
    // A model of several outputs gives a list.
    return (isList(output) ? call.outputs : call.outputs[0]) as SymbolicTensor<Layer>;
  }

  /** What goes into it in the one network call that it has. StateError where it has none or several. */
  get input(): SymbolicTensor<Layer> | readonly SymbolicTensor<Layer>[] {
    const { inputs, listed, outputs } = this.onlyCall('input');
    return inputs.length === 0 ? outputs[0] : listed ? inputs : inputs[0];
  }

  /** What comes out of it in the one network call that it has. StateError where it has none or several. */
  get output(): SymbolicTensor<Layer> | readonly SymbolicTensor<Layer>[] {
    const { outputs } = this.onlyCall('output');
    return outputs.length === 1 ? outputs[0] : outputs;
  }

  private onlyCall(property: string): LayerCall<Layer> {
    if (this.calls.length === 1) return this.calls[0];
    throw new StateError(
      `${property}: ${this.name} has been applied to symbolic tensors ${this.calls.length === 0 ? 'never. Apply it to one first' : `${this.calls.length} times. Name the call: layer.calls[0].${property}s`}.`,
    );
  }

  /** The function's result, checked. */
  run(x: Tensor | readonly Tensor[], context: CallContext): Tensor {
    const before = { ...this } as Record<string, unknown>;
    const what = `${this.name}: call`;
    const given: unknown = this.call(x, context);
    // A model of several outputs gives a list.
    const y = Array.isArray(given)
      ? (given.map((one) => tensorFrom(one, what)) as unknown as Tensor)
      : this.checkResult(given, what);
    for (const [name, value] of Object.entries(this))
      if (before[name] !== value) this.writtenByCall.add(name);
    masking.carry?.(this, x, y, context);
    const rule = optionOf<WeightRule | null>(this, 'activityRegularizer');
    // For each sample alike, however many a batch has.
    if (rule) for (const one of [y].flat() as Tensor[]) addLoss(rule.of(one).div(Math.max(1, one.shape[0])));
    return y;
  }

  /** What `call` gave, where that is no list. */
  protected checkResult(given: unknown, what: string): Tensor {
    return tensorFrom(given, what);
  }

  /** Builds the layer, or checks that what it was built for also fits this shape. */
  buildFor(inputShape: InputShape): void {
    if (this.builtFor !== null) {
      this.checkInput(inputShape, this.builtFor);
      return;
    }
    if (this.batchInputShape !== null && !fits(inputShape, this.batchInputShape))
      throw this.unfit(inputShape, this.batchInputShape);
    this.place ??= placeOutside();
    this.build(inputShape);
    this.builtFor = inputShape;
  }

  /** Throws ShapeError for an input that the built layer cannot take. Most layers without weights take any. */
  protected checkInput(_inputShape: InputShape, _builtFor: InputShape): void {}

  protected unfit(came: InputShape, expected: InputShape): ShapeError {
    return new ShapeError(
      `${this.name}: input has shape ${showBatch(came)}; expected ${showBatch(expected)}.`,
    );
  }

  /**
   * Makes a weight. `initializer`: a name, an Initializer, or a function of the shape. What is not given follows the
   * layer's options of that name, where it has them: of 'kernel', kernelInitializer, kernelRegularizer and
   * kernelConstraint; else it is 'glorotUniform', null and null.
   *
   * Call it from `build`. The weight appears in `weights` in the order of the calls.
   */
  addWeight(
    name: string,
    shape: readonly number[],
    initializer: InitializerLike = optionOf(this, `${name}Initializer`) ?? 'glorotUniform',
    {
      trainable = true,
      regularizer = optionOf(this, `${name}Regularizer`) ?? null,
      constraint = optionOf(this, `${name}Constraint`) ?? null,
    }: WeightOptions = {},
  ): Variable {
    const sizes = checkShape([...shape], `${this.name}.${name}`);
    this.place ??= placeOutside();
    const values = resolveInitializer(initializer, `${this.name}.${name}`).values(
      sizes,
      this.place,
      this.ownWeights.length,
      this.randomSeed ?? undefined,
    );
    const weight = variable(values, { shape: sizes, name, trainable });
    this.ownWeights.push(weight);
    if (regularizer) this.regularizers.set(weight, regularizer);
    if (constraint) constrain(weight, constraint);
    return weight;
  }

  /**
   * Makes a whole number that `call` may change and that is no weight, such as a count of calls; it begins at 0. Files
   * hold it beside the weights. What must keep fractions, such as moving averages, is a weight that is not trained.
   */
  addState(name: string): Variable {
    const state = variable(0, { dtype: 'i32', name, trainable: false });
    this.states.push(state);
    return state;
  }

  /**
   * In `call`: adds a scalar to the loss, in training and in evaluate; predict has none.
   *
   * ```ts
   * class Small extends layers.Layer {
   *   call(x) { this.addLoss(x.square().mean().mul(0.01)); return x; }
   * }
   * ```
   */
  addLoss(value: Tensor): void {
    const term = tensorFrom(value, `${this.name}: addLoss`);
    if (term.rank > 0)
      throw new ShapeError(
        `${this.name}: addLoss got shape ${show(term.shape)}; expected one number. Take its mean or sum.`,
      );
    addLoss(term);
  }

  /**
   * In `call`: a number for the logs of fit and evaluate, the mean over the samples. `value`: one number for the batch, or
   * one for each sample, [N, …].
   */
  addMetric(name: string, value: Tensor): void {
    addMetric(name, tensorFrom(value, `${this.name}: addMetric`));
  }

  /** A weight by the name it was added under. */
  weight(name: string): Variable {
    const found = this.weights.find((weight) => weight.name === name);
    if (found) return found;
    const names = this.weights.map((weight) => weight.name).join(', ');
    throw new StateError(
      `${this.name}: no weight is called ${describe(name)}; it has ${names || 'none yet'}.`,
    );
  }

  /** The layers inside: those that it keeps as properties, also in lists and records, in the order of these. */
  get layers(): readonly Layer[] {
    const found = new Set<Layer>();
    const look = (value: unknown): void => {
      if (value instanceof Layer) found.add(value);
      else if (Array.isArray(value)) value.forEach(look);
      else if (
        typeof value === 'object' &&
        value !== null &&
        Object.getPrototypeOf(value) === Object.prototype
      )
        Object.values(value).forEach(look);
    };
    for (const [name, value] of Object.entries(this)) if (!OWN.has(name)) look(value);
    return [...found];
  }

  /** All weights in Keras's order: its own, trainable ones first, then those of the layers inside. */
  get weights(): readonly Variable[] {
    return [
      ...this.ownWeights.filter((weight) => weight.trainable),
      ...this.ownWeights.filter((weight) => !weight.trainable),
      ...this.layers.flatMap((layer) => layer.weights),
    ];
  }

  /** Whether training changes its weights. A change counts from the next step on. */
  get trainable(): boolean {
    return observed(this, () => this.trains);
  }

  set trainable(value: boolean) {
    this.trains = value;
  }

  /** The weights that training changes. */
  get trainableWeights(): readonly Variable[] {
    if (!this.trainable) return [];
    return [
      ...this.ownWeights.filter((weight) => weight.trainable),
      ...this.layers.flatMap((layer) => layer.trainableWeights),
    ];
  }

  /** What the weights that training changes add to the loss, and what `addLoss` added to the step under way, as scalars. */
  get losses(): readonly Tensor[] {
    return [...this.penalties, ...addedSoFar().losses];
  }

  private get penalties(): Tensor[] {
    if (!this.trainable) return [];
    const own = this.ownWeights.filter((weight) => weight.trainable && this.regularizers.has(weight));
    return [
      ...own.map((weight) => this.regularizers.get(weight)!.of(weight)),
      ...this.layers.flatMap((layer) => layer.penalties),
    ];
  }

  /** Copies of all weights in Keras's order, as they are now: later training does not change them. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => apply(identity, [weight]));
  }

  /**
   * Takes over weights in Keras's order: tensors, typed arrays or nested arrays.
   *
   * All are checked before any is changed: ShapeError for another number or shape. Resolves when they are on
   * the GPU; what follows sees them at once.
   */
  setWeights(weights: readonly TensorLike[]): Promise<void> {
    const own = this.weights;
    if (!Array.isArray(weights) || weights.length !== own.length)
      throw new ShapeError(
        `setWeights: ${Array.isArray(weights) ? weights.length : 'no list of'} weights came; ${this.name} has ${own.length}.`,
      );
    return assignAll(own.map((weight, i): [Variable, Tensor] => [weight, fitting(weights[i], weight, i)]));
  }

  /** The weights that training leaves alone. */
  get nonTrainableWeights(): readonly Variable[] {
    const trained = new Set(this.trainableWeights);
    return this.weights.filter((weight) => !trained.has(weight));
  }

  /** Number of values in all weights. */
  countParams(): number {
    return this.weights.reduce((sum, weight) => sum + weight.size, 0);
  }
}

/** An option that a layer may have. */
const optionOf = <T>(layer: object, name: string): T | undefined => (layer as Record<string, T>)[name];

/** Whether sizes agree wherever both are known. */
export const fits = (a: InputShape, b: InputShape): boolean =>
  a.length === b.length &&
  a.every((size, i) => {
    const other = b[i];
    if (Array.isArray(size) || Array.isArray(other))
      return Array.isArray(size) && Array.isArray(other) && fits(size, other);
    return size === null || other === null || size === other;
  });

/** What a layer's function takes: a tensor, or a list of them where the layer was given a list. */
export type LayerInput = Tensor & readonly Tensor[];

/** A symbolic tensor, or the input layer that gives it. */
export type SymbolicLike = SymbolicTensor<Layer> | Layer;

/** What stands for the value: itself, or what an input layer gives. */
export function symbolic(given: unknown, what: string): SymbolicTensor<Layer> {
  if (given instanceof SymbolicTensor) return given as SymbolicTensor<Layer>;
  const source = given instanceof Layer ? given.calls.find(({ inputs }) => inputs.length === 0) : undefined;
  if (source) return source.outputs[0];
  throw new ConfigError(
    `${what} is ${given instanceof Layer ? `the layer ${given.name}` : given instanceof Tensor ? 'a tensor beside symbolic ones' : describe(given)}; expected a symbolic tensor: layers.input([784]), or what layer.apply(input) gives.`,
  );
}

function sizes(shape: unknown, operation: string): (number | null)[] {
  if (!Array.isArray(shape))
    throw new ValueError(`${operation}: inputShape is ${describe(shape)}; expected an array of sizes.`);
  return shape.map((size, i) => (size === null ? null : wholeNumber(size, operation, `inputShape[${i}]`)));
}

/** A shape whose every size is known. */
export function knownSizes(shape: BatchShape, operation: string): number[] {
  if (shape.includes(null))
    throw new ShapeError(
      `${operation}: shape ${showBatch(shape)} has an unknown size; give inputShape in full.`,
    );
  return [...(shape as Shape)];
}

/** A weight's new value as a tensor of its shape. A flat typed array of the right size will do. */
function fitting(given: TensorLike, weight: Variable, index: number): Tensor {
  const isFlat = ArrayBuffer.isView(given) && (given as Float32Array).length === weight.size;
  const x = tensor(given, isFlat ? { shape: [...weight.shape] } : {});
  if (sameShape(x.shape, weight.shape)) return x;
  throw new ShapeError(
    `setWeights: weight ${index} (${weight.name}) has shape ${show(weight.shape)}; ${show(x.shape)} came.`,
  );
}
