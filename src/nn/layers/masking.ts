import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between } from '../check.ts';
import { option } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';
import { carryMasks } from './masks.ts';

const rows = {
  /** A step of which every feature has this value is masked; default 0. */
  maskValue: option(0, between()),
};

export type MaskingOptions = OptionsOf<typeof rows>;

/** y = x with its masked steps at 0; the mask goes along with it. x: [samples, steps, features]. */
export class Masking extends layerOf('Masking', rows) {
  override build(): void {
    carryMasks();
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override computeMask(x: Tensor): Tensor {
    return x.notEqual(this.maskValue).any(-1);
  }

  override call(x: Tensor): Tensor {
    return where(x.notEqual(this.maskValue).any(-1, true), x, 0);
  }
}

/** Masks the steps of which every feature has one value, by default 0. */
export const masking = factory(Masking, 'maskValue');
