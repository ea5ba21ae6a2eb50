/** Layers that put zeros around places, cut places off, or repeat them. */
import { ShapeError } from '../../base/errors.ts';
import { kept } from '../../ops/kept.ts';
import { broadcastTo, pad, reshape, slice } from '../../ops/movement.ts';
import { resize } from '../../ops/resize.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { option } from '../options.ts';
import { dataFormatRow } from './data-format.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { interpolationRow } from './resizing.ts';
import { type Margins, marginsFor, type Sizes, Spatial, sizesFor } from './spatial.ts';

type MarginsLike = number | readonly (number | Margins)[];

// ---- zeros around

abstract class ZeroPadding extends Spatial {
  declare readonly padding: readonly Margins[];

  protected override get dimensions(): number {
    return this.padding.length;
  }

  protected override placesOf(size: number, axis: number): number {
    const [before, after] = this.padding[axis];
    return before + size + after;
  }

  protected override over(x: Tensor): Tensor {
    return pad(x, [[0, 0], ...this.padding, [0, 0]]);
  }
}

const padding1dRows = {
  /** How many zeros: a number for both ends, or [before, after]; default 1. */
  padding: option<MarginsLike, readonly Margins[]>(1, marginsFor(1), ([ends]) => ends),
  dataFormat: dataFormatRow,
};

export type ZeroPadding1DOptions = OptionsOf<typeof padding1dRows>;

/** [N, steps, C] → [N, before + steps + after, C] */
export class ZeroPadding1D extends layerOf('ZeroPadding1D', padding1dRows, ZeroPadding) {}

/** Zeros before and after a sequence. */
export const zeroPadding1d = factory(ZeroPadding1D, 'padding');

const padding2dRows = {
  /** How many zeros: a number for all sides, [vertical, horizontal] or [[top, bottom], [left, right]]; default 1. */
  padding: option<MarginsLike, readonly Margins[]>(1, marginsFor(2)),
  dataFormat: dataFormatRow,
};

export type ZeroPadding2DOptions = OptionsOf<typeof padding2dRows>;

/** [N, height, width, C] → [N, top + height + bottom, left + width + right, C] */
export class ZeroPadding2D extends layerOf('ZeroPadding2D', padding2dRows, ZeroPadding) {}

/** Zeros around pictures. */
export const zeroPadding2d = factory(ZeroPadding2D, 'padding');

// ---- cut off

abstract class Cropping extends Spatial {
  declare readonly cropping: readonly Margins[];

  protected override get dimensions(): number {
    return this.cropping.length;
  }

  protected override placesOf(size: number, axis: number): number {
    const [before, after] = this.cropping[axis];
    if (before + after < size) return size - before - after;
    throw new ShapeError(
      `${this.name}: cropping takes ${before} and ${after} of ${size} places; at least one must be left.`,
    );
  }

  protected override over(x: Tensor): Tensor {
    const [samples, ...rest] = x.shape;
    const sizes = rest.slice(0, -1).map((size, axis) => this.placesOf(size, axis));
    return slice(
      x,
      [0, ...this.cropping.map(([before]) => before), 0],
      [samples, ...sizes, rest[rest.length - 1]],
    );
  }
}

const cropping1dRows = {
  /** How many places: a number for both ends, or [before, after]; default 1. */
  cropping: option<MarginsLike, readonly Margins[]>(1, marginsFor(1), ([ends]) => ends),
};

export type Cropping1DOptions = OptionsOf<typeof cropping1dRows>;

/** [N, steps, C] → [N, steps − before − after, C] */
export class Cropping1D extends layerOf('Cropping1D', cropping1dRows, Cropping) {}

/** A sequence without its ends. */
export const cropping1d = factory(Cropping1D, 'cropping');

const cropping2dRows = {
  /** How many places: a number for all sides, [vertical, horizontal] or [[top, bottom], [left, right]]; default 0. */
  cropping: option<MarginsLike, readonly Margins[]>(0, marginsFor(2)),
  dataFormat: dataFormatRow,
};

export type Cropping2DOptions = OptionsOf<typeof cropping2dRows>;

/** [N, height, width, C] → [N, height − top − bottom, width − left − right, C] */
export class Cropping2D extends layerOf('Cropping2D', cropping2dRows, Cropping) {}

/** Pictures without their margins. */
export const cropping2d = factory(Cropping2D, 'cropping');
/** TensorFlow.js's spelling of {@link cropping2d}. */
export const cropping2D = cropping2d;

// ---- repeated

abstract class UpSampling extends Spatial {
  declare readonly size: readonly number[];

  protected override get dimensions(): number {
    return this.size.length;
  }

  protected override placesOf(size: number, axis: number): number {
    return size * this.size[axis];
  }

  protected override over(x: Tensor): Tensor {
    const [samples, ...rest] = x.shape;
    const places = rest.slice(0, -1);
    const channels = rest[rest.length - 1];
    const apart = reshape(x, [samples, ...places.flatMap((size) => [size, 1]), channels]);
    const repeated = places.flatMap((size, axis) => [size, this.size[axis]]);
    return reshape(broadcastTo(apart, [samples, ...repeated, channels]), [
      samples,
      ...places.map((size, axis) => this.placesOf(size, axis)),
      channels,
    ]);
  }
}

const up1dRows = {
  /** How often each step is repeated; default 2. */
  size: option<Sizes, readonly number[]>(2, sizesFor(1), ([times]) => times),
};

export type UpSampling1DOptions = OptionsOf<typeof up1dRows>;

/** [N, steps, C] → [N, size · steps, C] */
export class UpSampling1D extends layerOf('UpSampling1D', up1dRows, UpSampling) {}

/** Each step of a sequence several times. */
export const upSampling1d = factory(UpSampling1D, 'size');

const up2dRows = {
  /** How often rows and columns are repeated; default 2. */
  size: option<Sizes, readonly number[]>(2, sizesFor(2)),
  dataFormat: dataFormatRow,
  /** What stands between: 'nearest' (default), the value itself, or 'bilinear'. */
  interpolation: { ...interpolationRow, default: 'nearest' as const },
};

export type UpSampling2DOptions = OptionsOf<typeof up2dRows>;

/** [N, height, width, C] → [N, size · height, size · width, C] */
export class UpSampling2D extends layerOf('UpSampling2D', up2dRows, UpSampling) {
  protected override over(x: Tensor): Tensor {
    if (this.interpolation === 'nearest') return super.over(x);
    const [height, width] = x.shape.slice(1, 3).map((size, axis) => this.placesOf(size, axis));
    return resize(kept(x), [height, width], { interpolation: this.interpolation });
  }
}

/** Pictures with each row and column several times. */
export const upSampling2d = factory(UpSampling2D, 'size');
