import { ShapeError } from '../../base/errors.ts';
import * as movement from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { needed } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, showBatch } from './layer.ts';

const rows = {
  /** Sizes of one sample afterwards; one may be -1 and follows from the others. */
  targetShape: needed(sizesOf),
};

function sizesOf(given: unknown, operation: string, name: string): readonly number[] {
  if (!Array.isArray(given) || given.filter((size) => size === -1).length > 1)
    throw new ShapeError(`${operation}: ${name} is ${String(given)}; expected sizes with at most one -1.`);
  return given.map((size, i) => (size === -1 ? -1 : wholeNumber(size, operation, `${name}[${i}]`)));
}

export type ReshapeOptions = OptionsOf<typeof rows>;

/** [N, …] → [N, ...targetShape] */
export class Reshape extends layerOf('Reshape', rows) {
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
}

/** [N, …] → [N, ...targetShape]; one size may be -1. */
export const reshape = factory(Reshape, 'targetShape');
