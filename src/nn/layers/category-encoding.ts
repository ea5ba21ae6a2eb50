/** `categoryEncoding`: whole numbers become rows with a place for each. */
import { checkIndices, oneHot } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeFrom } from '../check.ts';
import { needed } from '../options.ts';
import { layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';
import { outputModeRow } from './lookup.ts';

const rows = {
  /** How many numbers there are: 0 to numTokens − 1. */
  numTokens: needed<number>(wholeFrom(1)),
  /** Which there are in a sample ('multi_hot', default), how often ('count'), or a row for each ('one_hot'). */
  outputMode: outputModeRow(['multi_hot', 'one_hot', 'count']),
};

export type CategoryEncodingOptions = OptionsOf<typeof rows>;

/** A row for ids [N, …]: rows of all along axis 1 become one, but with 'one_hot'. */
export function encodedIds(ids: Tensor, mode: string, depth: number): Tensor {
  if (mode === 'one_hot') {
    const squeezed = ids.rank > 1 && ids.shape[ids.rank - 1] === 1 ? ids.squeeze(-1) : ids;
    return oneHot(squeezed, depth);
  }
  const each = oneHot(ids, depth);
  const axis = ids.rank > 1 ? 1 : 0;
  return mode === 'multi_hot' ? each.max(axis) : each.sum(axis);
}

export function encodedShape(shape: BatchShape, mode: string, depth: number): BatchShape {
  if (mode !== 'one_hot') return [shape[0], ...shape.slice(2), depth];
  return [...(shape.length > 1 && shape[shape.length - 1] === 1 ? shape.slice(0, -1) : shape), depth];
}

/** Rows for whole numbers: see {@link categoryEncoding}. */
export class CategoryEncoding extends layerOf('CategoryEncoding', rows) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return encodedShape(inputShape, this.outputMode, this.numTokens);
  }

  override call(x: Tensor): Tensor {
    checkIndices(x, this.numTokens, this.name);
    return encodedIds(x.cast('i32'), this.outputMode, this.numTokens);
  }
}

/**
 * Whole numbers [N, k] become rows [N, numTokens]: 1 where a number is among the k ('multi_hot'), how often ('count'), or a
 * row for each ('one_hot'). A number outside is a ValueError where it is known on the host, else it counts for nothing.
 *
 * ```ts
 * layers.categoryEncoding(4).apply(tensor([[0, 1], [3, 3]], { dtype: 'i32' }));   // [[1, 1, 0, 0], [0, 0, 0, 1]]
 * ```
 */
export const categoryEncoding = (
  first: number | CategoryEncodingOptions,
  rest?: Omit<CategoryEncodingOptions, 'numTokens'>,
): CategoryEncoding =>
  new CategoryEncoding(typeof first === 'number' ? { ...rest, numTokens: first } : first);
