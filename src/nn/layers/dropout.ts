import { ConfigError, ShapeError } from '../../base/errors.ts';
import { add, div } from '../../ops/binary.ts';
import { uniform } from '../../ops/random.ts';
import { greaterEqual, where } from '../../ops/select.ts';
import { type Shape, show } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { placeOutside, seedInUse, streams } from '../seeds.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, type CallContext, showBatch } from './layer.ts';

const rows = {
  /** The share of values that is dropped, from 0 to 1. */
  rate: needed(between(0, 1)),
  /** Default null: the engine's seed. */
  seed: option(null as number | null, orNull(wholeFrom(0))),
  /**
   * Sizes of the mask, where values are dropped together: [null, 1, 8] drops the same of the 8 at every position of a
   * sample. 1: all along this axis alike; null: as the input. Default null: each value by itself.
   */
  noiseShape: option(null as BatchShape | null, orNull(sizesOf), (shape) => shape ?? undefined),
};

function sizesOf(given: unknown, operation: string, name: string): BatchShape {
  if (Array.isArray(given)) return given;
  throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected sizes such as [null, 1, 8].`);
}

export type DropoutOptions = OptionsOf<typeof rows>;

/**
 * In training, each value is dropped with probability `rate` and the others are divided by 1 − rate;
 * otherwise y = x.
 *
 * Which ones are dropped is a function of the layer's seed (or the engine's and the layer's place in its
 * model), the count of training calls and the position of the value: a replayed step draws new numbers, a
 * repeated run the same.
 */
export class Dropout extends layerOf('Dropout', rows) {
  /** Training calls so far. */
  readonly steps = this.addState('dropout_steps');

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
}

/** Drops a share `rate` of the values in training and scales the others up. */
export const dropout = factory(Dropout, 'rate');
