/**
 * Samples that stay on the host: it gathers their rows, in the order in which steps would, and streams them through a
 * window. Steps find the same numbers as where they are on the GPU.
 */
import type { TypedArray } from '../../../ops/dtype.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Engine } from '../steps.ts';
import { type HostRows, hostRows } from './host-rows.ts';
import { type RowsOf, SampleBatches } from './resident.ts';
import type { Samples } from './samples.ts';
import { Window } from './window.ts';

export class StreamedBatches extends SampleBatches {
  override readonly countsAnew: boolean;
  /** Columns that are streamed. What is on the GPU already stays there. */
  private readonly streamed: ReadonlyMap<Tensor, HostRows>;
  /** What the window's columns hold, and the numbers, which stay here even if others take the tensors to the GPU. */
  private readonly leaves: readonly Tensor[];
  private readonly data: readonly TypedArray[];
  private readonly window: Window | null;
  private readonly allStreamed: boolean;
  /** The present pass's rows. */
  private rows: Int32Array | null = null;

  constructor(samples: Samples, batchSize: number, engine: Engine, rowsOf: RowsOf | null) {
    super(samples, batchSize, engine, rowsOf);
    const columns = [samples.x, samples.y, samples.weight].filter((column) => column !== null);
    const made = columns.map((column) => [column, hostRows(column)] as const);
    this.streamed = new Map(made.filter((one): one is [Tensor, HostRows] => one[1] !== null));
    this.allStreamed = columns.every((column) => this.streamed.has(column));
    this.leaves = [...new Set([...this.streamed.values()].flatMap(({ leaves }) => leaves))];
    this.data = this.leaves.map(({ host }) => host!);
    const forms = this.leaves.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = forms.length > 0 ? new Window(forms, this.size, this.steps, engine) : null;
    this.countsAnew = this.window !== null;
  }

  override allocate(): void {
    this.window?.allocate();
  }

  protected override rowsIn(column: Tensor, rows: Tensor, position: Variable): Tensor {
    const onHost = this.streamed.get(column);
    if (!onHost) return super.rowsIn(column, rows, position);
    const [size] = rows.shape;
    return onHost.batch(size, (leaf) => this.window!.rows(this.leaves.indexOf(leaf), position, size));
  }

  protected override async visit(rows: Int32Array): Promise<void> {
    this.rows = rows;
    if (!this.allStreamed) await super.visit(rows);
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
