import { ConfigError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { describe, readOptions } from '../names.ts';
import {
  type BatchShape,
  type CallContext,
  Layer,
  type LayerInput,
  type LayerOptions,
  layerDefaults,
} from './layer.ts';

/** A layer written down as an object. Inside its functions, `this` is the layer. */
export interface LayerDefinition {
  /** Shown as the layer's type; default 'Custom'. */
  className?: string;
  /** Makes weights with `this.addWeight(name, shape, initializer)`; default none. */
  build?(this: Layer, inputShape: BatchShape): void;
  /** The function; weights are `this.weight(name)`. */
  call(this: Layer, x: LayerInput, context: CallContext): Tensor;
  /** Default: what `call` makes of it. */
  computeOutputShape?(this: Layer, inputShape: BatchShape): BatchShape;
  /** Options to be kept beside the name; default none. */
  config?: Record<string, unknown>;
}

/**
 * A layer of one's own without a class:
 *
 * ```ts
 * layers.custom({
 *   build([, size]) { this.addWeight('gain', [size], 'ones'); },
 *   call(x) { return x.mul(this.weight('gain')); },
 * });
 * ```
 */
export class Custom extends Layer {
  readonly definition: LayerDefinition;

  constructor(definition: LayerDefinition & LayerOptions) {
    const { className = 'Custom', build, call, computeOutputShape, config, ...options } = definition;
    super(readOptions(className, options, layerDefaults), className);
    if (typeof call !== 'function')
      throw new ConfigError(`${className}: call is ${describe(call)}; expected a function of a tensor.`);
    this.definition = { build, call, computeOutputShape, config };
  }

  /** How it was written down: files cannot tell two definitions of one class apart, and so refuse them. */
  get definitionText(): string {
    const { build, call, computeOutputShape } = this.definition;
    return [build, call, computeOutputShape].map(String).join();
  }

  override build(inputShape: BatchShape): void {
    this.definition.build?.call(this, inputShape);
  }

  override call(x: Tensor | readonly Tensor[], context: CallContext): Tensor {
    return this.definition.call.call(this, x as LayerInput, context);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.definition.computeOutputShape?.call(this, inputShape) ?? super.computeOutputShape(inputShape);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), ...this.definition.config };
  }
}

/** A layer of one's own from an object with `call` and perhaps `build`; see {@link LayerDefinition}. */
export const custom = (definition: LayerDefinition & LayerOptions & ThisType<Layer>): Layer =>
  new Custom(definition);

/** A layer from what a model was given: a layer, or an object with `call`. */
export function asLayer(given: unknown): Layer | null {
  if (given instanceof Layer) return given;
  const isDefinition =
    typeof given === 'object' && given !== null && typeof (given as LayerDefinition).call === 'function';
  return isDefinition ? new Custom(given as LayerDefinition) : null;
}
