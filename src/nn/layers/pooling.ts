/** Layers that keep one value of each window, or of each channel: its largest or its mean. */
import { geometryOf } from '../../ops/convolution/geometry.ts';
import { avgPool, maxPool } from '../../ops/pooling.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, oneOf } from '../check.ts';
import { option, orNull } from '../options.ts';
import { dataFormatRow } from './data-format.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, type CallContext, masking } from './layer.ts';
import { type Sizes, Spatial, sizesFor } from './spatial.ts';

// ---- windows

const rowsFor = (dimensions: number) => ({
  /** Sizes of a window: one number, or one for each axis; default 2. */
  poolSize: option<Sizes, readonly number[]>(2, sizesFor(dimensions)),
  /** Places from one window to the next; default null: windows stand side by side. */
  strides: option<Sizes | null, readonly number[] | null>(null, orNull(sizesFor(dimensions))),
  /** 'valid' (default): windows lie inside. 'same': a window for every stride begun, of the values that there are. */
  padding: option<'valid' | 'same'>('valid', (given, operation, name) =>
    oneOf(given, operation, name, ['valid', 'same'] as const),
  ),
  dataFormat: dataFormatRow,
});

abstract class Pooling extends Spatial {
  declare readonly poolSize: readonly number[];
  declare readonly strides: readonly number[] | null;
  declare readonly padding: 'valid' | 'same';

  protected override get dimensions(): number {
    return this.poolSize.length;
  }

  protected override placesOf(size: number, axis: number): number {
    const { poolSize, strides, padding } = this;
    return geometryOf(
      { size: [size], taps: [poolSize[axis]], strides: (strides ?? poolSize)[axis], padding },
      this.name,
    ).places[0];
  }
}

abstract class MaxPooling extends Pooling {
  protected override over(x: Tensor): Tensor {
    const { poolSize, strides, padding } = this;
    return maxPool(x, poolSize, { strides, padding });
  }
}

abstract class AveragePooling extends Pooling {
  protected override over(x: Tensor): Tensor {
    const { poolSize, strides, padding } = this;
    return avgPool(x, poolSize, { strides, padding });
  }
}

const rows1d = rowsFor(1);
export type Pooling1DOptions = OptionsOf<typeof rows1d>;
const rows2d = rowsFor(2);
export type Pooling2DOptions = OptionsOf<typeof rows2d>;
const rows3d = rowsFor(3);
export type Pooling3DOptions = OptionsOf<typeof rows3d>;

/** y[n, p, c] = max x[n, p · stride + t, c]. The gradient goes to the first of equal values. */
export class MaxPooling1D extends layerOf('MaxPooling1D', rows1d, MaxPooling) {}
/** The largest value of each window of pictures. */
export class MaxPooling2D extends layerOf('MaxPooling2D', rows2d, MaxPooling) {}
/** The largest value of each window of volumes. */
export class MaxPooling3D extends layerOf('MaxPooling3D', rows3d, MaxPooling) {}
/** y[n, p, c] = mean x[n, p · stride + t, c], of the values that there are. */
export class AveragePooling1D extends layerOf('AveragePooling1D', rows1d, AveragePooling) {}
/** The mean of each window of pictures. */
export class AveragePooling2D extends layerOf('AveragePooling2D', rows2d, AveragePooling) {}
/** The mean of each window of volumes. */
export class AveragePooling3D extends layerOf('AveragePooling3D', rows3d, AveragePooling) {}

const withDefault =
  <O, L>(make: (first: Sizes | O, rest?: Omit<O, 'poolSize'>) => L) =>
  (first: Sizes | O = 2, rest?: Omit<O, 'poolSize'>): L =>
    make(first, rest);

