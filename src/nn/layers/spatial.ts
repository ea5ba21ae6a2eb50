/**
 * Layers over places: of a sequence [N, steps, C], a picture [N, height, width, C] or a volume. With
 * `dataFormat: 'channelsFirst'` the channels stand before the places instead; such layers turn their input, compute and
 * turn the result back, so that models from others' files run.
 */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { describe } from '../names.ts';
import { channelsFirst, channelsLast, type DataFormat } from './data-format.ts';
import { type BatchShape, type CallContext, Layer, showBatch } from './layer.ts';

/** A number, or one for each axis of places. */
export type Sizes = number | readonly number[];

/** Reads a whole number for every axis of places, or one for each of them. */
export const sizesFor =
  (dimensions: number, least = 1) =>
  (given: unknown, operation: string, name: string): readonly number[] => {
    const all: unknown[] = Array.isArray(given) ? given : Array(dimensions).fill(given);
    if (all.length !== dimensions)
      throw new ConfigError(
        `${operation}: ${name} is ${describe(given)}; expected a whole number${dimensions === 1 ? '' : `, or ${dimensions} of them`}.`,
      );
    return all.map((size) => wholeNumber(size, operation, name, least));
  };

/** What stands before and after along an axis. */
export type Margins = readonly [number, number];

/** Reads margins: a number for all sides, one for each axis, or [before, after] for each axis. */
export const marginsFor =
  (dimensions: number) =>
  (given: unknown, operation: string, name: string): readonly Margins[] => {
    const flat = dimensions === 1 && Array.isArray(given) && !given.some(Array.isArray);
    const all: unknown[] = flat ? [given] : Array.isArray(given) ? given : Array(dimensions).fill(given);
    if (all.length !== dimensions)
      throw new ConfigError(
        `${operation}: ${name} is ${describe(given)}; expected a whole number, or [before, after] for each of ${dimensions} axes.`,
      );
    return all.map((one) => {
      const [before, after] = sizesFor(2, 0)(one, operation, name);
      return [before, after];
    });
  };

/** The names of the axes of places, by how many there are. */
const placeNames: Readonly<Record<number, string>> = {
  1: 'steps',
  2: 'height, width',
  3: 'depth, height, width',
};

/** See the head of this file. */
export abstract class Spatial extends Layer {
  declare readonly dataFormat: DataFormat;

  /** How many axes of places there are. */
  protected abstract get dimensions(): number;

  /** How many places along an axis come of `size`. */
  protected abstract placesOf(size: number, axis: number): number;

  /** How many channels come of `channels`. */
  protected channelsOf(channels: number | null): number | null {
    return channels;
  }

  /** The function, of [N, ...places, C]. */
  protected abstract over(x: Tensor, context: CallContext): Tensor;

  /** Samples, places and channels of a shape; ShapeError for another number of axes. */
  protected partsOf(shape: BatchShape): {
    readonly samples: number | null;
    readonly places: BatchShape;
    readonly channels: number | null;
  } {
    const first = this.dataFormat === 'channelsFirst';
    if (shape.length !== this.dimensions + 2) {
      const places = placeNames[this.dimensions];
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(shape)}; expected [samples, ${first ? `channels, ${places}` : `${places}, channels`}].`,
      );
    }
    const [samples, ...sizes] = shape;
    return first
      ? { samples, places: sizes.slice(1), channels: sizes[0] }
      : { samples, places: sizes.slice(0, -1), channels: sizes[sizes.length - 1] };
  }

  // Sizes that do not go together are found when a model is built, with the layer's name.
  override build(inputShape: BatchShape): void {
    this.computeOutputShape(inputShape);
  }

  protected override checkInput(inputShape: BatchShape, _builtFor: BatchShape): void {
    this.computeOutputShape(inputShape);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { samples, places, channels } = this.partsOf(inputShape);
    const sizes = places.map((size, axis) => (size === null ? null : this.placesOf(size, axis)));
    return this.shaped(samples, sizes, this.channelsOf(channels));
  }

  /** The shape of these parts. */
  protected shaped(samples: number | null, places: BatchShape, channels: number | null): BatchShape {
    return this.dataFormat === 'channelsFirst'
      ? [samples, channels, ...places]
      : [samples, ...places, channels];
  }

  override call(x: Tensor, context: CallContext): Tensor {
    this.partsOf(x.shape);
    if (this.dataFormat !== 'channelsFirst') return this.over(x, context);
    const y = this.over(channelsLast(x), context);
    return y.rank === 2 ? y : channelsFirst(y);
  }
}
