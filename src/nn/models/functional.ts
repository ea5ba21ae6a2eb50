/**
 * Models that are networks of layers, with several inputs and outputs, shared layers, ways that part and meet; and models
 * of one's own, which say what they are in `call`.
 */
import { ConfigError, ShapeError, StateError } from '../../base/errors.ts';
import { sketch } from '../../graph/capture.ts';
import { zeros } from '../../ops/constant.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { tensorFrom } from '../check.ts';
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
import { chooseByOutput, isRecord } from '../training/by-output.ts';
import type { ObjectiveChoice } from '../training/objective.ts';
import { Model as Base } from './model.ts';
import { Network, type Symbolic } from './network.ts';
import { type Form, formOfData, ModelPorts, packed, type Side, spread } from './ports.ts';
import { Stepped } from './stepped.ts';

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
export class Functional extends Stepped {
  /** Null in a model of one's own. */
  readonly network: Network | null = null;
  /** What comes out of a model of one's own for inputs like the latest ones. */
  private ownOutputs: readonly BatchShape[] = [];
  override readonly ports = new ModelPorts({
    inputs: (x) => this.inputSide(x),
    outputs: (inputs) => {
      this.buildForData(inputs);
      return this.outputSide;
    },
  });

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

  override get fileForm(): 'network' | null {
    // What a class does beside its network, files do not hold: whoever loads them gives the class.
    return this.network && this.call === Functional.prototype.call ? 'network' : null;
  }