/** The largest of each window of sequences: [N, steps, C] → [N, places, C]; windows of 2 unless told otherwise. */
export const maxPooling1d = withDefault<Pooling1DOptions, MaxPooling1D>(factory(MaxPooling1D, 'poolSize'));
/** The largest of each window of pictures: [N, 28, 28, C] → [N, 14, 14, C]; windows of 2 × 2 unless told otherwise. */
export const maxPooling2d = withDefault<Pooling2DOptions, MaxPooling2D>(factory(MaxPooling2D, 'poolSize'));
/** The largest of each window of volumes. */
export const maxPooling3d = withDefault<Pooling3DOptions, MaxPooling3D>(factory(MaxPooling3D, 'poolSize'));
/** The mean of each window of sequences. */
export const averagePooling1d = withDefault<Pooling1DOptions, AveragePooling1D>(
  factory(AveragePooling1D, 'poolSize'),
);
/** The mean of each window of pictures. */
export const averagePooling2d = withDefault<Pooling2DOptions, AveragePooling2D>(
  factory(AveragePooling2D, 'poolSize'),
);
/** The mean of each window of volumes. */
export const averagePooling3d = withDefault<Pooling3DOptions, AveragePooling3D>(
  factory(AveragePooling3D, 'poolSize'),
);

// ---- whole channels

const globalRows = {
  dataFormat: dataFormatRow,
  /** Whether axes of size 1 stay where the places were; default false: [N, C]. */
  keepdims: option(false, flag),
};

export type GlobalPoolingOptions = OptionsOf<typeof globalRows>;

abstract class GlobalPooling extends Spatial {
  declare readonly keepdims: boolean;

  /** One value of those along axes. */
  protected abstract of(x: Tensor, axes: number[], keepDims: boolean): Tensor;

  protected override placesOf(): number {
    return 1;
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { samples, places, channels } = this.partsOf(inputShape);
    return this.keepdims
      ? this.shaped(
          samples,
          places.map(() => 1),
          channels,
        )
      : [samples, channels];
  }

  protected override over(x: Tensor): Tensor {
    const places = x.shape.slice(2).map((_, i) => i + 1);
    return this.of(x, places, this.keepdims);
  }
}

abstract class GlobalMax extends GlobalPooling {
  protected override of(x: Tensor, axes: number[], keepDims: boolean): Tensor {
    return x.max(axes, keepDims);
  }
}

abstract class GlobalAverage extends GlobalPooling {
  protected override of(x: Tensor, axes: number[], keepDims: boolean): Tensor {
    return x.mean(axes, keepDims);
  }
}

/** [N, steps, C] → [N, C] */
export class GlobalMaxPooling1D extends layerOf('GlobalMaxPooling1D', globalRows, GlobalMax) {
  protected override get dimensions(): number {
    return 1;
  }
}

/** [N, height, width, C] → [N, C] */
export class GlobalMaxPooling2D extends layerOf('GlobalMaxPooling2D', globalRows, GlobalMax) {
  protected override get dimensions(): number {
    return 2;
  }
}

/** [N, steps, C] → [N, C], over the steps that count where a mask came along. */
export class GlobalAveragePooling1D extends layerOf('GlobalAveragePooling1D', globalRows, GlobalAverage) {
  protected override get dimensions(): number {
    return 1;
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const mask = context.mask ?? masking.of(x);
    if (!mask) return super.call(x, context);
    this.partsOf(x.shape);
    const [steps, channels] = this.dataFormat === 'channelsFirst' ? [2, 1] : [1, 2];
    const counts = mask.cast('bool').expandDims(channels);
    const total = (values: Tensor): Tensor => values.sum(steps, this.keepdims);
    return total(where(counts, x, 0)).div(total(counts.cast('f32')));
  }

  /** There are no steps any more. */
  override computeMask(): null {
    return null;
  }
}

/** [N, height, width, C] → [N, C] */
export class GlobalAveragePooling2D extends layerOf('GlobalAveragePooling2D', globalRows, GlobalAverage) {
  protected override get dimensions(): number {
    return 2;
  }
}

/** The largest value of each channel of sequences. */
export const globalMaxPooling1d = (options?: GlobalPoolingOptions): GlobalMaxPooling1D =>
  new GlobalMaxPooling1D(options);
/** The largest value of each channel of pictures. */
export const globalMaxPooling2d = (options?: GlobalPoolingOptions): GlobalMaxPooling2D =>
  new GlobalMaxPooling2D(options);
/** The mean of each channel of sequences. */
export const globalAveragePooling1d = (options?: GlobalPoolingOptions): GlobalAveragePooling1D =>
  new GlobalAveragePooling1D(options);
/** The mean of each channel of pictures. */
export const globalAveragePooling2d = (options?: GlobalPoolingOptions): GlobalAveragePooling2D =>
  new GlobalAveragePooling2D(options);
