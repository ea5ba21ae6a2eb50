/** Layers of learned filters that are moved over sequences, pictures and volumes. */
import { ShapeError, ValueError } from '../../base/errors.ts';
import type { TensorLike } from '../../ops/constant.ts';
import { geometryOf } from '../../ops/convolution/geometry.ts';
import {
  type ConvOptions,
  conv1d as convolved1d,
  conv2d as convolved2d,
  conv3d as convolved3d,
} from '../../ops/convolution.ts';
import { half } from '../../ops/half.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { type Activation, knownActivation } from '../activations.ts';
import { flag, oneOf, wholeNumber } from '../check.ts';
import { needed, option } from '../options.ts';
import type { WeightRule } from '../weights/rule.ts';
import { dataFormatRow } from './data-format.ts';
import { activationRow, activityRow, factoryOfTwo, layerOf, type OptionsOf, weightRows } from './define.ts';
import { type BatchShape, type CallContext, knownSizes } from './layer.ts';
import { type Sizes, Spatial, sizesFor } from './spatial.ts';

// ---- what all of them have

export type Padding = 'valid' | 'same' | 'causal';

/** Convolutions of so many axes of places, by their number less one. */
const operations: readonly ((x: TensorLike, filter: TensorLike, options?: ConvOptions) => Tensor)[] = [
  convolved1d,
  convolved2d,
  convolved3d,
];

export const convolve = (x: Tensor, filter: Tensor, options: ConvOptions): Tensor =>
  operations[x.rank - 3](x, filter, options);

/** 'valid' or 'same', for layers that know no 'causal'. */
export const innerPaddingRow = option<'valid' | 'same'>('valid', (given, operation, name) =>
  oneOf(given, operation, name, ['valid', 'same'] as const),
);

/** Options of every layer that moves a kernel over places, for so many axes of them. */
export const kernelRows = (dimensions: number) => ({
  /** Sizes of the kernel: one number, or one for each axis. */
  kernelSize: needed<Sizes, readonly number[]>(sizesFor(dimensions)),
  /** Places from one window to the next; default 1. */
  strides: option<Sizes, readonly number[]>(1, sizesFor(dimensions)),
  /**
   * 'valid' (default): windows lie inside. 'same': zeros around, a window for every stride begun. 'causal', of sequences:
   * zeros in front, so that nothing sees what comes after it.
   */
  padding: option<Padding>('valid', (given, operation, name) =>
    oneOf<Padding>(
      given,
      operation,
      name,
      dimensions === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'],
    ),
  ),
  dataFormat: dataFormatRow,
  /** Places from one value of a window to the next; default 1. Not together with strides. */
  dilationRate: option<Sizes, readonly number[]>(1, sizesFor(dimensions)),
});

/** Options of what becomes of the sums. */
export const outputRows = {
  /** Function of the outputs; default null: none. */
  activation: activationRow,
  /** Whether a bias is added; default true. */
  useBias: option(true, flag),
  /** What the outputs add to the loss; default null: nothing. */
  activityRegularizer: activityRow,
};

/** A layer that moves a kernel over places. */
export abstract class Windowed extends Spatial {
  declare readonly kernelSize: readonly number[];
  declare readonly strides: readonly number[];
  declare readonly padding: Padding;
  declare readonly dilationRate: readonly number[];
  declare readonly activation: Activation;
  declare readonly useBias: boolean;
  declare readonly activityRegularizer: WeightRule | null;
  bias: Variable | null = null;

  protected override get dimensions(): number {
    return this.kernelSize.length;
  }

  protected override placesOf(size: number, axis: number): number {
    const { kernelSize, strides, padding, dilationRate } = this;
    const [taps, stride, gap] = [kernelSize[axis], strides[axis], dilationRate[axis]];
    return geometryOf({ size: [size], taps: [taps], strides: stride, padding, dilations: gap }, this.name)
      .places[0];
  }

  /** The weights, for so many channels. */
  protected abstract buildFilters(channels: number): void;

  /** How many channels come out of those that the layer was built for. */
  protected abstract get outputs(): number;

  override build(inputShape: BatchShape): void {
    const { strides, dilationRate } = this;
    if (Math.max(...strides) > 1 && Math.max(...dilationRate) > 1)
      throw new ValueError(
        `${this.name}: strides [${strides}] and dilationRate [${dilationRate}] are both above 1; use one of them.`,
      );
    const [channels] = knownSizes([this.partsOf(inputShape).channels], this.name);
    this.checkChannels(channels);
    this.computeOutputShape(inputShape);
    this.buildFilters(channels);
    if (this.useBias) this.bias = this.addWeight('bias', [this.outputs]);
  }

