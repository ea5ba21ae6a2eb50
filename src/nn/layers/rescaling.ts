import { add, mul } from '../../ops/binary.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between } from '../check.ts';
import { needed, option } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';

const rows = {
  /** Factor: 1 / 255 brings bytes to 0 … 1. */
  scale: needed(between()),
  /** Added afterwards; default 0. */
  offset: option(0, between()),
};

export type RescalingOptions = OptionsOf<typeof rows>;

/** y = x · scale + offset. On bytes it is part of the kernel that reads them and costs no pass of its own. */
export class Rescaling extends layerOf('Rescaling', rows) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor): Tensor {
    const scaled = mul(cast(x, 'f32'), this.scale);
    return this.offset === 0 ? scaled : add(scaled, this.offset);
  }
}

/** y = x · scale + offset; `rescaling(1 / 255)` brings bytes to 0 … 1. */
export const rescaling = factory(Rescaling, 'scale');
