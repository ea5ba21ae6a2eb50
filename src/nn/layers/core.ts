/** The layers that have no formula of their own: where shapes change, numbers are scaled, functions applied. */
import { ShapeError } from '../../base/errors.ts';
import { add, mul } from '../../ops/binary.ts';
import { reshape } from '../../ops/movement.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { type ActivationLike, type Activation as ActivationRow, resolveActivation } from '../activations.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import {
  type BatchShape,
  type CallContext,
  Layer,
  type LayerOptions,
  layerDefaults,
  showBatch,
} from './layer.ts';

export interface InputOptions extends LayerOptions {
  /** Sizes of one sample: [784]. */
  shape?: readonly (number | null)[] | null;
}

/** The shape of a model's input, as a first layer. It computes nothing and summaries leave it out. */
export class InputLayer extends Layer {
  constructor(options?: InputOptions) {
    const { shape, ...rest } = readOptions('input', options, {
      ...layerDefaults,
      shape: null as readonly (number | null)[] | null,
    });
    super({ ...rest, inputShape: shape ?? rest.inputShape }, 'InputLayer');
    if (this.batchInputShape === null)
      throw new ShapeError('input: shape is missing. Give the sizes of one sample: input({ shape: [784] }).');
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

/** [N, a, b, …] → [N, a · b · …] */
export class Flatten extends Layer {
  constructor(options?: LayerOptions) {
    super(readOptions('flatten', options, layerDefaults), 'Flatten');
  }

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

export interface ReshapeOptions extends LayerOptions {
  /** Sizes of one sample afterwards; one may be -1 and follows from the others. */
  targetShape: readonly number[];
}

/** [N, …] → [N, ...targetShape] */
export class Reshape extends Layer {
  readonly targetShape: readonly number[];

  constructor(options: ReshapeOptions) {
    const { targetShape, ...rest } = readOptions('reshape', options, {
      ...layerDefaults,
      targetShape: null as unknown as readonly number[],
    });
    super(rest, 'Reshape');
    if (!Array.isArray(targetShape) || targetShape.filter((size) => size === -1).length > 1)
      throw new ShapeError(
        `${this.name}: targetShape is ${String(targetShape)}; expected sizes with at most one -1.`,
      );
    this.targetShape = targetShape.map((size, i) =>
      size === -1 ? -1 : wholeNumber(size, this.name, `targetShape[${i}]`),
    );
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const [samples, ...sizes] = inputShape;
    const known = this.targetShape.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
    if (sizes.includes(null))
      return [samples, ...this.targetShape.map((size) => (size === -1 ? null : size))];
    const total = (sizes as number[]).reduce((product, size) => product * size, 1);
    const open = this.targetShape.includes(-1);
    if (open ? total % known !== 0 : total !== known)
      throw new ShapeError(
        `${this.name}: a sample of shape ${showBatch(sizes)} has ${total} values; ${showBatch(this.targetShape)} takes ${open ? `a multiple of ${known}` : known}.`,
      );
    return [samples, ...this.targetShape.map((size) => (size === -1 ? total / known : size))];
  }

  override call(x: Tensor): Tensor {
    return reshape(x, [x.shape[0], ...(this.computeOutputShape(x.shape).slice(1) as number[])]);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), targetShape: this.targetShape };
  }
}

export interface ActivationOptions extends LayerOptions {
  /** A name, or a function of a tensor. */
  activation: ActivationLike;
}

/** y = f(x) */
export class Activation extends Layer {
  readonly activation: ActivationRow;

  constructor(options: ActivationOptions) {
    const { activation, ...rest } = readOptions('activation', options, {
      ...layerDefaults,
      activation: null as ActivationLike,
    });
    super(rest, 'Activation');
    this.activation = resolveActivation(activation, this.name);
  }

  override get finalActivation(): string {
    return this.activation.name;
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor, { logits }: CallContext): Tensor {
    return logits ? x : this.activation.of(x);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), activation: this.activation.name };
  }
}

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