  /** ShapeError for channels that the layer cannot take. */
  protected checkChannels(_channels: number): void {}

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    const { channels } = this.partsOf(inputShape);
    const expected = this.partsOf(builtFor).channels;
    if (channels !== expected)
      throw this.unfit(inputShape, this.shaped(builtFor[0], this.partsOf(inputShape).places, expected));
    this.computeOutputShape(inputShape);
  }

  protected override channelsOf(channels: number | null): number | null {
    return channels === null ? null : this.outputs;
  }

  override get finalActivation(): string | null {
    // A regularizer of the outputs wants them as they are.
    return this.activityRegularizer ? null : knownActivation(this.activation);
  }

  /** What the op is told. */
  protected get windows(): ConvOptions {
    const { strides, padding, dilationRate: dilations, bias } = this;
    return { strides, padding, dilations, ...(bias && { bias }) };
  }

  /** An operand of a product, in the precision that the layer computes in. */
  protected operand(x: Tensor): Tensor {
    return this.dtype === 'mixed_float16' ? half(x) : x;
  }

  // A softmax goes along the last axis, also where that is not of the channels: so it comes when they have been turned back.
  override call(x: Tensor, context: CallContext): Tensor {
    const y = super.call(x, context);
    return context.logits ? y : this.activation.of(y);
  }
}

// ---- all channels of a window

const rowsFor = (dimensions: number) => ({
  /** Number of filters, and so of channels that come out. */
  filters: needed<number>(wholeNumber),
  ...kernelRows(dimensions),
  /** The channels are cut into so many groups, each with filters of its own; default 1. */
  groups: option<number>(1, wholeNumber),
  ...outputRows,
  ...weightRows({ kernel: 'glorotUniform', bias: 'zeros' }),
});

abstract class Convolution extends Windowed {
  declare readonly filters: number;
  declare readonly groups: number;
  kernel: Variable | null = null;

  protected override get outputs(): number {
    return this.filters;
  }

  protected override checkChannels(channels: number): void {
    const { filters, groups } = this;
    if (channels % groups !== 0 || filters % groups !== 0)
      throw new ShapeError(
        `${this.name}: ${channels} channels and ${filters} filters cannot be cut into ${groups} groups; both must divide by it.`,
      );
  }

  protected override buildFilters(channels: number): void {
    this.kernel = this.addWeight('kernel', [...this.kernelSize, channels / this.groups, this.filters]);
  }

  protected override over(x: Tensor): Tensor {
    return convolve(this.operand(x), this.operand(this.kernel!), { ...this.windows, groups: this.groups });
  }
}

const conv1dRows = rowsFor(1);
export type Conv1DOptions = OptionsOf<typeof conv1dRows>;

/** y[n, p, o] = f(Σ x[n, p · stride + t · dilation − before, c] · kernel[t, c, o] + bias[o]) */
export class Conv1D extends layerOf('Conv1D', conv1dRows, Convolution) {}

/** Filters over sequences: [N, steps, C] → [N, places, filters]; glorot uniform kernel, zero bias. */
export const conv1d = factoryOfTwo(Conv1D, 'filters', 'kernelSize');

const conv2dRows = rowsFor(2);
export type Conv2DOptions = OptionsOf<typeof conv2dRows>;

/** y = f(x ∗ kernel + bias). kernel: [rows, columns, C / groups, filters], bias: [filters]. */
export class Conv2D extends layerOf('Conv2D', conv2dRows, Convolution) {}

/**
 * Filters over pictures: [N, height, width, C] → [N, rows, columns, filters]; glorot uniform kernel, zero bias.
 *
 * ```ts
 * layers.conv2d(32, 3, { activation: 'relu', padding: 'same' });
 * ```
 */
export const conv2d = factoryOfTwo(Conv2D, 'filters', 'kernelSize');

const conv3dRows = rowsFor(3);
export type Conv3DOptions = OptionsOf<typeof conv3dRows>;

/** The same of volumes. kernel: [depth, rows, columns, C / groups, filters]. */
export class Conv3D extends layerOf('Conv3D', conv3dRows, Convolution) {}

/** Filters over volumes: [N, depth, height, width, C] → [N, …, filters]. */
export const conv3d = factoryOfTwo(Conv3D, 'filters', 'kernelSize');
