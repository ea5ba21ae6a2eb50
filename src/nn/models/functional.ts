/**
 * Models that are networks of layers, with several inputs and outputs, shared layers, ways that part and meet; and models
 * of one's own, which say what they are in `call`.
 */
import { ConfigError, ShapeError, StateError } from '../../base/errors.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import {
  type BatchShape,
  type CallContext,
  fits,
  type InputShape,
  type Layer,
  type SymbolicLike,
  showBatch,
  symbolic,
} from '../layers/layer.ts';
import { isList } from '../layers/symbolic.ts';
import { describe, readOptions } from '../names.ts';
import { Model as Base } from './model.ts';
import { Network, type Symbolic } from './network.ts';

/** One value, a list, or a record by name. */
export type Values<T> = T | readonly T[] | Readonly<Record<string, T>>;

export interface FunctionalOptions {
  /** What the data stand for: what `layers.input` gives, or values inside another network. */
  inputs: Values<SymbolicLike>;
  /** What the model gives. */
  outputs: Values<SymbolicLike>;
  /** Default 'functional', then 'functional_1', … */
  name?: string | null;
  trainable?: boolean;
}

/** How values are given and taken: alone, as a list, or by these names. */
export type Form = 'one' | 'list' | readonly string[];

function listed(values: unknown, what: string): { form: Form; all: Symbolic[] } {
  const one = (value: unknown, i: number | string): Symbolic =>
    symbolic(value, `${what}${i === '' ? '' : `[${i}]`}`);
  if (Array.isArray(values)) {
    if (values.length === 0) throw new ConfigError(`${what} is an empty list; expected symbolic tensors.`);
    // A list of one is unpacked, as in Keras.
    return { form: values.length === 1 ? 'one' : 'list', all: values.map(one) };
  }
  const isRecord =
    typeof values === 'object' && values !== null && Object.getPrototypeOf(values) === Object.prototype;
  if (!isRecord) return { form: 'one', all: [one(values, '')] };
  const names = Object.keys(values);
  if (names.length === 0) throw new ConfigError(`${what} is an empty record; expected symbolic tensors.`);
  return { form: names, all: names.map((name) => one((values as Record<string, unknown>)[name], name)) };
}

/**
 * A network, `new Model({ inputs, outputs })`, or a model of one's own:
 *
 * ```ts
 * class Residual extends Model {
 *   inner = layers.dense(64, { activation: 'relu' });
 *   out = layers.dense(1);
 *   call(x, context) { return this.out.apply(x.add(this.inner.apply(x, context)), context); }
 * }
 * ```
 *
 * Layers that it keeps as properties are its own: their weights train with it. It is built with the first data.
 */
export class Functional extends Base {
  /** Null in a model of one's own. */
  readonly network: Network | null = null;
  readonly inputForm: Form = 'one';
  readonly outputForm: Form = 'one';

  constructor(options: FunctionalOptions | { name?: string | null; trainable?: boolean } = {}) {
    const { inputs, outputs, ...rest } = readOptions('model', options, {
      inputs: null as unknown,
      outputs: null as unknown,
      name: null as string | null,
      trainable: true,
    });
    super(rest, new.target === Functional ? 'Functional' : new.target.name);
    if (inputs === null && outputs === null && new.target !== Functional) return;
    for (const [name, given] of Object.entries({ inputs, outputs }))
      if (given === null || given === undefined)
        throw new ConfigError(
          `model: ${name} is missing. Give symbolic tensors: model({ inputs: x, outputs: layer.apply(x) }).`,
        );
    const from = listed(inputs, 'model: inputs');
    const to = listed(outputs, 'model: outputs');
    if (new Set(from.all).size < from.all.length)
      throw new ConfigError('model: one input is given twice. Give each once.');
    this.inputForm = from.form;
    this.outputForm = to.form;
    this.network = new Network(this.name, from.all, to.all);
    const shapes = from.all.map(({ shape }) => shape);
    this.builtFor = from.form === 'one' ? shapes[0] : shapes;
  }

  private get graph(): Network {
    if (this.network) return this.network;
    throw new StateError(
      `${this.name}: the model has no inputs and outputs of layers. Make it with model({ inputs, outputs }), or give its class a call.`,
    );
  }

  /** What stands for the data. */
  get inputs(): readonly Symbolic[] {
    return this.graph.inputs;
  }

  /** What stands for the results. */
  get outputs(): readonly Symbolic[] {
    return this.graph.outputs;
  }

  /** All layers, the inputs among them, in Keras's order. */
  override get layers(): readonly Layer[] {
    return this.network?.layers ?? super.layers;
  }

