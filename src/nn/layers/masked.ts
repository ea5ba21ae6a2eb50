/** Masks as the values beside which they stand. */
import { reshape } from '../../ops/movement.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';

/** A mask of the first axes of x, with axes of size 1 for the others: whether each of its values counts. */
export const maskBeside = (mask: Tensor, x: Tensor): Tensor =>
  reshape(cast(mask, 'bool'), [...mask.shape, ...Array(x.rank - mask.rank).fill(1)]);
