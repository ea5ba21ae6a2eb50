/**
 * Layers that show a model other pictures each time: flipped, turned, zoomed, moved, cut, brighter. In training alone; predict
 * and validation see pictures as they are. The numbers are drawn on the GPU, for each picture by itself: with the same seed the
 * same pictures come again.
 */
import { ConfigError } from '../../base/errors.ts';
import { iota } from '../../ops/constant.ts';
import { kept } from '../../ops/kept.ts';
import { gather } from '../../ops/movement.ts';
import { uniform } from '../../ops/random.ts';
import { cast, where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between, numberBetween } from '../check.ts';
import { describe, Names } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { type Affine, type FillMode, transformed } from './affine.ts';
import { dataFormatRow } from './data-format.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { drawnFor, seedRow } from './drawing.ts';
import type { CallContext } from './layer.ts';
import { cutToSize, type Interpolation, interpolationRow, middle, sizeRows } from './resizing.ts';
import { Spatial } from './spatial.ts';

type Range = readonly [low: number, high: number];
type RangeLike = number | Range;

/** Reads [low, high] within bounds; a number f is [−f, f], as far as the bounds go. */
const rangeWithin =
  (low: number, high: number) =>
  (given: unknown, operation: string, name: string): Range => {
    const number = (one: unknown): number => numberBetween(one, operation, name, low, high);
    if (!Array.isArray(given)) {
      const size = Math.abs(number(given));
      return [Math.max(-size, low), size];
    }
    if (given.length !== 2)
      throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected a number or [low, high].`);
    const [a, b] = given.map(number);
    return a <= b ? [a, b] : [b, a];
  };

/** A layer that changes pictures in training. */
abstract class Augmentation extends Spatial {
  declare readonly seed: number | null;
  /** Training calls so far. */
  readonly steps = this.addState('steps');

  protected override get dimensions(): number {
    return 2;
  }

  protected override placesOf(size: number, _axis: number): number {
    return size;
  }

  /** Changed pictures [N, H, W, C]. `draw(n)` gives n times N numbers from 0 to 1 as [N, 1, 1, 1]; call it once. */
  protected abstract change(x: Tensor, draw: (count: number) => readonly Tensor[]): Tensor;

  protected override over(given: Tensor, { training }: CallContext): Tensor {
    const x = cast(given, 'f32');
    if (!training) return x;
    const [samples] = x.shape;
    return this.change(x, (count) => {
      const numbers = kept(drawnFor(this, this.steps, uniform, [count, samples], this.seed));
      return Array.from({ length: count }, (_, i) =>
        numbers.slice([i, 0], [1, samples]).reshape([samples, 1, 1, 1]),
      );
    });
  }
}

/** A number of a range for one from 0 to 1. */
const inRange = (number: Tensor, [low, high]: Range): Tensor => number.mul(high - low).add(low);

// ---- flipped

/** The last first. */
const flip = (x: Tensor, axis: number): Tensor => {
  const last = x.shape[axis] - 1;
  return gather(
    x,
    iota(last + 1)
      .neg()
      .add(last),
    axis,
  );
};

type FlipMode = 'horizontal' | 'vertical' | 'horizontalAndVertical';
const flipModes = Names.ofWords<FlipMode>('mode', ['horizontal', 'vertical', 'horizontalAndVertical']);

const flipRows = {
  /** 'horizontal', 'vertical' or 'horizontalAndVertical' (default): left and right changed, top and bottom, or each by itself. */
  mode: option<FlipMode | 'horizontal_and_vertical', FlipMode>('horizontalAndVertical', (given, operation) =>
    flipModes.get(given, operation),
  ),
  seed: seedRow,
  dataFormat: dataFormatRow,
};

export type RandomFlipOptions = OptionsOf<typeof flipRows>;

/** Each picture flipped, or not, with probability 1/2. */
export class RandomFlip extends layerOf('RandomFlip', flipRows, Augmentation) {
  protected override change(x: Tensor, draw: (count: number) => readonly Tensor[]): Tensor {
    const [across, upright] = draw(2);
    let y = x;
    if (this.mode !== 'vertical') y = where(across.less(0.5), flip(y, 2), y);
    if (this.mode !== 'horizontal') y = where(upright.less(0.5), flip(y, 1), y);
    return y;
  }
}

/** Pictures flipped at random in training: `randomFlip('horizontal')`. */
export const randomFlip = (
  first: RandomFlipOptions['mode'] | RandomFlipOptions = {},
  rest?: Omit<RandomFlipOptions, 'mode'>,
): RandomFlip => factory(RandomFlip, 'mode')(first, rest);

// ---- turned, zoomed, moved

const fillModes = ['reflect', 'wrap', 'constant', 'nearest'] as const;
const fillModeNames = Names.ofWords<FillMode>('fillMode', fillModes);

const looks = {
  /** What stands beyond the edges: 'reflect' (default), 'wrap', 'constant' or 'nearest'. */
  fillMode: option<FillMode>('reflect', (given, operation) => fillModeNames.get(given, operation)),
  interpolation: interpolationRow,
  seed: seedRow,
  /** For 'constant'; default 0. */
  fillValue: option(0, between()),
  dataFormat: dataFormatRow,
};

/** A layer that looks values up elsewhere. */
abstract class Moving extends Augmentation {
  declare readonly fillMode: FillMode;
  declare readonly interpolation: Interpolation;
  declare readonly fillValue: number;

  /** How many numbers the map of a picture takes. */
  protected abstract get numbers(): number;

  /** Where the values of pictures of a size were, of as many numbers [N, 1, 1]. */
  protected abstract map(numbers: readonly Tensor[], height: number, width: number): Affine;

  protected override change(x: Tensor, draw: (count: number) => readonly Tensor[]): Tensor {
    const [samples, height, width] = x.shape;
    const numbers = draw(this.numbers).map((one) => one.reshape([samples, 1, 1]));
    return transformed(x, this.map(numbers, height, width), this);
  }
}

const rotationRows = {
  /** How far, in turns: a number f for −f to f, or [low, high]; 0.1 is 36 degrees. */
  factor: needed<RangeLike, Range>(rangeWithin(-1, 1)),
  ...looks,
};

export type RandomRotationOptions = OptionsOf<typeof rotationRows>;

/** Each picture turned around its middle. */
export class RandomRotation extends layerOf('RandomRotation', rotationRows, Moving) {
  protected override get numbers(): number {
    return 1;
  }

  protected override map([number]: readonly Tensor[], height: number, width: number): Affine {
    const turns = inRange(number, this.factor);
    // Sine and cosine are good from −π to π.
    const angle = turns.sub(turns.round()).mul(2 * Math.PI);
    const [cos, sin] = [angle.cos(), angle.sin()];
    const [x, y] = [(width - 1) / 2, (height - 1) / 2];
    return {
      column: [cos, sin.neg(), cos.mul(-x).add(sin.mul(y)).add(x)],
      row: [sin, cos, sin.mul(-x).sub(cos.mul(y)).add(y)],
    };
  }
}

/** Pictures turned at random in training: `randomRotation(0.1)` by up to 36 degrees to either side. */
export const randomRotation = factory(RandomRotation, 'factor');

const zoomRows = {
  /** Share by which pictures show more (above 0) or less in height: a number f for −f to f, or [low, high]. */
  heightFactor: needed<RangeLike, Range>(rangeWithin(-1 + 2 ** -24, 1)),
  /** The same for the width; default null: as much as in height. */
  widthFactor: option<RangeLike | null, Range | null>(null, orNull(rangeWithin(-1 + 2 ** -24, 1))),
  ...looks,
};

export type RandomZoomOptions = OptionsOf<typeof zoomRows>;

/** Each picture seen from nearer or farther. */
export class RandomZoom extends layerOf('RandomZoom', zoomRows, Moving) {
  protected override get numbers(): number {
    return 2;
  }

  protected override map([first, second]: readonly Tensor[], height: number, width: number): Affine {
    const down = inRange(first, this.heightFactor).add(1);
    const across = this.widthFactor ? inRange(second, this.widthFactor).add(1) : down;
    const start = (zoom: Tensor, size: number): Tensor =>
      zoom
        .neg()
        .add(1)
        .mul((size - 1) / 2);
    return { column: [across, 0, start(across, width)], row: [0, down, start(down, height)] };
  }
}

/** Pictures zoomed at random in training: `randomZoom(0.2)`, alike in height and width. */
export const randomZoom = factory(RandomZoom, 'heightFactor');

const translationRows = {
  /** Share of the height by which pictures move down (above 0) or up: a number f for −f to f, or [low, high]. */
  heightFactor: needed<RangeLike, Range>(rangeWithin(-1, 1)),
  /** Share of the width by which they move right (above 0) or left. */
  widthFactor: needed<RangeLike, Range>(rangeWithin(-1, 1)),
  ...looks,
};

export type RandomTranslationOptions = OptionsOf<typeof translationRows>;

/** Each picture moved. */
export class RandomTranslation extends layerOf('RandomTranslation', translationRows, Moving) {
  protected override get numbers(): number {
    return 2;
  }

  protected override map([first, second]: readonly Tensor[], height: number, width: number): Affine {
    const down = inRange(first, this.heightFactor).mul(height);
    const across = inRange(second, this.widthFactor).mul(width);
    return { column: [1, 0, across.neg()], row: [0, 1, down.neg()] };
  }
}

/** Pictures moved at random in training: `randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 })`. */
export const randomTranslation = (options: RandomTranslationOptions): RandomTranslation =>
  new RandomTranslation(options);

// ---- cut

const cropRows = { ...sizeRows, seed: seedRow, dataFormat: dataFormatRow };

export type RandomCropOptions = OptionsOf<typeof cropRows>;

/** A part of each picture, in training at a place drawn for the batch, otherwise the middle. What is too small is resized and cut. */
export class RandomCrop extends layerOf('RandomCrop', cropRows, Augmentation) {
  protected override placesOf(_size: number, axis: number): number {
    return axis === 0 ? this.height : this.width;
  }

  protected override over(given: Tensor, context: CallContext): Tensor {
    const x = cast(given, 'f32');
    const [, height, width] = x.shape;
    const size = [this.height, this.width] as const;
    if (height < size[0] || width < size[1]) return cutToSize(x, size, 'bilinear');
    return context.training ? super.over(x, context) : middle(x, size);
  }

  protected override change(x: Tensor): Tensor {
    const numbers = kept(drawnFor(this, this.steps, uniform, [2], this.seed));
    const part = (y: Tensor, axis: number, to: number): Tensor => {
      const starts = y.shape[axis] - to + 1;
      const start = numbers
        .slice([axis - 1], [1])
        .mul(starts)
        .floor()
        .minimum(starts - 1);
      return gather(y, start.cast('i32').add(iota(to)), axis);
    };
    return part(part(x, 1, this.height), 2, this.width);
  }
}

/** A part of pictures, at random places in training: `randomCrop({ height: 24, width: 24 })`. */
export const randomCrop = (options: RandomCropOptions): RandomCrop => new RandomCrop(options);

// ---- other values

/** Reads the lowest and the highest value that there is. */
const valueRangeRow = option<Range>([0, 255], (given, operation, name) => {
  const numbers = Array.isArray(given) ? given : [];
  const [low, high] = numbers.map((one) => numberBetween(one, operation, name, Number.NEGATIVE_INFINITY));
  if (numbers.length === 2 && low <= high) return [low, high];
  throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected [lowest, highest].`);
});

