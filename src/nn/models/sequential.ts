/** A model whose layers follow one another. */
import { ConfigError, ShapeError, StateError } from '../../base/errors.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { asLayer, type LayerDefinition } from '../layers/custom.ts';
import { InputLayer } from '../layers/input.ts';
import {
  type BatchShape,
  type CallContext,
  fits,
  type Layer,
  type LayerOptions,
  layerDefaults,
} from '../layers/layer.ts';
import { describe, readOptions } from '../names.ts';
import { PLACES } from '../seeds.ts';
import { Model } from './model.ts';

export interface SequentialOptions {
  /** Default 'sequential', then 'sequential_1', … */
  name?: string | null;
  trainable?: boolean;
}

/** A layer, a model, or an object with `call`. */
export type LayerLike = Omit<Layer, 'call'> | LayerDefinition;

/** See {@link sequential}. */
export class Sequential extends Model {
  private readonly list: Layer[] = [];
  private readonly shapes = new Map<Layer, BatchShape>();
  private shapeAsked: BatchShape | null = null;

  constructor(layers: readonly LayerLike[] = [], options?: SequentialOptions) {
    const given = readOptions('sequential', options, { ...layerDefaults });
    super(given as LayerOptions, 'Sequential');
    if (!Array.isArray(layers))
      throw new ConfigError(`sequential: layers is ${describe(layers)}; expected a list of layers.`);
    this.shapeAsked = super.inputShape;
    for (const layer of layers) this.add(layer);
  }

  /** The layers without the input, in a list of the caller's own. */
  override get layers(): readonly Layer[] {
    return [...(this.list ?? [])];
  }

  override get fileForm(): 'row' | null {
    return this.constructor === Sequential ? 'row' : null;
  }

  override get inputShape(): BatchShape | null {
    return (this.builtFor as BatchShape | null) ?? this.shapeAsked;
  }

  /** Appends a layer. The model is built as soon as its input shape is known. */
  add(given: LayerLike): this {
    this.refuseWhileRunning('add');
    const layer = asLayer(given);
    if (layer === null)
      throw new ConfigError(
        `${this.name}: layer is ${describe(given)}; expected a layer, or an object with call.`,
      );
    if (layer instanceof InputLayer) {
      if (this.shapeAsked !== null || this.list.length > 0)
        throw new ConfigError(
          `${this.name}: an input layer comes first and once; this model has begun already.`,
        );
      this.shapeAsked = layer.batchInputShape;
      return this;
    }
    if (layer === (this as Layer)) throw new ConfigError(`${this.name}: a model cannot be its own layer.`);
    if (this.list.some(({ name }) => name === layer.name))
      throw new ConfigError(
        `${this.name}: two layers are called ${JSON.stringify(layer.name)}. Give one another name.`,
      );
    if (this.list.length === 0 && this.shapeAsked === null)
      this.shapeAsked = layer instanceof Model ? layer.inputShape : layer.batchInputShape;
    const before = this.builtFor === null ? null : this.outputShape;
    if (before) this.append(layer, before, this.list.length);
    this.list.push(layer);
    if (!before && this.shapeAsked !== null) this.build(this.shapeAsked);
    return this;
  }

  /** Takes the last layer away. */
  pop(): Layer {
    this.refuseWhileRunning('pop');
    const layer = this.list.pop();
    if (!layer) throw new StateError(`${this.name}: there is no layer to take away.`);
    this.shapes.delete(layer);
    if (this.list.length === 0) this.builtFor = null;
    return layer;
  }

  private append(layer: Layer, inputShape: BatchShape, index: number): BatchShape {
    if (!layer.built) {
      layer.place = (this.place ?? 0) * PLACES + index + 1;
      layer.randomSeed ??= this.seed;
    }
    layer.buildFor(inputShape);
    const output = layer.computeOutputShape(inputShape);
    this.shapes.set(layer, output);
    return output;
  }

  /** Makes all weights for inputs [null, …], unless they are there. */
  override build(inputShape: BatchShape): void {
    const asked = this.shapeAsked;
    if (!Array.isArray(inputShape) || (asked !== null && !fits(inputShape, asked)))
      throw asked === null
        ? new ShapeError(
            `${this.name}: build got ${describe(inputShape)}; expected a shape such as [null, 784].`,
          )
        : this.unfit(inputShape, asked);
    if (this.list.length === 0) throw this.empty();
    if (this.builtFor !== null) {
      this.checkInput(inputShape, this.builtFor as BatchShape);
      return;
    }
    let shape: BatchShape = inputShape;
    this.list.forEach((layer, i) => {
      shape = this.append(layer, shape, i);
    });
    this.builtFor = inputShape;
  }

  private empty(): StateError {
    return new StateError(`${this.name}: the model has no layers. Add some first.`);
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    if (!fits([null, ...inputShape.slice(1)], [null, ...builtFor.slice(1)]))
      throw this.unfit(inputShape, builtFor);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.list.reduce((shape, layer) => layer.computeOutputShape(shape), inputShape);
  }

  override outputShapeOf(layer: Layer): BatchShape | null {
    if (this.builtFor !== null && this.list.includes(layer)) {
      // What a model inside gives may have changed since this one was built.
      if (this.list.some((inner) => inner instanceof Model)) {
        let shape = this.builtFor as BatchShape;
        for (const inner of this.list) {
          shape = inner.computeOutputShape(shape);
          this.shapes.set(inner, shape);
        }
      }
      return this.shapes.get(layer) ?? null;
    }
    for (const inner of this.list) {
      const found = inner instanceof Model ? inner.outputShapeOf(layer) : null;
      if (found) return found;
    }
    return null;
  }

  override get finalActivation(): string | null {
    return this.list.at(-1)?.finalActivation ?? null;
  }

  /** Layer after layer. Bytes and integers become f32 first, without scaling. */
  override call(x: Tensor, { training, logits = false }: CallContext): Tensor {
    if (this.list.length === 0) throw this.empty();
    const last = this.list.length - 1;
    return this.list.reduce(
      (y, layer, i) => layer.apply(y, { training: training && this.trainable, logits: logits && i === last }),
      cast(x, 'f32'),
    );
  }

  /** A layer by its name, or by its position. */
  getLayer(which: string | number): Layer {
    const found =
      typeof which === 'number' ? this.list.at(which) : this.list.find(({ name }) => name === which);
    if (found) return found;
    throw new ConfigError(
      `${this.name}: no layer ${describe(which)}; there are ${this.list.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  }

  override getConfig(): Record<string, unknown> {
    return {
      name: this.name,
      trainable: this.trainable,
      ...(this.inputShape ? { batchInputShape: this.inputShape } : {}),
      layers: this.list.map((layer) => ({ className: layer.className, config: layer.getConfig() })),
    };
  }
}

/**
 * A model of layers that follow one another.
 *
 * Built, with weights, as soon as its input shape is known: from an input layer, from `inputShape` of the
 * first one, or from the first data. Initial weights are a function of the seed, of the how-manieth model it is and of
 * the layers' places: call `init({ seed })` first.
 *
 * ```ts
 * const model = sequential([
 *   layers.input([28, 28]),
 *   layers.flatten(),
 *   layers.dense(128, { activation: 'relu' }),
 *   layers.dense(10, { activation: 'softmax' }),
 * ]);
 * model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
 * ```
 */
export const sequential = (layers?: readonly LayerLike[], options?: SequentialOptions): Sequential =>
  new Sequential(layers, options);
