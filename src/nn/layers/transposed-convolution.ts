/** Layers that go the way of a convolution backwards, and so enlarge. */
import { ConfigError } from '../../base/errors.ts';
import type { TensorLike } from '../../ops/constant.ts';
import { transposedGeometry } from '../../ops/convolution/geometry.ts';
import {
  type ConvTransposeOptions,
  conv1dTranspose as transposed1d,
  conv2dTranspose as transposed2d,
} from '../../ops/convolution.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { needed, option, orNull } from '../options.ts';
import { innerPaddingRow, kernelRows, outputRows, Windowed } from './convolution.ts';
import { factoryOfTwo, layerOf, type OptionsOf, weightRows } from './define.ts';
import { type Sizes, sizesFor } from './spatial.ts';

const operations: readonly ((x: TensorLike, filter: TensorLike, options?: ConvTransposeOptions) => Tensor)[] =
  [transposed1d, transposed2d];

const rowsFor = (dimensions: number) => ({
  /** Number of filters, and so of channels that come out. */
  filters: needed<number>(wholeNumber),
  ...kernelRows(dimensions),
  /**
   * 'valid' (default): every window whole, (size − 1) · stride + max(kernel, stride) places. 'same': stride times as many
   * places.
   */
  padding: innerPaddingRow,
  /** Places added behind; default null: so that the sizes are those above. Below the strides. */
  outputPadding: option<Sizes | null, readonly number[] | null>(null, orNull(sizesFor(dimensions, 0))),
  ...outputRows,
  ...weightRows({ kernel: 'glorotUniform', bias: 'zeros' }),
});

abstract class TransposedConvolution extends Windowed {
  declare readonly padding: 'valid' | 'same';
  declare readonly filters: number;
  declare readonly outputPadding: readonly number[] | null;
  kernel: Variable | null = null;

  protected override get outputs(): number {
    return this.filters;
  }

  protected override placesOf(size: number, axis: number): number {
    const { kernelSize, strides, padding, dilationRate, outputPadding } = this;
    return transposedGeometry(
      {
        places: [size],
        taps: [kernelSize[axis]],
        strides: strides[axis],
        padding,
        dilations: dilationRate[axis],
        outputPadding: outputPadding?.[axis] ?? null,
      },
      this.name,
    ).size[0];
  }

  protected override checkChannels(): void {
    const { outputPadding, strides } = this;
    if (outputPadding?.some((more, axis) => more >= strides[axis]))
      throw new ConfigError(
        `${this.name}: outputPadding is [${outputPadding}] with strides [${strides}]; expected less than the strides.`,
      );
  }

  protected override buildFilters(channels: number): void {
    this.kernel = this.addWeight('kernel', [...this.kernelSize, this.filters, channels]);
  }

  protected override over(x: Tensor): Tensor {
    const { strides, padding, dilationRate: dilations, outputPadding, bias } = this;
    return operations[this.dimensions - 1](this.operand(x), this.operand(this.kernel!), {
      strides,
      padding,
      dilations,
      outputPadding,
      ...(bias && { bias }),
    });
  }
}

const transposed1dRows = rowsFor(1);
export type Conv1DTransposeOptions = OptionsOf<typeof transposed1dRows>;

/** The transposed convolution of sequences. kernel: [taps, filters, C]. */
export class Conv1DTranspose extends layerOf('Conv1DTranspose', transposed1dRows, TransposedConvolution) {}

/** Enlarges sequences: [N, steps, C] → [N, more steps, filters]. */
export const conv1dTranspose = factoryOfTwo(Conv1DTranspose, 'filters', 'kernelSize');

const transposed2dRows = rowsFor(2);
export type Conv2DTransposeOptions = OptionsOf<typeof transposed2dRows>;

/** The transposed convolution of pictures. kernel: [rows, columns, filters, C]. */
export class Conv2DTranspose extends layerOf('Conv2DTranspose', transposed2dRows, TransposedConvolution) {}

/**
 * Enlarges pictures: [N, height, width, C] → [N, more rows, more columns, filters].
 *
 * ```ts
 * layers.conv2dTranspose({ filters: 16, kernelSize: 3, strides: 2, padding: 'same' });   // twice the size
 * ```
 */
export const conv2dTranspose = factoryOfTwo(Conv2DTranspose, 'filters', 'kernelSize');