const contrastRows = {
  /** By how much differences from the mean are multiplied: 1 − low to 1 + high for [low, high]; 1 to 1 + f for a number f. */
  factor: needed<RangeLike, Range>((given, ...where) =>
    Array.isArray(given) ? rangeWithin(-1, 1)(given, ...where) : rangeWithin(0, 1)(given, ...where),
  ),
  /** The lowest and the highest value; default [0, 255]. */
  valueRange: valueRangeRow,
  seed: seedRow,
  dataFormat: dataFormatRow,
};

export type RandomContrastOptions = OptionsOf<typeof contrastRows>;

/** (x − μ) · f + μ, with the mean μ of each channel of a picture, as far as the values go. */
export class RandomContrast extends layerOf('RandomContrast', contrastRows, Augmentation) {
  protected override change(x: Tensor, draw: (count: number) => readonly Tensor[]): Tensor {
    const [less, more] = this.factor;
    const [number] = draw(1);
    const mean = x.mean([1, 2], true);
    const factor = inRange(number, [1 - less, 1 + more]);
    return x
      .sub(mean)
      .mul(factor)
      .add(mean)
      .clip(...this.valueRange);
  }
}

/** Pictures with more contrast, or less, at random in training. */
export const randomContrast = factory(RandomContrast, 'factor');

const brightnessRows = {
  /** Share of the range of values that is added: a number f for −f to f, or [low, high]. */
  factor: needed<RangeLike, Range>(rangeWithin(-1, 1)),
  /** The lowest and the highest value; default [0, 255]. */
  valueRange: valueRangeRow,
  seed: seedRow,
  dataFormat: dataFormatRow,
};

export type RandomBrightnessOptions = OptionsOf<typeof brightnessRows>;

/** x + f · (highest − lowest), as far as the values go. */
export class RandomBrightness extends layerOf('RandomBrightness', brightnessRows, Augmentation) {
  protected override change(x: Tensor, draw: (count: number) => readonly Tensor[]): Tensor {
    const [low, high] = this.valueRange;
    const [number] = draw(1);
    return x.add(inRange(number, this.factor).mul(high - low)).clip(low, high);
  }
}

/** Pictures brighter or darker, at random in training. */
export const randomBrightness = factory(RandomBrightness, 'factor');
