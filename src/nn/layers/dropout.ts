import { ConfigError, ShapeError } from '../../base/errors.ts';
import { add, div } from '../../ops/binary.ts';
import { variable } from '../../ops/constant.ts';
import { uniform } from '../../ops/random.ts';
import { greaterEqual, where } from '../../ops/select.ts';
import { type Shape, show } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { describe, readOptions, withMain } from '../names.ts';
import { placeOutside, seedInUse, streams } from '../seeds.ts';
import {
  type BatchShape,
  type CallContext,
  Layer,
  type LayerOptions,
  layerDefaults,
  showBatch,
} from './layer.ts';

export interface DropoutOptions extends LayerOptions {
  /** The share of values that is dropped, from 0 to 1. */
  rate: number;
  /** Default null: the engine's seed. */
  seed?: number | null;
  /**
   * Sizes of the mask, where values are dropped together: [null, 1, 8] drops the same of the 8 at every position of a
   * sample. 1: all along this axis alike; null: as the input. Default null: each value by itself.
   */
  noiseShape?: BatchShape | null;
}

/**
 * In training, each value is dropped with probability `rate` and the others are divided by 1 − rate;
 * otherwise y = x.
 *
 * Which ones are dropped is a function of the layer's seed (or the engine's and the layer's place in its
 * model), the count of training calls and the position of the value: a replayed step draws new numbers, a
 * repeated run the same.
 */
export class Dropout extends Layer {
  readonly rate: number;
  readonly seed: number | null;
  readonly noiseShape: BatchShape | null;
  /** Training calls so far. Not a weight: saved states hold it beside the weights. */
  readonly steps = variable(0, { dtype: 'i32', name: 'dropout_steps', trainable: false });

  constructor(options: DropoutOptions) {
    const { rate, seed, noiseShape, ...rest } = readOptions('dropout', options, {
      ...layerDefaults,
      rate: Number.NaN,
      seed: null as number | null,
      noiseShape: null as BatchShape | null,
    });
    super(rest, 'Dropout');
    this.rate = numberBetween(rate, this.name, 'rate', 0, 1);
    this.seed = seed === null ? null : wholeNumber(seed, this.name, 'seed', 0);
    if (noiseShape !== null && !Array.isArray(noiseShape))
      throw new ConfigError(
        `${this.name}: noiseShape is ${describe(noiseShape)}; expected sizes such as [null, 1, 8].`,
      );
    this.noiseShape = noiseShape;
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  /** Sizes of what is drawn for inputs of a shape. */
  private maskShape(shape: Shape): Shape {
    const { noiseShape } = this;
    if (noiseShape === null) return shape;
    const sizes = noiseShape.map((size, axis) => size ?? shape[axis]);
    if (sizes.length === shape.length && sizes.every((size, axis) => size === 1 || size === shape[axis]))
      return sizes;
    throw new ShapeError(
      `${this.name}: noiseShape ${showBatch(noiseShape)} does not fit inputs ${show(shape)}; each size is 1, that of the input, or null.`,
    );
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x;
    this.place ??= placeOutside();
    const [seed, place] = this.seed === null ? [this.randomSeed ?? seedInUse(), this.place] : [this.seed, 0];
    const drawn = uniform(this.maskShape(x.shape), {
      seed,
      stream: streams.dropout + place,
      counter: this.steps,
    });
    const y = where(greaterEqual(drawn, this.rate), div(x, 1 - this.rate), 0);
    void this.steps.assign(add(this.steps, 1));
    return y;
  }

  override getConfig(): Record<string, unknown> {
    const { rate, seed, noiseShape } = this;
    return { ...super.getConfig(), rate, seed, ...(noiseShape && { noiseShape }) };
  }
}

/** Drops a share `rate` of the values in training and scales the others up. */
export const dropout = (rate: number | DropoutOptions, options?: Omit<DropoutOptions, 'rate'>): Layer =>
  new Dropout(withMain<DropoutOptions>('rate', rate, options));