  /** Whether its function is one of its own. One that is trained by steps of its own may have none. */
  private get hasOwnCall(): boolean {
    return !this.network && this.call !== Functional.prototype.call;
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

  private inputSide(x: unknown): Side {
    if (this.network) {
      const { inputs } = this.network;
      const names = this.inputForm === 'one' || this.inputForm === 'list' ? this.inputNames : this.inputForm;
      return { form: this.inputForm, names, shapes: inputs.map(({ shape }) => shape) };
    }
    const form = formOfData(x);
    if (!this.built) this.inputForm = form;
    const count = isList(this.builtFor ?? []) ? (this.builtFor as InputShape[]).length : 1;
    const known = this.inputForm;
    const names =
      known === 'one'
        ? ['x']
        : known === 'list'
          ? Array.from({ length: this.built ? count : (x as unknown[]).length }, (_, i) => `input ${i}`)
          : known;
    return { form: known, names, shapes: names.map(() => null) };
  }

  private get outputSide(): Side {
    const names = this.outputNames;
    return { form: this.outputForm, names: names.length > 0 ? names : ['y'], shapes: this.outputShapes };
  }

  /** Names of the inputs: those of their layers. */
  private get inputNames(): readonly string[] {
    return this.graph.inputs.map(({ call }) => call.layer.name);
  }

  /** Names of the outputs: keys of a record, else those of the layers that make them. */
  override get outputNames(): readonly string[] {
    const { outputForm: form, network } = this;
    if (form !== 'one' && form !== 'list') return form;
    const names =
      network?.outputs.map(({ call }) => call.layer.name) ??
      this.ownOutputs.map((_, i) => (form === 'one' ? this.name : `output_${i + 1}`));
    return names.map((name, i) => {
      const before = names.slice(0, i).filter((other) => other === name).length;
      return before === 0 ? name : `${name}_${before}`;
    });
  }

  override get outputShapes(): readonly BatchShape[] {
    if (!this.network) return this.ownOutputs;
    const shape: InputShape = this.outputShape;
    return isList(shape) ? shape : [shape];
  }

  override buildForData(inputs: readonly Tensor[]): void {
    const shapes = inputs.map(({ shape }): BatchShape => [null, ...shape.slice(1)]);
    this.buildFor(this.inputForm === 'one' ? shapes[0] : shapes);
    // What comes out of a function of one's own is known once it has run.
    if (this.hasOwnCall) this.computeOutputShape(this.inputForm === 'one' ? shapes[0] : shapes);
  }

  /** Its network is there from the start. */
  override build(inputShape: InputShape): void {
    if (this.network) this.checkInput(inputShape);
    // A model of one's own makes its layers' weights when it is called.
    else if (this.hasOwnCall) this.computeOutputShape(inputShape);
  }

  protected override checkInput(inputShape: InputShape): void {
    const shapes = isList(inputShape) ? inputShape : [inputShape];
    if (!this.network) return;
    const { inputs } = this.network;
    const anyNumber = ([, ...sizes]: BatchShape): BatchShape => [null, ...sizes];
    if (shapes.length !== inputs.length)
      throw new ShapeError(
        `${this.name}: ${shapes.length} inputs came; expected ${inputs.length}: ${this.inputNames.join(', ')}.`,
      );
    for (const [i, { shape, call }] of inputs.entries())
      if (!fits(anyNumber(shapes[i]), anyNumber(shape)))
        throw new ShapeError(
          `${this.name}: input ${call.layer.name} has shape ${showBatch(shapes[i])}; expected ${showBatch(shape)}.`,
        );
  }

  /** One shape, or a list of them where the model has several outputs. */
  override computeOutputShape(inputShape: InputShape): BatchShape {
    const given = isList(inputShape) ? inputShape : [inputShape];
    if (!this.network) {
      if (given.some(([, ...sizes]) => sizes.includes(null))) return given[0];
      const xs = given.map(([, ...sizes]) => zeros([1, ...(sizes as number[])]));
      const { form, all } = spread(sketch(() => this.runOn(xs, { training: false })));
      this.outputForm = form;
      this.ownOutputs = all.map(({ shape }): BatchShape => [null, ...shape.slice(1)]);
      return (form === 'one' ? this.ownOutputs[0] : this.ownOutputs) as BatchShape;
    }
    this.checkInput(inputShape);
    const shapes = this.network.shapes(given);
    return (this.outputForm === 'one' ? shapes[0] : shapes) as BatchShape;
  }

  /** What its function makes of a list of inputs, as it gives it. */
  private runOn(inputs: readonly Tensor[], context: CallContext): Tensor {
    return this.run(
      packed(inputs, this.network && this.inputForm !== 'one' ? 'list' : this.inputForm) as Tensor,
      context,
    );
  }

  override get vocabularies(): readonly (number | null)[] {
    const { network } = this;
    if (!network) return [];
    const sizes = (input: Symbolic): number[] =>
      network.calls.flatMap(({ inputs, layer }) =>
        inputs[0] === input && layer.idCount !== undefined ? [layer.idCount] : [],
      );
    return network.inputs
      .map((input) => Math.min(...sizes(input), Infinity))
      .map((size) => (size < Infinity ? size : null));
  }

  override outputsFor(
    inputs: readonly Tensor[],
    training: boolean,
    logits: readonly boolean[] = [],
  ): readonly Tensor[] {
    return spread(this.runOn(inputs, { training, logits: this.network ? logits : logits[0] })).all;
  }

  override given(outputs: readonly Tensor[]): Tensor {
    return packed(outputs, this.outputForm) as Tensor;
  }

  protected override choose(given: Parameters<Base['choose']>[0]): ObjectiveChoice {
    if (given.loss === null && !this.ownSteps.train) return super.choose(given);
    const choice = chooseByOutput(given);
    // Of a network it is known at once whether there are such outputs.
    if (this.network) choice(this.outputNames);
    return choice;
  }

  /** A model of one's own may give a record. */
  protected override checkResult(given: unknown, what: string): Tensor {
    if (!isRecord(given)) return super.checkResult(given, what);
    return Object.fromEntries(
      Object.entries(given).map(([name, one]) => [name, tensorFrom(one, `${what}: ${name}`)]),
    ) as object as Tensor;
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

  /** For `summary`: see `Network.connectionsOf`. */
  connectionsOf(layer: Layer): readonly string[] | null {
    return this.network?.connectionsOf(layer) ?? null;
  }

  override get finalActivation(): string | null {
    const all = this.finalActivations;
    return all.length === 1 ? all[0] : null;
  }

  /** Each output's last activation, where nothing else in the model takes the value. */
  override get finalActivations(): readonly (string | null)[] {
    const { network } = this;
    if (!network) return this.ownOutputs.map(() => null);
    const { calls, outputs } = network;
    return outputs.map((last) => {
      const used = calls.some(({ inputs }) => inputs.includes(last));
      const twice = outputs.filter((one) => one.call === last.call).length > 1;
      return used || twice ? null : last.call.layer.finalActivation;
    });
  }

  /** Each layer once its inputs are there. Data are brought to the dtypes of the inputs, without scaling. */
  override call(x: Tensor | readonly Tensor[], { training, logits = false }: CallContext): Tensor {
    const { inputs, outputs } = this.graph;
    const xs = ([x].flat() as Tensor[]).map((one, i) => cast(one, inputs[i].dtype));
    const wanted = typeof logits === 'boolean' ? outputs.map(() => logits) : logits;
    const ys = this.graph.run(xs, (call) => ({
      training: training && this.trainable,
      logits: outputs.some((output, i) => output.call === call && wanted[i]),
    }));
    return (this.outputForm === 'one' ? ys[0] : ys) as Tensor;
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
