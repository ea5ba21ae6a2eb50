import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { positive, readNumbers } from './arrays.ts';
import { GRID, MUTED } from './palette.ts';
import { dataUrl, encodePng } from './png.ts';
import { extent, type Interval } from './scale.ts';
import { type Cell, label, sheet, textWidth } from './sheet.ts';
import { element, type Markup } from './svg.ts';

/**
 * Images of one size: labelled images of a data set, `{ data, shape: [n, h, w] }` or nested arrays;
 * [h, w] is one image, [n, h, w, 3] are colours, [n, h·w] square ones.
 */
export type ImagesGiven =
  | {
      readonly images: ArrayLike<number>;
      readonly labels?: ArrayLike<number>;
      readonly count: number;
      readonly height: number;
      readonly width: number;
      /** 3 of pictures in colour. */
      readonly channels?: number;
    }
  | { readonly data: ArrayLike<number>; readonly shape: readonly number[] }
  | readonly unknown[];

export interface ImageOptions {
  readonly title?: string;
  /** What is written under each image; the class of labelled images unless given. */
  readonly labels?: readonly (string | number)[];
  /** Names of the classes, by the number that labelled images have. */
  readonly classNames?: readonly string[];
  /** How many of the images are shown, from the first; at most 100, all of them, unless given. */
  readonly count?: number;
  /** Images in a row; up to 10 unless given. */
  readonly columns?: number;
  /** Side of an image in pixels, the longer one; 84 unless given. */
  readonly size?: number;
  /** The numbers that are black and white; 0 and 255 for bytes, else the least and the greatest. */
  readonly range?: Interval;
  /** `'gray'`, 0 is black; `'binary'`, 0 is paper and the rest ink. `'gray'` unless given. */
  readonly colors?: 'gray' | 'binary';
}

/** More would make a picture that nobody can look at. */
const MOST = 100;

/**
 * Images in a row or a grid with a label under each, as an SVG; their pixels stay squares at any size.
 *
 * ```ts
 * const { train, classNames } = await datasets.fashionMnist();
 * plot.images(train, { count: 10, columns: 5, classNames });
 * ```
 */
export function images(given: ImagesGiven, chosen?: ImageOptions): string {
  const options = knownOptions<ImageOptions>('plot.images', chosen, [
    'title',
    'labels',
    'classNames',
    'count',
    'columns',
    'size',
    'range',
    'colors',
  ]);
  const all = readImages(given, 'plot.images');
  const count = positive(options.count ?? Math.min(all.count, MOST), 'plot.images: count');
  if (count > all.count) throw new ValueError(`plot.images: count is ${count}, but there are ${all.count}.`);
  const { title, size = 84, classNames } = options;
  const { labels } = all;
  const names = options.labels ?? (labels && Array.from({ length: count }, (_, i) => className(labels[i])));
  function className(number: number): string {
    return classNames?.[number] ?? String(number);
  }
  if (names && names.length < count) {
    throw new ShapeError(`plot.images: ${names.length} labels for ${count} images.`);
  }
  const cells = bitmaps(all, count, options).map((bitmap, i) => tile(bitmap, size, names?.[i]));
  const columns = positive(options.columns ?? 10, 'plot.images: columns');
  const description = title ?? `${count} images${names ? `: ${names.slice(0, count).join(', ')}` : ''}`;
  return sheet(cells, { title, description, columns, gap: 10 });
}

/** [height, width, channels] bytes. */
export interface Bitmap {
  readonly bytes: Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** The first `count` images as bytes: black and white are the ends of `range`. */
export function bitmaps(
  { data, height, width, channels }: Images,
  count: number,
  { range, colors = 'gray' }: Pick<ImageOptions, 'range' | 'colors'>,
): Bitmap[] {
  const pixels = height * width * channels;
  const shown = Array.from({ length: count * pixels }, (_, i) => data[i]);
  const [black, white] = range ?? (isBytes(data) ? [0, 255] : (extent([shown]) ?? [0, 1]));
  const byte = (value: number): number => {
    const share = white === black ? 0 : (value - black) / (white - black);
    return 255 * (colors === 'binary' ? 1 - share : share);
  };
  return Array.from({ length: count }, (_, i) => ({
    bytes: Uint8ClampedArray.from(shown.slice(i * pixels, (i + 1) * pixels), byte),
    height,
    width,
    channels,
  }));
}

/** One image with the words under it; the longer side is `size` pixels. */
export function tile(
  { bytes, height, width, channels }: Bitmap,
  size: number,
  words?: string | number,
): Cell {
  const factor = size / Math.max(height, width);
  const [w, h] = [width * factor, height * factor];
  const content: Markup[] = [
    element('image', {
      width: w,
      height: h,
      preserveAspectRatio: 'none',
      'image-rendering': 'pixelated',
      href: dataUrl(encodePng(new Uint8Array(bytes.buffer), width, height, channels)),
    }),
    // A hairline, so that white images end somewhere.
    element('rect', { x: 0.5, y: 0.5, width: w - 1, height: h - 1, fill: 'none', stroke: GRID }),
  ];
  if (words === undefined) return { width: w, height: h, content };
  const fitting = Math.min(11, (11 * (w + 6)) / Math.max(1, textWidth(String(words), 11)));
  content.push(
    label(words, { x: w / 2, y: h + 15, 'text-anchor': 'middle', 'font-size': fitting, fill: MUTED }),
  );
  return { width: w, height: h + 18, content };
}

const isBytes = (data: ArrayLike<number>): boolean =>
  data instanceof Uint8Array || data instanceof Uint8ClampedArray;

export interface Images {
  readonly data: ArrayLike<number>;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly labels?: ArrayLike<number>;
}

export function readImages(given: ImagesGiven, operation: string): Images {
  if ('images' in given) {
    const { images: data, labels, count, height, width, channels = 1 } = given;
    return { data, labels, count, height, width, channels: channels === 3 ? 3 : 1 };
  }
  const numbers = readNumbers(given, operation);
  const { data } = numbers;
  const made = (shape: readonly number[]): Images => {
    const [count, height, width, channels = 1] = shape;
    if (count * height * width > 0 && (channels === 1 || channels === 3))
      return { data, count, height, width, channels };
    throw new ShapeError(`${operation}: shape [${numbers.shape}], expected [n, h, w] or [n, h, w, 3].`);
  };
  const { shape } = numbers;
  if (shape.length === 3 || shape.length === 4) return made(shape);
  if (shape.length === 2) {
    // Rows of 784 numbers are flattened 28 × 28 images; anything else of rank 2 is one image.
    const side = Math.sqrt(shape[1]);
    const flat = Number.isInteger(side) && side >= 8 && side !== shape[0];
    return made(flat && shape[1] >= 64 ? [shape[0], side, side] : [1, ...shape]);
  }
  throw new ShapeError(`${operation}: shape [${shape}], expected [n, h, w] or [n, h, w, 3].`);
}
