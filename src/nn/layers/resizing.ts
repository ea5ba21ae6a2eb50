/** Layers that bring pictures to a size. */
import { ConfigError } from '../../base/errors.ts';
import { pad, slice } from '../../ops/movement.ts';
import { resize } from '../../ops/resize.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between, flag, oneOf, wholeNumber } from '../check.ts';
import { needed, option } from '../options.ts';
import { dataFormatRow } from './data-format.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { Spatial } from './spatial.ts';

export type Interpolation = 'bilinear' | 'nearest';

/** What stands between the values of a picture: 'bilinear' (default) or 'nearest'. */
export const interpolationRow = option<Interpolation>('bilinear', (given, operation, name) =>
  oneOf<Interpolation>(given, operation, name, ['bilinear', 'nearest']),
);

/** The height and width that a layer gives. */
export const sizeRows = {
  height: needed<number>(wholeNumber),
  width: needed<number>(wholeNumber),
};

/** A layer that gives pictures of one height and width. */
export abstract class Sizing extends Spatial {
  declare readonly height: number;
  declare readonly width: number;

  protected override get dimensions(): number {
    return 2;
  }

  protected override placesOf(_size: number, axis: number): number {
    return axis === 0 ? this.height : this.width;
  }
}

type Size = readonly [height: number, width: number];

/** The largest part of a size with the proportions of another, rounded down as Keras does. */
const largestWithin = ([height, width]: Size, [toHeight, toWidth]: Size): Size => [
  Math.max(Math.min(height, Math.trunc((width * toHeight) / toWidth)), 1),
  Math.max(Math.min(width, Math.trunc((height * toWidth) / toHeight)), 1),
];

/** The smallest size around another with the proportions of a third. */
const smallestAround = ([height, width]: Size, [toHeight, toWidth]: Size): Size => [
  Math.max(height, Math.trunc((width * toHeight) / toWidth)),
  Math.max(width, Math.trunc((height * toWidth) / toHeight)),
];

const sizeOf = (x: Tensor): Size => [x.shape[1], x.shape[2]];

/** The middle of pictures [N, height, width, C]. */
export const middle = (x: Tensor, [height, width]: Size): Tensor =>
  slice(
    x,
    [0, Math.trunc((x.shape[1] - height) / 2), Math.trunc((x.shape[2] - width) / 2), 0],
    [x.shape[0], height, width, x.shape[3]],
  );

/** Pictures resized to a size, what does not fit its proportions cut off. */
export const cutToSize = (x: Tensor, size: Size, interpolation: Interpolation): Tensor =>
  resize(middle(x, largestWithin(sizeOf(x), size)), size, { interpolation });

const resizingRows = {
  ...sizeRows,
  interpolation: interpolationRow,
  /** Whether what does not fit the proportions is cut off, instead of squeezed; default false. */
  cropToAspectRatio: option(false, flag),
  /** Whether pictures are filled up to the proportions, instead of squeezed; default false. */
  padToAspectRatio: option(false, flag),
  /** How they are filled up: 'constant'. */
  fillMode: option<'constant'>('constant', (given, operation, name) =>
    oneOf(given, operation, name, ['constant'] as const),
  ),
  /** With what; default 0. */
  fillValue: option(0, between()),
  /** Keras's smoothing of what gets smaller; only false, its default, is offered. */
  antialias: option<false>(false, (given, operation, name) =>
    oneOf(given, operation, name, [false] as const),
  ),
  dataFormat: dataFormatRow,
};

export type ResizingOptions = OptionsOf<typeof resizingRows>;

/** [N, height, width, C] → [N, this height, this width, C] */
export class Resizing extends layerOf('Resizing', resizingRows, Sizing) {
  protected override over(x: Tensor): Tensor {
    const { interpolation, fillValue } = this;
    const size = [this.height, this.width] as const;
    if (this.cropToAspectRatio && this.padToAspectRatio)
      throw new ConfigError(
        `${this.name}: cropToAspectRatio and padToAspectRatio are both true; keep one of them.`,
      );
    const pictures = cast(x, 'f32');
    if (this.cropToAspectRatio) return cutToSize(pictures, size, interpolation);
    if (!this.padToAspectRatio) return resize(pictures, size, { interpolation });
    const [height, width] = sizeOf(pictures);
    const around = smallestAround([height, width], size);
    const [rows, columns] = [around[0] - height, around[1] - width].map((more) => Math.trunc(more / 2));
    const filled = pad(pictures.sub(fillValue), [
      [0, 0],
      [rows, rows],
      [columns, columns],
      [0, 0],
    ]).add(fillValue);
    return resize(filled, size, { interpolation });
  }
}

/** Pictures in another size: `resizing({ height: 32, width: 32 })`. */
export const resizing = (options: ResizingOptions): Resizing => new Resizing(options);

const cropRows = { ...sizeRows, dataFormat: dataFormatRow };

export type CenterCropOptions = OptionsOf<typeof cropRows>;

/** The middle of pictures; those that are too small are resized and cut. */
export class CenterCrop extends layerOf('CenterCrop', cropRows, Sizing) {
  protected override over(x: Tensor): Tensor {
    const size = [this.height, this.width] as const;
    const [height, width] = sizeOf(x);
    return height >= size[0] && width >= size[1]
      ? middle(cast(x, 'f32'), size)
      : cutToSize(cast(x, 'f32'), size, 'bilinear');
  }
}

/** The middle of pictures: `centerCrop({ height: 24, width: 24 })`. */
export const centerCrop = (options: CenterCropOptions): CenterCrop => new CenterCrop(options);
