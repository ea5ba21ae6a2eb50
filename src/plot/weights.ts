import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type ArrayGiven, positive, readNumbers } from './arrays.ts';
import { colourBar } from './colour-bar.ts';
import { tile } from './images.ts';
import { diverging } from './palette.ts';
import { readable } from './scale.ts';
import { sheet } from './sheet.ts';

export interface WeightOptions {
  readonly title?: string;
  /** What is written under each unit's image. */
  readonly labels?: readonly (string | number)[];
  /** Height of the layer's input images; the root of the number of inputs unless given. */
  readonly height?: number;
  /** Width of the layer's input images; what `height` leaves unless given. */
  readonly width?: number;
  /** How many units are shown, from the first; at most 100, all of them, unless given. */
  readonly count?: number;
  /** Images in a row; up to 10 unless given. */
  readonly columns?: number;
  /** Side of an image in pixels, the longer one; 84 unless given. */
  readonly size?: number;
  /** The weight of the strongest colour; the greatest by size of all shown unless given. */
  readonly limit?: number;
}

const MOST = 100;

/**
 * What each unit of a first layer looks for, as an SVG: its weights as an image, blue for pixels that speak for
 * it, red for those that speak against it, white for those that do not matter.
 *
 * kernel: [inputs, units], nested or `{ data, shape }`.
 *
 * ```ts
 * plot.weights(await model.layers[0].kernel.array(), { labels: classNames });
 * ```
 */
export function weights(kernel: ArrayGiven, chosen?: WeightOptions): string {
  const options = knownOptions<WeightOptions>('plot.weights', chosen, [
    'title',
    'labels',
    'height',
    'width',
    'count',
    'columns',
    'size',
    'limit',
  ]);
  const { data, shape } = readNumbers(kernel, 'plot.weights');
  const [inputs, units] = shape;
  if (shape.length !== 2 || inputs * units === 0) {
    throw new ShapeError(`plot.weights: the kernel has shape [${shape}], expected [inputs, units].`);
  }
  const { height = options.width ? inputs / options.width : Math.sqrt(inputs) } = options;
  const width = options.width ?? inputs / height;
  if (!Number.isInteger(height) || !Number.isInteger(width) || height * width !== inputs) {
    throw new ShapeError(
      `plot.weights: ${inputs} inputs as images of ${readable(height)} × ${readable(width)}. Give { height, width }.`,
    );
  }
  const weight = (i: number, _channel: number, unit: number): number => data[i * units + unit];
  return drawUnits('plot.weights', { height, width, channels: 1, units, weight }, options);
}

/** Units that see images of height × width × channels; `weight(i, channel, unit)` is what pixel i counts for one. */
export interface Units {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly units: number;
  readonly weight: (i: number, channel: number, unit: number) => number;
  /** Said under the picture after the colours' bar. */
  readonly note?: string;
}

/** An image for each unit: from red to blue where there is one channel, else in colours, in which 0 is mid-grey. */
export function drawUnits(
  operation: string,
  { height, width, channels, units, weight, note }: Units,
  options: Omit<WeightOptions, 'height' | 'width'>,
): string {
  const count = positive(options.count ?? Math.min(units, MOST), `${operation}: count`);
  if (count > units) throw new ValueError(`${operation}: count is ${count}, but there are ${units} units.`);
  const { title, labels, size = 84 } = options;
  if (labels && labels.length < count) {
    throw new ShapeError(`${operation}: ${labels.length} labels for ${count} units.`);
  }
  const pixels = Array.from({ length: height * width }, (_, i) => i);
  const lists = Array.from({ length: count }, (_, unit) =>
    pixels.map((i) => Array.from({ length: channels }, (_, channel) => weight(i, channel, unit))),
  );
  const sizes = lists.flat(2).map(Math.abs).filter(Number.isFinite);
  const limit = options.limit ?? (sizes.reduce((most, value) => Math.max(most, value), 0) || 1);
  const grey = (share: number): number => 127.5 * (1 + (Number.isNaN(share) ? 0 : share));
  const cells = lists.map((list, unit) => {
    const bytes = Uint8ClampedArray.from(
      list.flatMap((at) =>
        channels === 1 ? diverging(at[0] / limit) : at.map((value) => grey(value / limit)),
      ),
    );
    return tile({ bytes, height, width, channels: 3 }, size, labels?.[unit]);
  });
  const columns = positive(options.columns ?? 10, `${operation}: columns`);
  const description = title ?? `Weights of ${count} units as images`;
  const colour = channels === 1 ? diverging : (share: number) => [grey(share), grey(share), grey(share)];
  const footer = colourBar((share) => colour(2 * share - 1), [-limit, limit], note);
  return sheet(cells, { title, description, columns, gap: 10, footer });
}
