/** Layers that filter each channel by itself, and then perhaps mix them: far fewer weights than all channels at once. */
import type { TensorLike } from '../../ops/constant.ts';
import {
  type DepthwiseConvOptions,
  depthwiseConv1d as depthwise1d,
  depthwiseConv2d as depthwise2d,
} from '../../ops/depthwise.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { needed, option } from '../options.ts';
import type { WeightRule } from '../weights/rule.ts';
import { convolve, innerPaddingRow, kernelRows, outputRows, Windowed } from './convolution.ts';
import { factory, factoryOfTwo, layerOf, type OptionsOf, weightRows } from './define.ts';

const operations: readonly ((x: TensorLike, filter: TensorLike, options?: DepthwiseConvOptions) => Tensor)[] =
  [depthwise1d, depthwise2d];

const depthwiseRowsFor = (dimensions: number) => ({
  ...kernelRows(dimensions),
  padding: innerPaddingRow,
  /** How many filters each channel has; default 1. */
  depthMultiplier: option<number>(1, wholeNumber),
  ...outputRows,
  ...weightRows({ depthwise: 'glorotUniform', bias: 'zeros' }),
});

const separableRowsFor = (dimensions: number) => ({
  /** Number of channels that come out. */
  filters: needed<number>(wholeNumber),
  ...depthwiseRowsFor(dimensions),
  ...weightRows({ pointwise: 'glorotUniform' }),
});

/** A layer that filters channel by channel. */
abstract class ChannelByChannel extends Windowed {
  declare readonly padding: 'valid' | 'same';
  declare readonly depthMultiplier: number;
  declare readonly depthwiseInitializer: Initializer;
  declare readonly depthwiseRegularizer: WeightRule | null;
  declare readonly depthwiseConstraint: WeightRule | null;
  /** [...kernelSize, C, depthMultiplier] */
  depthwiseKernel: Variable | null = null;

  /** Each channel's filters, of which Keras names the weight in two ways. */
  protected addDepthwise(name: string, channels: number): void {
    const { kernelSize, depthMultiplier, depthwiseInitializer } = this;
    this.depthwiseKernel = this.addWeight(
      name,
      [...kernelSize, channels, depthMultiplier],
      depthwiseInitializer,
      { regularizer: this.depthwiseRegularizer, constraint: this.depthwiseConstraint },
    );
  }

  /** [N, …, C] → [N, …, C · depthMultiplier], the filters of a channel side by side. */
  protected apart(x: Tensor): Tensor {
    const { strides, padding, dilationRate: dilations } = this;
    return operations[this.dimensions - 1](this.operand(x), this.operand(this.depthwiseKernel!), {
      strides,
      padding,
      dilations,
    });
  }
}

abstract class DepthwiseConvolution extends ChannelByChannel {
  protected override get outputs(): number {
    const [channels, each] = this.depthwiseKernel!.shape.slice(-2);
    return channels * each;
  }

  protected override channelsOf(channels: number | null): number | null {
    return channels === null ? null : channels * this.depthMultiplier;
  }

  protected override buildFilters(channels: number): void {
    this.addDepthwise('kernel', channels);
  }

  protected override over(x: Tensor): Tensor {
    const y = this.apart(x);
    return this.bias ? y.add(this.bias) : y;
  }
}

const depthwise1dRows = depthwiseRowsFor(1);
export type DepthwiseConv1DOptions = OptionsOf<typeof depthwise1dRows>;

/** y[n, p, c · m + i] = f(Σ x[n, …, c] · kernel[t, c, i] + bias) */
export class DepthwiseConv1D extends layerOf('DepthwiseConv1D', depthwise1dRows, DepthwiseConvolution) {}

/** Filters each channel of sequences by itself: [N, steps, C] → [N, places, C · depthMultiplier]. */
export const depthwiseConv1d = factory(DepthwiseConv1D, 'kernelSize');

const depthwise2dRows = depthwiseRowsFor(2);
export type DepthwiseConv2DOptions = OptionsOf<typeof depthwise2dRows>;

/** The same of pictures. kernel: [rows, columns, C, depthMultiplier]. */
export class DepthwiseConv2D extends layerOf('DepthwiseConv2D', depthwise2dRows, DepthwiseConvolution) {}

/** Filters each channel of pictures by itself: [N, height, width, C] → [N, …, C · depthMultiplier]. */
export const depthwiseConv2d = factory(DepthwiseConv2D, 'kernelSize');

abstract class SeparableConvolution extends ChannelByChannel {
  declare readonly filters: number;
  /** [1, …, C · depthMultiplier, filters] */
  pointwiseKernel: Variable | null = null;

  protected override get outputs(): number {
    return this.filters;
  }

  protected override buildFilters(channels: number): void {
    this.addDepthwise('depthwise_kernel', channels);
    const { pointwiseInitializer, pointwiseRegularizer, pointwiseConstraint } = this as unknown as {
      readonly pointwiseInitializer: Initializer;
      readonly pointwiseRegularizer: WeightRule | null;
      readonly pointwiseConstraint: WeightRule | null;
    };
    this.pointwiseKernel = this.addWeight(
      'pointwise_kernel',
      [...this.kernelSize.map(() => 1), channels * this.depthMultiplier, this.filters],
      pointwiseInitializer,
      { regularizer: pointwiseRegularizer, constraint: pointwiseConstraint },
    );
  }

  protected override over(x: Tensor): Tensor {
    const { bias } = this;
    return convolve(this.operand(this.apart(x)), this.operand(this.pointwiseKernel!), {
      ...(bias && { bias }),
    });
  }
}

const separable1dRows = separableRowsFor(1);
export type SeparableConv1DOptions = OptionsOf<typeof separable1dRows>;

/** Each channel filtered by itself, then all mixed at every place. */
export class SeparableConv1D extends layerOf('SeparableConv1D', separable1dRows, SeparableConvolution) {}

/** Filters channels of sequences one by one and mixes them: [N, steps, C] → [N, places, filters]. */
export const separableConv1d = factoryOfTwo(SeparableConv1D, 'filters', 'kernelSize');

const separable2dRows = separableRowsFor(2);
export type SeparableConv2DOptions = OptionsOf<typeof separable2dRows>;

/** The same of pictures (Chollet 2017). */
export class SeparableConv2D extends layerOf('SeparableConv2D', separable2dRows, SeparableConvolution) {}

/** Filters channels of pictures one by one and mixes them: [N, height, width, C] → [N, …, filters]. */
export const separableConv2d = factoryOfTwo(SeparableConv2D, 'filters', 'kernelSize');
