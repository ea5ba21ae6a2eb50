import { ShapeError } from '../../base/errors.ts';
import * as movement from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { readOptions, withMain } from '../names.ts';
import { type BatchShape, Layer, type LayerOptions, layerDefaults, showBatch } from './layer.ts';

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
    return movement.reshape(x, [x.shape[0], ...(this.computeOutputShape(x.shape).slice(1) as number[])]);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), targetShape: this.targetShape };
  }
}

/** [N, …] → [N, ...targetShape]; one size may be -1. */
export const reshape = (
  targetShape: readonly number[] | ReshapeOptions,
  options?: Omit<ReshapeOptions, 'targetShape'>,
): Layer => new Reshape(withMain<ReshapeOptions>('targetShape', targetShape, options));
