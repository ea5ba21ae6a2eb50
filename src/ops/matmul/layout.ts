/** How the operands of a product are walked and its result is laid out; the same for every variant. */
import type { KernelCall } from '../define.ts';
import type { MatmulOptions } from '../matmul.ts';
import { sizeOf } from '../shape.ts';
import { extentsOf } from './extents.ts';

interface Sizes extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  /** Slices of k per batch, and the length of one. */
  readonly slices: number;
  readonly slice: number;
}

export interface Layout {
  readonly sizes: Sizes;
  /** The kernels' parameters: the sizes, and strides in elements. */
  readonly params: Readonly<Record<string, number>>;
  /** Is a made of rows of packed bytes? */
  readonly packed: boolean;
  /** Is every slice of k a multiple of 4? */
  readonly even: boolean;
  /** How a and b may be loaded four neighbours at a time, from positions that are multiples of 4. */
  readonly a: Fours;
  readonly b: Fours;
}

interface Fours {
  /** Along a row of a, or a column of b. */
  readonly four: boolean;
  readonly alongK: boolean;
}

export function layoutOf({ inputs, attributes }: KernelCall): Layout {
  const a = inputs.a.shape;
  const b = inputs.b.shape;
  const { transposeA, transposeB, slices = 1 } = attributes as MatmulOptions & { slices?: number };
  const { batch, rows, inner, columns } = extentsOf(a, b, attributes as MatmulOptions);
  const slice = Math.ceil(inner / slices);
  const sizes = { rows, columns, inner, batches: sizeOf(batch), slices, slice };
  const strides = {
    a_batch: sizeOf(a.slice(0, -2)) === 1 ? 0 : rows * inner,
    a_row: transposeA ? 1 : inner,
    a_inner: transposeA ? rows : 1,
    b_batch: sizeOf(b.slice(0, -2)) === 1 ? 0 : inner * columns,
    b_inner: transposeB ? 1 : columns,
    b_column: transposeB ? inner : 1,
  };
  const even = inner % 4 === 0 && slice % 4 === 0;
  const fours = (lines: number, line: number, step: number): Fours => ({
    four: line === 1 && lines % 4 === 0 && (step % 4 === 0 || inner === 1),
    alongK: step === 1 && line % 4 === 0 && even,
  });
  return {
    sizes,
    params: { ...sizes, ...strides },
    packed: inputs.a.packed ?? false,
    even,
    a: fours(rows, strides.a_row, strides.a_inner),
    b: fours(columns, strides.b_column, strides.b_inner),
  };
}
