/** Samples dealt out in batches. They are on the GPU, where each step gathers its rows. */
import { serial } from '../../../graph/engines.ts';
import { leafRange } from '../../../graph/runtime.ts';
import { fillSlot, makeSlot } from '../../../graph/slots.ts';
import { iota, tensor } from '../../../ops/constant.ts';
import { gather } from '../../../ops/movement.ts';
import { type Tensor, Variable } from '../../../ops/tensor.ts';
import { type Engine, modulo } from '../steps.ts';
import { type Batch, type Chunk, columnsOf, type Feed, mapColumns } from './feed.ts';
import type { Samples } from './samples.ts';

/** The rows of a pass in the order in which it visits them. */
export type RowsOf = (pass: number) => Int32Array;

export class Resident implements Feed {
  readonly size: number;
  readonly rest: number;
  readonly hasWeights: boolean;
  /** Batches of a pass. */
  readonly steps: number;
  /** Whether the counter of steps must begin at 0 with each pass. */
  readonly countsAnew: boolean = false;
  protected readonly samples: Samples;
  protected readonly columns: readonly Tensor[];
  protected readonly engine: Engine;
  /** Null where columns are computed on the way: no other samples are like these. */
  private readonly form: string | null;
  /** What steps read for each column: a slot that it is in, or itself where it is computed on the way. */
  private stands: readonly Tensor[];
  /** Null where each pass visits all rows from the first to the last. */
  private readonly rowsOf: RowsOf | null;
  /** The present pass's rows, and the slot that they are in. */
  private readonly order: Tensor | null;
  private orderSlot: Tensor | null;
  /** The pass whose rows these are. */
  private pass: number | null = null;
  /** Steps of the present pass that have been handed out, and where to stop. */
  protected done = 0;
  private end = 0;

  constructor(samples: Samples, batchSize: number, engine: Engine, rowsOf: RowsOf | null) {
    const { count, start } = samples;
    this.samples = samples;
    this.engine = engine;
    this.rowsOf = rowsOf;
    this.columns = columnsOf(samples);
    this.hasWeights = samples.weights.some((weight) => weight !== null);
    this.size = Math.max(1, Math.min(batchSize, count));
    this.rest = count % this.size;
    this.steps = Math.ceil(count / this.size);
    this.order = rowsOf && tensor(new Int32Array(count));
    this.orderSlot = this.order && makeSlot(this.order);
    const { columns } = this;
    const arePlain = columns.every(isPlainLeaf);
    const slots = new Map(columns.map((column) => [column, arePlain ? makeSlot(column) : column]));
    this.stands = columns.map((column) => slots.get(column)!);
    const form = mapColumns(samples, (x) => `${x.dtype}[${x.shape}]${columns.indexOf(x)}`);
    this.form = arePlain ? JSON.stringify([form, this.size, count, start, rowsOf !== null]) : null;
    this.fill();
  }

  get key(): string | null {
    return this.form;
  }

  /** Puts the data into the slots. */
  private fill(): void {
    if (this.form !== null) for (const [i, slot] of this.stands.entries()) fillSlot(slot, this.columns[i]);
    if (this.orderSlot) fillSlot(this.orderSlot, this.order);
  }

  adopt(before: Resident): void {
    this.stands = before.stands;
    this.orderSlot = before.orderSlot;
    this.fill();
  }

  /** Takes the memory that batches pass through. */
  allocate(): void {}

  at(position: Variable, size: number): Batch {
    const { start } = this.samples;
    let rows = iota(size);
    if (this.steps > 1)
      rows = rows.add((this.countsAnew ? position : modulo(position, this.steps)).mul(this.size));
    if (start > 0) rows = rows.add(start);
    if (this.orderSlot) rows = gather(this.orderSlot, rows);
    return mapColumns(this.samples, (_, index) => this.rowsIn(index, rows, position));
  }

  /** In a captured step: these rows of a column. */
  protected rowsIn(column: number, rows: Tensor, _position: Variable): Tensor {
    return gather(this.stands[column], rows);
  }

  /** Begins a pass, or `count` of its steps from step `from` on, after the steps that were asked for so far. */
  async begin(pass: number, from = 0, count = this.steps - from): Promise<void> {
    this.done = from;
    this.end = from + count;
    if (pass === this.pass) return;
    this.pass = pass;
    if (this.rowsOf) await this.visit(this.rowsOf(pass));
  }

  /** The rows of the pass that begins. */
  protected async visit(rows: Int32Array): Promise<void> {
    const { engine, order } = this;
    await serial(engine, () => engine.write(leafRange(order!, engine), rows));
  }

  /** Puts the next batches in place, `most` at most; null after the last. */
  async next(most: number): Promise<Chunk | null> {
    const { done, end, size, rest } = this;
    if (done === end) return null;
    const whole = this.steps - (rest > 0 ? 1 : 0);
    const isRest = done === whole;
    const rows = isRest ? rest : size;
    const count = await this.bring(isRest ? 1 : Math.min(most, whole - done, end - done), rows);
    this.done += count;
    return { form: isRest ? 'rest' : 'whole', count, samples: count * rows, last: this.done === end };
  }

  /** Puts batches of so many rows in place, and says how many. All are there already. */
  protected async bring(most: number, _rows: number): Promise<number> {
    return most;
  }

  dispose(): void {
    if (this.form !== null) for (const slot of this.stands) fillSlot(slot, null);
    if (this.orderSlot) fillSlot(this.orderSlot, null);
    this.order?.dispose();
  }
}

/** Whether a tensor is nothing but numbers, on the host or on the GPU, and no variable's value. */
const isPlainLeaf = (x: Tensor): boolean =>
  x.op === null && x.readers === null && x.inside === null && !(x instanceof Variable);
