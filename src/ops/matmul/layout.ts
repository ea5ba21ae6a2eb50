/** How the operands of a product are walked and its result is laid out; the same for every variant. */
import type { KernelCall } from '../define.ts';
import type { MatmulOptions } from '../methods.ts';
import { sizeOf } from '../shape.ts';
import { extentsOf } from './extents.ts';

/** The kernels' parameters. Strides are in elements. */
interface Params extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  /** Slices of k per batch, and the length of one. */
  readonly slices: number;
  readonly slice: number;
  readonly a_batch: number;
  readonly a_row: number;
  readonly a_inner: number;
  readonly b_batch: number;
  readonly b_inner: number;
  readonly b_column: number;
}

export class Layout {
  readonly params: Params;
  /** Is a made of rows of packed bytes? */
  readonly packed: boolean;

  constructor({ inputs, attributes }: KernelCall) {
    const a = inputs.a.shape;
    const b = inputs.b.shape;
    const { transposeA, transposeB, slices = 1 } = attributes as MatmulOptions & { slices?: number };
    const { batch, rows, inner, columns } = extentsOf(a, b, attributes as MatmulOptions);
    this.packed = inputs.a.packed ?? false;
    this.params = {
      rows,
      columns,
      inner,
      batches: sizeOf(batch),
      slices,
      slice: Math.ceil(inner / slices),
      a_batch: sizeOf(a.slice(0, -2)) === 1 ? 0 : rows * inner,
      a_row: transposeA ? 1 : inner,
      a_inner: transposeA ? rows : 1,
      b_batch: sizeOf(b.slice(0, -2)) === 1 ? 0 : inner * columns,
      b_inner: transposeB ? 1 : columns,
      b_column: transposeB ? inner : 1,
    };
  }

  get rows(): number {
    return this.params.rows;
  }

  get columns(): number {
    return this.params.columns;
  }

  get inner(): number {
    return this.params.inner;
  }

  get batches(): number {
    return this.params.batches;
  }

  get slices(): number {
    return this.params.slices;
  }

  get slice(): number {
    return this.params.slice;
  }

  /** Is every slice of k a multiple of 4? */
  get even(): boolean {
    return this.inner % 4 === 0 && this.slice % 4 === 0;
  }

  /**
   * May a (or b) be loaded four neighbours at a time, from positions that are multiples of 4: along its rows
   * (columns), or along k?
   */
  fours(ofA: boolean): { four: boolean; alongK: boolean } {
    const { rows, columns, inner, a_row, a_inner, b_inner, b_column } = this.params;
    const [lines, line, step] = ofA ? [rows, a_row, a_inner] : [columns, b_column, b_inner];
    return {
      four: line === 1 && lines % 4 === 0 && (step % 4 === 0 || inner === 1),
      alongK: step === 1 && line % 4 === 0 && this.even,
    };
  }
}
