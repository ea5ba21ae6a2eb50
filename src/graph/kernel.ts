/** A kernel in the making: what it is to compute, before it has a place in memory or a line of WGSL. */
import type { Profile } from '../engine/profile.ts';
import type { Tuning } from '../engine/tuning.ts';
import type { Facts, KernelCall, KernelFamily } from '../ops/define.ts';
import type { Attributes, Tensor } from '../ops/tensor.ts';
import { isLeaf } from './order.ts';

/** WebGPU guarantees 8 storage buffers per stage, and equal plans on all adapters give equal bits. */
export const STORAGE_BUFFERS = 8;

export interface Kernel {
  /** Position of its first node: the order that ties are broken by. */
  order: number;
  /** Null for an elementwise kernel. */
  readonly family: KernelFamily | null;
  readonly attributes: Attributes;
  /** A family's inputs by its names for them. */
  readonly inputs: Map<string, Tensor>;
  /** A family's results by its names for them. */
  readonly outputs: Map<string, Tensor>;
  /** Expressions that it computes and stores: with the output in whose store they are computed, or null. */
  readonly roots: { readonly tensor: Tensor; readonly host: string | null }[];
}

/** The tensor behind views over the same bytes; `isMade` tells of a view that has memory of its own. */
export function base(x: Tensor, isMade: (x: Tensor) => boolean = () => false): Tensor {
  let at = x;
  while (!isLeaf(at) && at.op!.alias && !isMade(at)) at = at.inputs[0];
  return at;
}

/** What a family is asked for a kernel. `isPacked` tells of an input whether it reads rows of packed bytes. */
export function callOf(
  kernel: Kernel,
  profile: Profile,
  tuning: Tuning = {},
  isPacked: (input: Tensor) => boolean = () => false,
): KernelCall {
  const facts = (of: ReadonlyMap<string, Tensor>, packed = isPacked): Record<string, Facts> =>
    Object.fromEntries(
      [...of].map(([name, x]) => [
        name,
        { shape: x.shape, dtype: x.dtype, ...(packed(x) && { packed: true }) },
      ]),
    );
  return {
    inputs: facts(kernel.inputs),
    outputs: facts(kernel.outputs, () => false),
    attributes: kernel.attributes,
    profile,
    tuning,
  };
}
