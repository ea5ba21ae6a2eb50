/**
 * Slots: leaves that stand for another tensor, which may be another one from run to run, such as the samples of a
 * training loop. A captured step reads whatever is in a slot at the moment; when that lies elsewhere than at the latest
 * run, the step's plan is bound anew and not made anew.
 */
import { StateError } from '../base/errors.ts';
import type { DType } from '../ops/dtype.ts';
import type { Shape } from '../ops/shape.ts';
import { Tensor } from '../ops/tensor.ts';

const contents = new WeakMap<Tensor, Tensor | null>();

/** An empty slot. */
export function makeSlot({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): Tensor {
  const slot = new Tensor(shape, dtype);
  contents.set(slot, null);
  return slot;
}

/** Puts a leaf of the slot's shape and dtype into it, or nothing. */
export const fillSlot = (slot: Tensor, content: Tensor | null): void => void contents.set(slot, content);

export const isSlot = (x: Tensor): boolean => contents.has(x);

/** What is in a slot; any other tensor itself. */
export function contentOf(x: Tensor): Tensor {
  const content = contents.get(x);
  if (content === null) throw new StateError('a step runs over data that are not there any more.');
  return content ?? x;
}
