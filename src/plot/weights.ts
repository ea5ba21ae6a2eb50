import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type ArrayGiven, positive, readNumbers } from './arrays.ts';
import { tile } from './images.ts';
import { diverging, MUTED } from './palette.ts';
import { dataUrl, encodePng } from './png.ts';
import { readable } from './scale.ts';
import { type Cell, label, sheet, textWidth } from './sheet.ts';
import { element } from './svg.ts';

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
  const count = positive(options.count ?? Math.min(units, MOST), 'plot.weights: count');
  if (count > units) throw new ValueError(`plot.weights: count is ${count}, but there are ${units} units.`);
  const { title, labels, size = 84 } = options;
  if (labels && labels.length < count) {
    throw new ShapeError(`plot.weights: ${labels.length} labels for ${count} units.`);
  }
  let largest = 0;
  for (let i = 0; i < inputs; i++) {
    for (let unit = 0; unit < count; unit++) {
      const weight = Math.abs(data[i * units + unit]);
      if (Number.isFinite(weight)) largest = Math.max(largest, weight);
    }
  }
  const { limit = largest || 1 } = options;
  const cells = Array.from({ length: count }, (_, unit) => {
    const bytes = new Uint8ClampedArray(inputs * 3);
    for (let i = 0; i < inputs; i++) bytes.set(diverging(data[i * units + unit] / limit), i * 3);
    return tile({ bytes, height, width, channels: 3 }, size, labels?.[unit]);
  });
  const columns = positive(options.columns ?? 10, 'plot.weights: columns');
  const description = title ?? `Weights of ${count} units as images`;
  return sheet(cells, { title, description, columns, gap: 10, footer: colourBar(limit) });
}

const BAR_WIDTH = 140;

/** What the colours mean: −limit … limit. */
function colourBar(limit: number): Cell {
  const bytes = new Uint8Array(BAR_WIDTH * 3);
  for (let i = 0; i < BAR_WIDTH; i++) bytes.set(diverging((2 * i) / (BAR_WIDTH - 1) - 1), i * 3);
  const ends = [readable(-limit, 2), readable(limit, 2)];
  const from = textWidth(ends[0], 11) + 8;
  const content = [
    label(ends[0], { x: 0, y: 9, 'font-size': 11, fill: MUTED }),
    element('image', {
      x: from,
      width: BAR_WIDTH,
      height: 10,
      preserveAspectRatio: 'none',
      href: dataUrl(encodePng(bytes, BAR_WIDTH, 1, 3)),
    }),
    label(ends[1], { x: from + BAR_WIDTH + 6, y: 9, 'font-size': 11, fill: MUTED }),
  ];
  return { width: from + BAR_WIDTH + 6 + textWidth(ends[1], 11), height: 10, content };
}
