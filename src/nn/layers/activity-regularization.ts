import { between } from '../check.ts';
import { option } from '../options.ts';
import { l1l2 } from '../weights/regularizers.ts';
import type { WeightRule } from '../weights/rule.ts';
import { layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';

const rows = {
  /** Factor of Σ |x|; default 0. */
  l1: option(0, between(0)),
  /** Factor of Σ x²; default 0. */
  l2: option(0, between(0)),
};

export type ActivityRegularizationOptions = OptionsOf<typeof rows>;

/** y = x, which adds (l1 Σ |x| + l2 Σ x²) / N to the loss, for N samples. */
export class ActivityRegularization extends layerOf('ActivityRegularization', rows) {
  get activityRegularizer(): WeightRule {
    return l1l2({ l1: this.l1, l2: this.l2 });
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

/** Adds what passes through it to the loss: `activityRegularization({ l2: 0.01 })`. */
export const activityRegularization = (options?: ActivityRegularizationOptions): ActivityRegularization =>
  new ActivityRegularization(options);
