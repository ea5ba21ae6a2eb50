/**
 * Samples that stay on the host: it gathers their rows, in the order in which steps would, and streams them through a
 * window. Steps find the same numbers as where they are on the GPU.
 */
import type { TypedArray } from '../../../ops/dtype.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Engine } from '../steps.ts';
import { type HostRows, hostRows } from './host-rows.ts';
import { Resident, type RowsOf } from './resident.ts';
import type { Samples } from './samples.ts';
import { Window } from './window.ts';

export class Streamed extends Resident {
  override readonly countsAnew: boolean;
  /** How columns are made of what is streamed; null for those that are on the GPU already and stay there. */
  private readonly streamed: readonly (HostRows | null)[];
  /** What the window's columns hold, and the numbers, which stay here even if others take the tensors to the GPU. */
  private readonly leaves: readonly Tensor[];
  private readonly data: readonly TypedArray[];
  private readonly window: Window | null;
  /** The present pass's rows. */
  private rows: Int32Array | null = null;

  constructor(samples: Samples, batchSize: number, engine: Engine, rowsOf: RowsOf | null) {
    super(samples, batchSize, engine, rowsOf);
    const made = new Map([...new Set(this.columns)].map((column) => [column, hostRows(column)]));
    this.streamed = this.columns.map((column) => made.get(column)!);
    this.leaves = [...new Set(this.streamed.flatMap((one) => one?.leaves ?? []))];
    this.data = this.leaves.map(({ host }) => host!);
    const forms = this.leaves.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = forms.length > 0 ? new Window(forms, this.size, this.steps, engine) : null;
    this.countsAnew = this.window !== null;
  }

  override get key(): string | null {
    const places = this.streamed.map((one) => one && this.leaves.indexOf(one.leaves[0]));
    return super.key && JSON.stringify([super.key, places, this.window?.key]);
  }

  override adopt(before: Streamed): void {
    super.adopt(before);
    this.window?.adopt(before.window!);
  }

  override allocate(): void {
    this.window?.allocate();
  }

  protected override rowsIn(column: number, rows: Tensor, position: Variable): Tensor {
    const onHost = this.streamed[column];
    if (!onHost) return super.rowsIn(column, rows, position);
    const [size] = rows.shape;
    return onHost.batch(size, (leaf) => this.window!.rows(this.leaves.indexOf(leaf), position, size));
  }

  protected override async visit(rows: Int32Array): Promise<void> {
    this.rows = rows;
    if (this.streamed.includes(null)) await super.visit(rows);
  }

  protected override async bring(most: number, rows: number): Promise<number> {
    const { window, done, size, data } = this;
    if (window === null) return most;
    const count = Math.min(most, window.room(done));
    for (let batch = 0; batch < count; batch++) {
      const first = this.samples.start + (done + batch) * size;
      data.forEach((numbers, column) => {
        window.gather(column, batch, numbers, { order: this.rows, first, count: rows });
      });
    }
    await window.upload(done, count);
    return count;
  }

  override dispose(): void {
    this.window?.dispose();
    super.dispose();
  }
}
