/**
 * Layers that bring values to mean 0 and variance 1: over a batch (moving averages of its statistics serve afterwards), over
 * the features of each sample, or to length 1. Variances are means of squared differences, so that they are right far from 0.
 */
import { normalizeRows } from '../../ops/normalize.ts';
import { where } from '../../ops/select.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { between, flag } from '../check.ts';
import { option } from '../options.ts';
import { axesOf, axisOf, oneAxis, someAxes } from './axis.ts';
import { initializerRow, layerOf, type OptionsOf, weightRows } from './define.ts';
import { type BatchShape, type CallContext, knownSizes, Layer, masking } from './layer.ts';
import { maskBeside } from './masked.ts';

/** A layer whose outputs have the shape of its inputs, with weights along some axes. */
export abstract class Normalizing extends Layer {
  gamma: Variable | null = null;
  beta: Variable | null = null;

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    const sizes = inputShape.map((size, i) => (this.weightAxes(builtFor.length).includes(i) ? size : null));
    if (
      inputShape.length !== builtFor.length ||
      sizes.some((size, i) => size !== null && size !== builtFor[i])
    )
      throw this.unfit(inputShape, builtFor);
  }

  /** The axes along which weights lie. */
  protected abstract weightAxes(rank: number): number[];

  /** The sizes of weights for inputs of a shape. */
  protected weightSizes(inputShape: BatchShape): number[] {
    return knownSizes(
      this.weightAxes(inputShape.length).map((axis) => inputShape[axis]),
      this.name,
    );
  }

  /** A weight as it stands beside x: size 1 along the other axes. */
  protected beside(x: Tensor, weight: Tensor): Tensor {
    const axes = this.weightAxes(x.rank);
    if (axes[0] + axes.length === x.rank) return weight;
    return weight.reshape(x.shape.map((size, axis) => (axes.includes(axis) ? size : 1)));
  }

  /** x normalized along the axes of its weights, in one kernel where these are the last ones; null where they are not. */
  protected byRows(x: Tensor, centered: boolean, epsilon: number): Tensor | null {
    const axes = this.weightAxes(x.rank);
    if (axes[0] + axes.length !== x.rank) return null;
    const columns = axes.reduce((n, axis) => n * x.shape[axis], 1);
    const flat = (weight: Tensor | null): Tensor | null => weight?.reshape([columns]) ?? null;
    const rows = x.reshape([...x.shape.slice(0, axes[0]), columns]);
    return normalizeRows(rows, flat(this.gamma), flat(this.beta), { centered, epsilon }).reshape(x.shape);
  }

  /** γ · x + β, of what there is. */
  protected scaled(x: Tensor): Tensor {
    const y = this.gamma ? x.mul(this.beside(x, this.gamma)) : x;
    return this.beta ? y.add(this.beside(x, this.beta)) : y;
  }
}

export const affineRows = {
  /** Added to the square of the deviation; default 0.001. */
  epsilon: option(1e-3, between(0)),
  /** Whether β is added; default true. */
  center: option(true, flag),
  /** Whether γ multiplies; default true. */
  scale: option(true, flag),
};

const batchRows = {
  /** The axis of the features; default -1. */
  axis: option<number | readonly number[], number>(-1, oneAxis),
  /** Share of the moving averages that stays in each step; default 0.99. */
  momentum: option(0.99, between(0, 1)),
  ...affineRows,
  ...weightRows({ beta: 'zeros', gamma: 'ones' }),
  /** Default 'zeros'. */
  movingMeanInitializer: initializerRow('zeros'),
  /** Default 'ones'. */
  movingVarianceInitializer: initializerRow('ones'),
};

export type BatchNormalizationOptions = OptionsOf<typeof batchRows>;

/**
 * y = γ (x − μ) / √(σ² + ε) + β (Ioffe and Szegedy 2015)
 *
 * In training μ and σ² are those of the batch, over all axes but one, and their moving averages follow: m = momentum · m +
 * (1 − momentum) · μ, with σ² of the population, as in Keras. Steps that a mask leaves out do not count. Otherwise, and while
 * the layer is frozen, they are the averages.
 */
export class BatchNormalization extends layerOf('BatchNormalization', batchRows, Normalizing) {
  movingMean: Variable | null = null;
  movingVariance: Variable | null = null;

  protected override weightAxes(rank: number): number[] {
    return [axisOf(this, this.axis, rank)];
  }

  override build(inputShape: BatchShape): void {
    const sizes = this.weightSizes(inputShape);
    if (this.scale) this.gamma = this.addWeight('gamma', sizes);
    if (this.center) this.beta = this.addWeight('beta', sizes);
    const fixed = { trainable: false };
    this.movingMean = this.addWeight('moving_mean', sizes, this.movingMeanInitializer, fixed);
    this.movingVariance = this.addWeight('moving_variance', sizes, this.movingVarianceInitializer, fixed);
  }

