/** Samples whose numbers are on the host: which tensors hold their rows, and what is computed from a row on its way. */
import { apply } from '../../../ops/define.ts';
import type { TypedArray } from '../../../ops/dtype.ts';
import { reshape } from '../../../ops/movement.ts';
import { type Tensor, Variable } from '../../../ops/tensor.ts';

/** Rows on the host, and how a batch of samples comes from a batch of each. */
export interface HostRows {
  /** Tensors of data not yet on the GPU: [n, …]. */
  readonly leaves: readonly Tensor[];
  /** The samples made of `size` rows, given those of each leaf. */
  batch(size: number, rowsOf: (leaf: Tensor) => Tensor): Tensor;
}

/**
 * What x [n, …] is made of, where that is on the host and row by row: data as they are, or scaled, converted, clipped,
 * reshaped. Null for anything else, and for what is on the GPU already.
 */
export function hostRows(x: Tensor): HostRows | null {
  const count = x.shape[0] ?? 0;
  if (count < 2) return null;
  const leaves = new Set<Tensor>();
  const makers = new Map<Tensor, Maker | null>();

  /** How `size` rows of a node are made. What it is made of is noted now: computed nodes forget it. */
  const makerOf = (node: Tensor): Maker | null => {
    if (!makers.has(node)) makers.set(node, look(node));
    return makers.get(node)!;
  };
  const look = (node: Tensor): Maker | null => {
    const { op, attributes, shape } = node;
    if (node.storage || node instanceof Variable || shape[0] !== count) return null;
    if (op === null) {
      if (!node.host) return null;
      leaves.add(node);
      return (_size, rowsOf) => rowsOf(node);
    }
    const isReshape = op.alias;
    if (!isReshape && !op.pointwise) return null;
    const inputs = node.inputs.map((input): Maker | null =>
      !isReshape && isBeside(input, node) ? () => input : makerOf(input),
    );
    if (inputs.includes(null)) return null;
    return (size, rowsOf) => {
      const made = inputs.map((make) => make!(size, rowsOf));
      return isReshape ? reshape(made[0], [size, ...shape.slice(1)]) : apply(op, made, attributes);
    };
  };

  const batch = makerOf(x);
  return batch && leaves.size > 0 ? { leaves: [...leaves], batch } : null;
}

type Maker = HostRows['batch'];

/** Bytes that would be streamed for these. */
export function streamableBytes(columns: readonly Tensor[]): number {
  const leaves = new Set(columns.flatMap((column) => hostRows(column)?.leaves ?? []));
  return [...leaves].reduce((sum, { host }) => sum + host!.byteLength, 0);
}

/** Whether a tensor is nothing but numbers on the host. */
export const isPlain = (x: Tensor): boolean =>
  x.host !== null && x.storage === null && !(x instanceof Variable);

/** Which rows: `count` of them from position `first` of an order, or of the data. */
export interface Rows {
  readonly order: Int32Array | null;
  readonly first: number;
  readonly count: number;
}

/** Copies rows of `size` numbers, one after the other. */
export function copyRows(
  from: TypedArray,
  to: TypedArray,
  size: number,
  { order, first, count }: Rows,
): void {
  if (order === null) to.set(from.subarray(first * size, (first + count) * size));
  else if (size === 1) for (let i = 0; i < count; i++) to[i] = from[order[first + i]];
  else
    for (let i = 0; i < count; i++) {
      const start = order[first + i] * size;
      to.set(from.subarray(start, start + size), i * size);
    }
}

/** The same for every row: a scale, a mean picture. */
const isBeside = (input: Tensor, node: Tensor): boolean => input.rank < node.rank || input.shape[0] === 1;
