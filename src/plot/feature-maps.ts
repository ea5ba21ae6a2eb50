import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type ArrayGiven, positive, readNumbers } from './arrays.ts';
import { colourBar } from './colour-bar.ts';
import { tile } from './images.ts';
import { sequential } from './palette.ts';
import { extent, type Interval } from './scale.ts';
import { sheet } from './sheet.ts';

export interface FeatureMapOptions {
  readonly title?: string;
  /** What is written under each map. */
  readonly labels?: readonly (string | number)[];
  /** How many maps are shown, from the first; at most 100, all of them, unless given. */
  readonly count?: number;
  /** Maps in a row; up to 8 unless given. */
  readonly columns?: number;
  /** Side of a map in pixels, the longer one; 84 unless given. */
  readonly size?: number;
  /** The numbers that are white and deep blue; the least and the greatest of all shown unless given. */
  readonly range?: Interval;
  /** Each map from its own least to its own greatest number, which shows faint ones; default false. */
  readonly each?: boolean;
}

const MOST = 100;

/**
 * What a convolution finds in one picture, as an SVG: an image for each channel, the bluer the more is there.
 *
 * maps: [h, w, C] or [1, h, w, C], nested or `{ data, shape }`. A map in which all is equal is white with `each`.
 *
 * ```ts
 * const inside = model({ inputs: net.inputs, outputs: net.layers[1].output });
 * plot.featureMaps(await (await inside.predict(picture)).array());
 * ```
 */
export function featureMaps(maps: ArrayGiven, chosen?: FeatureMapOptions): string {
  const options = knownOptions<FeatureMapOptions>('plot.featureMaps', chosen, [
    'title',
    'labels',
    'count',
    'columns',
    'size',
    'range',
    'each',
  ]);
  const { data, shape } = readNumbers(maps, 'plot.featureMaps');
  const [height, width, channels] = shape.slice(-3);
  const one = shape.length === 3 || (shape.length === 4 && shape[0] === 1);
  if (!one || height * width * channels === 0) {
    throw new ShapeError(`plot.featureMaps: shape [${shape}], expected [h, w, C] or [1, h, w, C].`);
  }
  const count = positive(options.count ?? Math.min(channels, MOST), 'plot.featureMaps: count');
  if (count > channels) {
    throw new ValueError(`plot.featureMaps: count is ${count}, but there are ${channels} maps.`);
  }
  const { title, labels, size = 84, each = false } = options;
  if (labels && labels.length < count) {
    throw new ShapeError(`plot.featureMaps: ${labels.length} labels for ${count} maps.`);
  }
  const lists = Array.from({ length: count }, (_, channel) =>
    Array.from({ length: height * width }, (_, i) => data[i * channels + channel]),
  );
  const all = options.range ?? extent(lists) ?? [0, 1];
  const cells = lists.map((list, channel) => {
    const [low, high] = each ? (extent([list]) ?? [0, 1]) : all;
    const share = (value: number): number => (high === low ? 0 : (value - low) / (high - low));
    const bytes = Uint8ClampedArray.from(list.flatMap((value) => sequential(share(value))));
    return tile({ bytes, height, width, channels: 3 }, size, labels?.[channel]);
  });
  const columns = positive(options.columns ?? 8, 'plot.featureMaps: columns');
  const description = title ?? `${count} feature maps of ${height} × ${width}`;
  return sheet(cells, {
    title,
    description,
    columns,
    gap: 10,
    footer: each ? undefined : colourBar(sequential, all),
  });
}
