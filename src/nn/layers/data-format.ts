/** Where the channels of sequences, pictures and volumes stand: after the places, or before them. */
import { transpose } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { Names } from '../names.ts';
import { option } from '../options.ts';

export type DataFormat = 'channelsLast' | 'channelsFirst';

const formats = Names.ofWords<DataFormat>('data format', ['channelsLast', 'channelsFirst']);

/** Where the channels stand: 'channelsLast' (default) or 'channelsFirst', in either spelling. */
export const dataFormatRow = option<DataFormat | 'channels_last' | 'channels_first' | null, DataFormat>(
  null,
  (given, operation, name) => (given === null ? 'channelsLast' : formats.get(given, `${operation}: ${name}`)),
);

/** [N, C, ...places] → [N, ...places, C] */
export const channelsLast = (x: Tensor): Tensor =>
  transpose(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1]);

/** [N, ...places, C] → [N, C, ...places] */
export const channelsFirst = (x: Tensor): Tensor =>
  transpose(x, [0, x.rank - 1, ...x.shape.slice(2).map((_, i) => i + 1)]);
