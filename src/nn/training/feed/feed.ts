/**
 * What a feed is: it gives batches, one after the other, and puts them where captured steps find them. It knows no
 * model and runs no step. There are three: of samples that are on the GPU, of samples that stay on the host, and of
 * batches that a dataset generates.
 */
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Samples } from './samples.ts';

/** A batch: [N, …] each. */
export interface Batch {
  readonly inputs: readonly Tensor[];
  /** Null for an output that has none. */
  readonly targets: readonly (Tensor | null)[];
  /** What each sample counts for each target, or null. */
  readonly weights: readonly (Tensor | null)[];
}

/** Batches that are in place: `count` whole ones, the smaller last one, or one of another form, which goes alone. */
export interface Chunk {
  readonly form: 'whole' | 'rest' | 'alone';
  readonly count: number;
  /** In all of its batches. */
  readonly samples: number;
  /** Whether the pass is known to end with it. */
  readonly last: boolean;
}

export interface Feed {
  /** Samples of a whole batch. */
  readonly size: number;
  /** Samples of the last, smaller batch of a pass, or 0. */
  readonly rest: number;
  readonly hasWeights: boolean;
  /** Equal for feeds over which the same captured steps run; null where no other feed is like this one. */
  readonly key: string | null;
  /** Lets the steps that were captured for a feed of the same key find the batches of this one. */
  adopt(before: Feed): void;
  /** In a captured step: the batch of `size` samples whose turn it is, counted by `position`. */
  at(position: Variable, size: number): Batch;
  /** Takes the memory that batches pass through. */
  allocate(): void;
  dispose(): void;
}

/** Everything that samples or a batch consist of, in order. */
export const columnsOf = ({ inputs, targets, weights }: Batch | Samples): Tensor[] =>
  [...inputs, ...targets, ...weights].filter((column) => column !== null);

/** A batch or samples made of the columns of another one. */
export function mapColumns<T>(
  { inputs, targets, weights }: Batch | Samples,
  f: (column: Tensor, index: number) => T,
): { inputs: T[]; targets: (T | null)[]; weights: (T | null)[] } {
  let next = 0;
  const each = (column: Tensor): T => f(column, next++);
  return {
    inputs: inputs.map(each),
    targets: targets.map((target) => target && each(target)),
    weights: weights.map((weight) => weight && each(weight)),
  };
}
