import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type ArrayGiven, positive, readNumbers } from './arrays.ts';
import { bitmaps, type ImagesGiven, readImages, tile } from './images.ts';
import { heat } from './palette.ts';
import type { Interval } from './scale.ts';
import { sheet } from './sheet.ts';

export interface GradCamOptions {
  readonly title?: string;
  /** What is written under each image. */
  readonly labels?: readonly (string | number)[];
  /** Images in a row; up to 10 unless given. */
  readonly columns?: number;
  /** Side of an image in pixels, the longer one; 140 unless given. */
  readonly size?: number;
  /** The numbers that are black and white; 0 and 255 for bytes, else the least and the greatest. */
  readonly range?: Interval;
  /** What the strongest colour hides of the image, from 0 to 1; 0.75 unless given. */
  readonly opacity?: number;
}

/** What a layer said about images, and how the scores that are to be explained depend on it. */
export interface GradCamGiven {
  /** Outputs of a convolution: [n, h, w, C], or [h, w, C] of one image. */
  readonly maps: ArrayGiven;
  /** The scores' derivatives by these outputs, of the same shape. */
  readonly gradients: ArrayGiven;
}

/**
 * Where a network looks, as an SVG: each image with the places that raised its score, from yellow to red.
 *
 * heat = relu(Σ_c mean(∂score / ∂A_c) · A_c), over its greatest value; A_c are the maps of one layer, the mean is over places. It is
 * stretched to the image bilinearly; an image that nothing speaks for stays as it is.
 *
 * Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.
 *
 * ```ts
 * const [slopes] = gradients(score, [maps]); // maps: [1, 7, 7, 64]
 * plot.gradCam(picture, { maps: await maps.array(), gradients: await slopes.array() });
 * ```
 */
export function gradCam(images: ImagesGiven, given: GradCamGiven, chosen?: GradCamOptions): string {
  const options = knownOptions<GradCamOptions>('plot.gradCam', chosen, [
    'title',
    'labels',
    'columns',
    'size',
    'range',
    'opacity',
  ]);
  const maps = readNumbers(given?.maps, 'plot.gradCam: maps');
  const slopes = readNumbers(given?.gradients, 'plot.gradCam: gradients');
  const shape = maps.shape.length === 3 ? [1, ...maps.shape] : maps.shape;
  const [count, height, width, channels] = shape;
  if (shape.length !== 4 || maps.data.length === 0) {
    throw new ShapeError(`plot.gradCam: maps have shape [${maps.shape}], expected [n, h, w, C].`);
  }
  if (slopes.shape.join() !== maps.shape.join()) {
    throw new ShapeError(
      `plot.gradCam: maps have shape [${maps.shape}], gradients [${slopes.shape}]; expected the same.`,
    );
  }
  const { title, labels, size = 140, opacity = 0.75 } = options;
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new ValueError(`plot.gradCam: opacity is ${opacity}, expected a number from 0 to 1.`);
  }
  const all = readImages(images, 'plot.gradCam');
  if (all.count !== count) {
    throw new ShapeError(`plot.gradCam: ${all.count} images, but maps of ${count}.`);
  }
  if (labels && labels.length < count) {
    throw new ShapeError(`plot.gradCam: ${labels.length} labels for ${count} images.`);
  }
  const cells = bitmaps(all, count, options).map((picture, n) => {
    const from = n * height * width * channels;
    const found = activation(maps.data, slopes.data, from, height * width, channels);
    const bytes = new Uint8ClampedArray(picture.height * picture.width * 3);
    const at = stretched(found, [height, width], [picture.height, picture.width]);
    for (let i = 0; i < picture.height * picture.width; i++) {
      const share = at(i);
      const colour = heat(share);
      for (let c = 0; c < 3; c++) {
        const below = picture.bytes[picture.channels === 3 ? i * 3 + c : i];
        bytes[i * 3 + c] = below + (colour[c] - below) * opacity * share;
      }
    }
    return tile({ ...picture, bytes, channels: 3 }, size, labels?.[n]);
  });
  const columns = positive(options.columns ?? 10, 'plot.gradCam: columns');
  const description = title ?? `Where a network looks in ${count} images`;
  return sheet(cells, { title, description, columns, gap: 10 });
}

/** One image's heat, [places] from 0 to 1. */
function activation(
  maps: ArrayLike<number>,
  slopes: ArrayLike<number>,
  from: number,
  places: number,
  channels: number,
): number[] {
  const found = new Array<number>(places).fill(0);
  for (let c = 0; c < channels; c++) {
    let mean = 0;
    for (let i = 0; i < places; i++) mean += slopes[from + i * channels + c] / places;
    for (let i = 0; i < places; i++) found[i] += mean * maps[from + i * channels + c];
  }
  const raised = found.map((value) => Math.max(value || 0, 0));
  const most = Math.max(...raised) || 1;
  return raised.map((value) => value / most);
}

/** A value for each pixel of a larger image, linear between the middles of the places. */
function stretched(
  values: readonly number[],
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): (pixel: number) => number {
  const along = (place: number, pixels: number, places: number): [number, number, number] => {
    const middle = Math.min(places - 1, Math.max(0, ((place + 0.5) * places) / pixels - 0.5));
    const low = Math.floor(middle);
    return [low, Math.min(places - 1, low + 1), middle - low];
  };
  return (pixel) => {
    const [top, bottom, down] = along(Math.floor(pixel / columns), rows, height);
    const [left, right, over] = along(pixel % columns, columns, width);
    const mixed = (row: number): number =>
      values[row * width + left] * (1 - over) + values[row * width + right] * over;
    return mixed(top) * (1 - down) + mixed(bottom) * down;
  };
}