  override call(x: Tensor, { training, mask }: CallContext): Tensor {
    if (!training || !this.trainable) return this.normalized(x, this.movingMean!, this.movingVariance!);
    const [axis] = this.weightAxes(x.rank);
    const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
    const counted = mask ?? masking.of(x);
    const meanOf = (values: Tensor): Tensor =>
      counted ? maskedMean(values, counted, others) : values.mean(others);
    const mean = meanOf(x);
    const variance = meanOf(x.sub(this.beside(x, mean)).square());
    const follow = (average: Variable, batch: Tensor): void =>
      void average.assign(average.mul(this.momentum).add(batch.mul(1 - this.momentum)));
    follow(this.movingMean!, mean);
    follow(this.movingVariance!, variance);
    return this.normalized(x, mean, variance);
  }

  private normalized(x: Tensor, mean: Tensor, variance: Tensor): Tensor {
    const factor = variance.add(this.epsilon).rsqrt();
    return this.scaled(x.sub(this.beside(x, mean)).mul(this.beside(x, factor)));
  }
}

/** The mean over the steps that count, as Keras has it: Σ m · x / (Σ m + 10⁻⁷). `mask` has the first axes of x. */
function maskedMean(x: Tensor, mask: Tensor, axes: readonly number[]): Tensor {
  const counts = maskBeside(mask, x);
  const count = counts.broadcastTo(x.shape).cast('f32').sum(axes);
  return where(counts, x, 0).sum(axes).div(count.add(1e-7));
}

/** Features at mean 0 and variance 1 over the batch, then scaled and shifted; moving averages serve in inference. */
export const batchNormalization = (options?: BatchNormalizationOptions): BatchNormalization =>
  new BatchNormalization(options);

const layerRows = {
  /** The axis or axes of the features; default -1. */
  axis: option<number | readonly number[]>(-1, someAxes),
  ...affineRows,
  ...weightRows({ beta: 'zeros', gamma: 'ones' }),
};

export type LayerNormalizationOptions = OptionsOf<typeof layerRows>;

/** y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² of each sample's features (Ba et al. 2016). */
export class LayerNormalization extends layerOf('LayerNormalization', layerRows, Normalizing) {
  protected override weightAxes(rank: number): number[] {
    return axesOf(this, this.axis, rank);
  }

  override build(inputShape: BatchShape): void {
    const sizes = this.weightSizes(inputShape);
    if (this.scale) this.gamma = this.addWeight('gamma', sizes);
    if (this.center) this.beta = this.addWeight('beta', sizes);
  }

  override call(x: Tensor): Tensor {
    const rows = this.byRows(x, true, this.epsilon);
    if (rows) return rows;
    const axes = this.weightAxes(x.rank);
    const centered = x.sub(x.mean(axes, true));
    const variance = centered.square().mean(axes, true);
    return this.scaled(centered.mul(variance.add(this.epsilon).rsqrt()));
  }
}

/** Each sample's features at mean 0 and variance 1, then scaled and shifted. */
export const layerNormalization = (options?: LayerNormalizationOptions): LayerNormalization =>
  new LayerNormalization(options);

const rmsRows = {
  /** The axis or axes of the features; default -1. */
  axis: option<number | readonly number[]>(-1, someAxes),
  /** Added to the mean square; default 1e-6. */
  epsilon: option(1e-6, between(0)),
};

export type RMSNormalizationOptions = OptionsOf<typeof rmsRows>;

/** y = s x / √(mean x² + ε) (Zhang and Sennrich 2019) */
export class RMSNormalization extends layerOf('RMSNormalization', rmsRows, Normalizing) {
  protected override weightAxes(rank: number): number[] {
    return axesOf(this, this.axis, rank);
  }

  override build(inputShape: BatchShape): void {
    this.gamma = this.addWeight('scale', this.weightSizes(inputShape), 'ones');
  }

  override call(x: Tensor): Tensor {
    const rows = this.byRows(x, false, this.epsilon);
    if (rows) return rows;
    const square = x.square().mean(this.weightAxes(x.rank), true);
    return this.scaled(x.mul(square.add(this.epsilon).rsqrt()));
  }
}

/** Each sample's features at a mean square of 1, then scaled. */
export const rmsNormalization = (options?: RMSNormalizationOptions): RMSNormalization =>
  new RMSNormalization(options);

const unitRows = {
  /** The axis or axes along which lengths are taken; default -1. */
  axis: option<number | readonly number[]>(-1, someAxes),
};

export type UnitNormalizationOptions = OptionsOf<typeof unitRows>;

/** y = x / ‖x‖₂, and 0 of 0. */
export class UnitNormalization extends layerOf('UnitNormalization', unitRows) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor): Tensor {
    // At most 1e12, as in Keras.
    const square = x.square().sum(axesOf(this, this.axis, x.rank), true);
    return x.mul(square.maximum(1e-24).rsqrt());
  }
}

/** Values of length 1 along an axis. */
export const unitNormalization = (options?: UnitNormalizationOptions): UnitNormalization =>
  new UnitNormalization(options);
