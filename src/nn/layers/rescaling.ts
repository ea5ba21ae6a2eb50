import { add, mul } from '../../ops/binary.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { readOptions, withMain } from '../names.ts';
import { type BatchShape, Layer, type LayerOptions, layerDefaults } from './layer.ts';

export interface RescalingOptions extends LayerOptions {
  /** Factor: 1 / 255 brings bytes to 0 … 1. */
  scale: number;
  /** Added afterwards; default 0. */
  offset?: number;
}

/** y = x · scale + offset. On bytes it is part of the kernel that reads them and costs no pass of its own. */
export class Rescaling extends Layer {
  readonly scale: number;
  readonly offset: number;

  constructor(options: RescalingOptions) {
    const { scale, offset, ...rest } = readOptions('rescaling', options, {
      ...layerDefaults,
      scale: Number.NaN,
      offset: 0,
    });
    super(rest, 'Rescaling');
    this.scale = numberBetween(scale, this.name, 'scale', Number.NEGATIVE_INFINITY);
    this.offset = numberBetween(offset, this.name, 'offset', Number.NEGATIVE_INFINITY);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor): Tensor {
    const scaled = mul(cast(x, 'f32'), this.scale);
    return this.offset === 0 ? scaled : add(scaled, this.offset);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), scale: this.scale, offset: this.offset };
  }
}

/** y = x · scale + offset; `rescaling(1 / 255)` brings bytes to 0 … 1. */
export const rescaling = (
  scale: number | RescalingOptions,
  options?: Omit<RescalingOptions, 'scale'>,
): Layer => new Rescaling(withMain<RescalingOptions>('scale', scale, options));
