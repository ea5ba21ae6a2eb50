import { reshape } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { channelsLast, type DataFormat, dataFormatRow } from './data-format.ts';
import { layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';

const rows = {
  /** Where the input has its channels; the result has them last. Default 'channelsLast'. */
  dataFormat: {
    ...dataFormatRow,
    config: (format: DataFormat) => (format === 'channelsFirst' ? format : undefined),
  },
};

export type FlattenOptions = OptionsOf<typeof rows>;

/** [N, a, b, …] → [N, a · b · …] */
export class Flatten extends layerOf('Flatten', rows) {
  override computeOutputShape([samples, ...rest]: BatchShape): BatchShape {
    return [
      samples,
      rest.includes(null) ? null : (rest as number[]).reduce((product, size) => product * size, 1),
    ];
  }

  override call(x: Tensor): Tensor {
    if (x.rank === 2) return x;
    const last = this.dataFormat === 'channelsFirst' ? channelsLast(x) : x;
    return reshape(last, [x.shape[0], sampleSize(x)]);
  }
}

/** Number of values in one sample; right also for a batch of no samples. */
const sampleSize = (x: Tensor): number => x.shape.slice(1).reduce((product, size) => product * size, 1);

/** [N, a, b, …] → [N, a · b · …] */
export const flatten = (options?: FlattenOptions): Flatten => new Flatten(options);
