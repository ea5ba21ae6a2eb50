import { reshape } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { layerOf } from './define.ts';
import type { BatchShape, LayerOptions } from './layer.ts';

/** [N, a, b, …] → [N, a · b · …] */
export class Flatten extends layerOf('Flatten', {}) {
  override computeOutputShape([samples, ...rest]: BatchShape): BatchShape {
    return [
      samples,
      rest.includes(null) ? null : (rest as number[]).reduce((product, size) => product * size, 1),
    ];
  }

  override call(x: Tensor): Tensor {
    return x.rank === 2 ? x : reshape(x, [x.shape[0], sampleSize(x)]);
  }
}

/** Number of values in one sample; right also for a batch of no samples. */
const sampleSize = (x: Tensor): number => x.shape.slice(1).reduce((product, size) => product * size, 1);

/** [N, a, b, …] → [N, a · b · …] */
export const flatten = (options?: LayerOptions): Flatten => new Flatten(options);
