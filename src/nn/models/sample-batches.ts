/**
 * Samples dealt out in batches. They are all on the GPU, where each step gathers its rows; or the host gathers them,
 * in the same order, and streams them through a window. Steps find the same numbers either way.
 */
import { leafRange, serial } from '../../graph/runtime.ts';
import { iota, tensor } from '../../ops/constant.ts';
import type { TypedArray } from '../../ops/dtype.ts';
import { gather } from '../../ops/movement.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { type HostRows, hostRows } from './host-rows.ts';
import type { Batch } from './objective.ts';
import type { Turn } from './pass.ts';
import type { Samples } from './samples.ts';
import { type BatchPlan, type Engine, modulo, type StepPair } from './steps.ts';
import { Window } from './window.ts';

/** Samples of a step: as many as the dataset says, as were asked for, as make so many steps of all, or Keras's 32. */
export const batchSizeFor = (samples: Samples, asked: number | null, steps: number | null): number =>
  samples.batchSize ?? asked ?? (steps === null ? DEFAULT_BATCH : Math.ceil(samples.count / steps));

const DEFAULT_BATCH = 32;

/** The rows of a pass in the order in which it visits them. */
export type RowsOf = (pass: number) => Int32Array;

export class SampleBatches implements BatchPlan {
  readonly size: number;
  readonly rest: number;
  /** Batches of a pass. */
  readonly steps: number;
  private readonly samples: Samples;
  private readonly engine: Engine;
  /** Null where each pass visits all rows from the first to the last. */
  private readonly rowsOf: RowsOf | null;
  /** The present pass's rows: on the GPU, for what is there, … */
  private readonly order: Tensor | null;
  /** … and here, for what is streamed. */
  private rows: Int32Array | null = null;
  private readonly streamed = new Map<Tensor, HostRows>();
  /** What the window's columns hold, and the numbers, which stay here even if others take the tensors to the GPU. */
  private readonly leaves: readonly Tensor[];
  private readonly data: readonly TypedArray[];
  private readonly window: Window | null;
  /** The pass whose rows these are. */
  private pass: number | null = null;
  /** Steps of the present pass that have been handed out, and where to stop. */
  private done = 0;
  private end = 0;

  constructor(
    samples: Samples,
    batchSize: number,
    engine: Engine,
    { rowsOf, streamed }: { readonly rowsOf: RowsOf | null; readonly streamed: boolean },
  ) {
    const { x, y, weight, count } = samples;
    this.samples = samples;
    this.engine = engine;
    this.rowsOf = rowsOf;
    this.size = Math.max(1, Math.min(batchSize, count));
    this.rest = count % this.size;
    this.steps = Math.ceil(count / this.size);
    const columns = [x, y, weight].filter((column) => column !== null);
    if (streamed)
      for (const column of columns) {
        const rows = hostRows(column);
        if (rows) this.streamed.set(column, rows);
      }
    this.leaves = [...new Set([...this.streamed.values()].flatMap(({ leaves }) => leaves))];
    this.data = this.leaves.map(({ host }) => host!);
    const forms = this.leaves.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = forms.length > 0 ? new Window(forms, this.size, this.steps, engine) : null;
    const allStreamed = columns.every((column) => this.streamed.has(column));
    this.order = rowsOf && !allStreamed ? tensor(new Int32Array(count)) : null;
  }

  /** Takes the memory that batches pass through. */
  allocate(): void {
    this.window?.allocate();
  }

  /** Whether the counter of steps must begin at 0 with each pass. */
  get countsAnew(): boolean {
    return this.window !== null;
  }

  at(position: Variable, size: number): Batch {
    const { x, y, weight, start } = this.samples;
    let rows = iota(size);
    if (this.steps > 1)
      rows = rows.add((this.window ? position : modulo(position, this.steps)).mul(this.size));
    if (start > 0) rows = rows.add(start);
    if (this.order) rows = gather(this.order, rows);
    const here = (column: Tensor): Tensor => {
      const onHost = this.streamed.get(column);
      if (!onHost) return gather(column, rows);
      return onHost.batch(size, (leaf) => this.window!.rows(this.leaves.indexOf(leaf), position, size));
    };
    return { x: here(x), y: here(y!), weight: weight && here(weight) };
  }

  /** Begins a pass, or `count` of its steps from step `from` on, after the steps that were asked for so far. */
  async begin(pass: number, from = 0, count = this.steps - from): Promise<void> {
    const { engine, order } = this;
    this.done = from;
    this.end = from + count;
    if (pass === this.pass) return;
    this.pass = pass;
    const rows = this.rowsOf?.(pass) ?? null;
    if (this.window) this.rows = rows;
    if (order && rows) await serial(engine, async () => engine.write(leafRange(order, engine), rows));
  }

  /** The next steps, `most` at most, with their batches in place; null after the last. */
  async next(most: number, steps: StepPair): Promise<Turn | null> {
    const { done, end, size, rest } = this;
    if (done === end) return null;
    const whole = this.steps - (rest > 0 ? 1 : 0);
    const isRest = done === whole;
    let count = isRest ? 1 : Math.min(most, whole - done, end - done);
    if (this.window) count = await this.stream(this.window, count, isRest ? rest : size);
    this.done += count;
    const step = isRest ? steps.rest! : steps.whole;
    return {
      count,
      samples: isRest ? rest : count * size,
      last: this.done === end,
      async run() {
        await step.replay(count);
        return null;
      },
    };
  }

  /** Hands over batches of `rows` rows, and says how many. */
  private async stream(window: Window, most: number, rows: number): Promise<number> {
    const { done, size, data } = this;
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

  dispose(): void {
    this.window?.dispose();
    this.order?.dispose();
  }
}