  /** Its network is there from the start. */
  override build(inputShape: InputShape): void {
    if (this.network) this.checkInput(inputShape);
    // A model of one's own makes its layers' weights when it is called.
    else super.computeOutputShape(inputShape);
  }

  protected override checkInput(inputShape: InputShape): void {
    if (!this.network) return;
    const shapes = isList(inputShape) ? inputShape : [inputShape];
    const { inputs } = this.network;
    const anyNumber = ([, ...sizes]: BatchShape): BatchShape => [null, ...sizes];
    if (shapes.length !== inputs.length)
      throw new ShapeError(
        `${this.name}: ${shapes.length} inputs came; expected ${inputs.length}: ${inputs.map(({ call }) => call.layer.name).join(', ')}.`,
      );
    for (const [i, { shape, call }] of inputs.entries())
      if (!fits(anyNumber(shapes[i]), anyNumber(shape)))
        throw new ShapeError(
          `${this.name}: input ${call.layer.name} has shape ${showBatch(shapes[i])}; expected ${showBatch(shape)}.`,
        );
  }

  /** One shape, or a list of them where the model has several outputs. */
  override computeOutputShape(inputShape: InputShape): BatchShape {
    if (!this.network) return super.computeOutputShape(inputShape);
    this.checkInput(inputShape);
    const shapes = this.network.shapes(isList(inputShape) ? inputShape : [inputShape]);
    return (this.outputForm === 'one' ? shapes[0] : shapes) as BatchShape;
  }

  override outputShapeOf(layer: Layer): BatchShape | null {
    const own = this.network?.shapeOf(layer);
    if (own) return own;
    for (const inner of this.layers) {
      const found = inner instanceof Base ? inner.outputShapeOf(layer) : null;
      if (found) return found;
    }
    return null;
  }

  /** For `summary`: see {@link Network.connectionsOf}. */
  connectionsOf(layer: Layer): readonly string[] | null {
    return this.network?.connectionsOf(layer) ?? null;
  }

  /** The value's last activation, where nothing else in the model takes the value. */
  override get finalActivation(): string | null {
    if (!this.network) return null;
    const { calls, outputs } = this.network;
    const [last] = outputs;
    const used = calls.some(({ inputs }) => inputs.includes(last));
    return outputs.length > 1 || used ? null : last.call.layer.finalActivation;
  }

  /** Each layer once its inputs are there. Data are brought to the dtypes of the inputs, without scaling. */
  override call(x: Tensor | readonly Tensor[], { training, logits = false }: CallContext): Tensor {
    const { inputs, outputs } = this.graph;
    const xs = ([x].flat() as Tensor[]).map((one, i) => cast(one, inputs[i].dtype));
    const ys = this.graph.run(xs, (call) => ({
      training: training && this.trainable,
      logits: logits && call === outputs[0].call,
    }));
    return (this.outputForm === 'one' ? ys[0] : ys) as Tensor;
  }

  /** Data go in as one tensor and come out as one; a network of several is applied to tensors. */
  protected override checkData(operation: string): void {
    const { inputs, outputs } = this.network ?? { inputs: [0], outputs: [0] };
    if (inputs.length === 1 && outputs.length === 1) return;
    throw new StateError(
      `${operation}: ${this.name} has ${inputs.length} inputs and ${outputs.length} outputs; fit, evaluate and predict take one of each. Apply it to tensors, model.apply([a, b]), and train it in a step of capture.`,
    );
  }

  /** A layer by its name, or by its position. */
  getLayer(which: string | number): Layer {
    const found =
      typeof which === 'number' ? this.layers.at(which) : this.layers.find(({ name }) => name === which);
    if (found) return found;
    throw new ConfigError(
      `${this.name}: no layer ${describe(which)}; there are ${this.layers.map(({ name }) => name).join(', ')}.`,
    );
  }
}

/**
 * A model of layers that have been applied to one another: `inputs` to `outputs`, each a symbolic tensor, a list or a
 * record of them. A layer that is applied several times shares its weights; a model is a layer too.
 *
 * Throws ConfigError, before any GPU work, where outputs depend on an input that is not given, an input reaches no
 * output, or two layers have one name; ShapeError where shapes do not fit.
 *
 * ```ts
 * const x = layers.input([64]);
 * const h = layers.dense(64, { activation: 'relu' }).apply(x);
 * const net = model({ inputs: x, outputs: layers.dense(1).apply(layers.add().apply([x, h])) });
 * ```
 */
export const model = (options: FunctionalOptions): Functional => new Functional(options);

/** What users extend, and make networks of; as a type any model, layers in a row included. */
export const Model = Functional;
export type Model = Base;
