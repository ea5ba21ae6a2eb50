import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type ArrayGiven, readNumbers } from './arrays.ts';
import { drawUnits, type WeightOptions } from './weights.ts';

export interface FilterOptions extends Omit<WeightOptions, 'height' | 'width'> {
  /** The input channel whose weights are shown, from 0; unless given, all of an input in colour, else the first. */
  readonly channel?: number;
}

/**
 * The filters of a convolution, as an SVG: weights of one input channel as images, blue above 0 and red below; filters
 * over three channels in colours, in which 0 is mid-grey.
 *
 * kernel: [h, w, C, filters], nested or `{ data, shape }`; of a depthwise convolution, what each channel is multiplied by.
 *
 * ```ts
 * plot.filters(await model.layers[0].kernel.array(), { columns: 8, title: 'What it looks for' });
 * ```
 */
export function filters(kernel: ArrayGiven, chosen?: FilterOptions): string {
  const options = knownOptions<FilterOptions>('plot.filters', chosen, [
    'title',
    'labels',
    'count',
    'columns',
    'size',
    'limit',
    'channel',
  ]);
  const { data, shape } = readNumbers(kernel, 'plot.filters');
  const [height, width, inputs, units] = shape;
  if (shape.length !== 4 || height * width * inputs * units === 0) {
    throw new ShapeError(
      `plot.filters: the kernel has shape [${shape}], expected [h, w, channels, filters].`,
    );
  }
  const { channel } = options;
  if (channel !== undefined && !(Number.isInteger(channel) && channel >= 0 && channel < inputs)) {
    throw new ValueError(
      `plot.filters: channel is ${channel}, expected a whole number from 0 to ${inputs - 1}.`,
    );
  }
  const colours = inputs === 3 && channel === undefined;
  const first = channel ?? 0;
  const weight = (i: number, c: number, unit: number): number =>
    data[(i * inputs + first + c) * units + unit];
  const note = colours || inputs === 1 ? undefined : `channel ${first} of ${inputs}`;
  return drawUnits(
    'plot.filters',
    { height, width, channels: colours ? 3 : 1, units, weight, note },
    options,
  );
}
