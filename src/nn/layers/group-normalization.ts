/** Normalization of groups of features, which asks for no other samples. */
import { ShapeError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { option } from '../options.ts';
import { axisOf, oneAxis } from './axis.ts';
import { factory, layerOf, type OptionsOf, weightRows } from './define.ts';
import type { BatchShape } from './layer.ts';
import { affineRows, Normalizing } from './normalization.ts';

const rows = {
  /** How many groups the features are cut into; -1: one for each feature. Default 32. */
  groups: option(32, (given, operation, name) => (given === -1 ? -1 : wholeNumber(given, operation, name))),
  /** The axis of the features; default -1. */
  axis: option<number | readonly number[], number>(-1, oneAxis),
  ...affineRows,
  ...weightRows({ beta: 'zeros', gamma: 'ones' }),
};

export type GroupNormalizationOptions = OptionsOf<typeof rows>;

/**
 * y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² of each sample's groups of features, over all places (Wu and He 2018).
 *
 * x: [N, …, C]; γ, β: [C]; C / groups features share μ and σ².
 */
export class GroupNormalization extends layerOf('GroupNormalization', rows, Normalizing) {
  protected override weightAxes(rank: number): number[] {
    return [axisOf(this, this.axis, rank)];
  }

  override build(inputShape: BatchShape): void {
    const [features] = this.weightSizes(inputShape);
    const { groups } = this;
    if (groups > features || (groups > 0 && features % groups !== 0))
      throw new ShapeError(
        `${this.name}: ${features} features cannot be cut into ${groups} groups; give groups a divisor of ${features}, or -1.`,
      );
    if (this.scale) this.gamma = this.addWeight('gamma', [features]);
    if (this.center) this.beta = this.addWeight('beta', [features]);
  }

  override call(x: Tensor): Tensor {
    const [axis] = this.weightAxes(x.rank);
    const features = x.shape[axis];
    const groups = this.groups === -1 ? features : this.groups;
    const cut = [...x.shape.slice(0, axis), groups, features / groups, ...x.shape.slice(axis + 1)];
    const grouped = x.reshape(cut);
    const within = cut.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
    const centered = grouped.sub(grouped.mean(within, true));
    const variance = centered.square().mean(within, true);
    return this.scaled(centered.mul(variance.add(this.epsilon).rsqrt()).reshape(x.shape));
  }
}

/** Each sample's groups of features at mean 0 and variance 1, then scaled and shifted. */
export const groupNormalization = factory(GroupNormalization, 'groups');
