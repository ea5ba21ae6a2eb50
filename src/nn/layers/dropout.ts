import { ConfigError, ShapeError } from '../../base/errors.ts';
import { div } from '../../ops/binary.ts';
import { uniform } from '../../ops/random.ts';
import { greaterEqual, where } from '../../ops/select.ts';
import { type Shape, show } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between } from '../check.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { Drawing, seedRow } from './drawing.ts';
import { type BatchShape, type CallContext, showBatch } from './layer.ts';

/** What every layer that drops values is told. */
export const droppingRows = {
  /** The share of values that is dropped, from 0 to 1. */
  rate: needed(between(0, 1)),
  /** Default null: the engine's seed. */
  seed: seedRow,
};

const rows = {
  ...droppingRows,
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

/**
 * In training, each value is dropped with probability `rate` and the others are divided by 1 − rate; otherwise y = x.
 * Those that share a number of the mask are dropped together.
 */
export abstract class Dropping extends Drawing {
  declare readonly rate: number;
  declare readonly seed: number | null;

  /** Sizes of what is drawn for inputs of a shape. */
  protected abstract maskShape(shape: Shape): Shape;

  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x;
    const drawn = this.drawn(uniform, this.maskShape(x.shape), this.seed);
    return where(greaterEqual(drawn, this.rate), div(x, 1 - this.rate), 0);
  }
}

export type DropoutOptions = OptionsOf<typeof rows>;

/**
 * In training, each value is dropped with probability `rate` and the others are divided by 1 − rate;
 * otherwise y = x.
 */
export class Dropout extends layerOf('Dropout', rows, Dropping) {
  protected override maskShape(shape: Shape): Shape {
    const { noiseShape } = this;
    if (noiseShape === null) return shape;
    const sizes = noiseShape.map((size, axis) => size ?? shape[axis]);
    if (sizes.length === shape.length && sizes.every((size, axis) => size === 1 || size === shape[axis]))
      return sizes;
    throw new ShapeError(
      `${this.name}: noiseShape ${showBatch(noiseShape)} does not fit inputs ${show(shape)}; each size is 1, that of the input, or null.`,
    );
  }
}

/** Drops a share `rate` of the values in training and scales the others up. */
export const dropout = factory(Dropout, 'rate');
