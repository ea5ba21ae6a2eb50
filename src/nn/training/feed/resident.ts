/** Samples dealt out in batches. They are on the GPU, where each step gathers its rows. */
import { serial } from '../../../graph/engines.ts';
import { leafRange } from '../../../graph/runtime.ts';
import { iota, tensor } from '../../../ops/constant.ts';
import { gather } from '../../../ops/movement.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Turn } from '../epoch.ts';
import type { Batch } from '../objective.ts';
import { type BatchPlan, type Engine, modulo, type StepPair } from '../steps.ts';
import type { Place } from './choose.ts';
import { seldom } from './on-demand.ts';
import type { Samples } from './samples.ts';

/** Samples of a step: as many as the dataset says, as were asked for, as make so many steps of all, or Keras's 32. */
export const batchSizeFor = (samples: Samples, asked: number | null, steps: number | null): number =>
  samples.batchSize ?? asked ?? (steps === null ? DEFAULT_BATCH : Math.ceil(samples.count / steps));

const DEFAULT_BATCH = 32;

/** Batches of samples that are on the GPU for the whole run, or that are streamed. */
export async function batchesOf(
  samples: Samples,
  batchSize: number,
  rowsOf: RowsOf | null,
  { engine, streamed }: Place,
): Promise<SampleBatches> {
  const Batches = streamed ? (await seldom()).StreamedBatches : SampleBatches;
  return new Batches(samples, batchSize, engine, rowsOf);
}

/** The rows of a pass in the order in which it visits them. */
export type RowsOf = (pass: number) => Int32Array;

export class SampleBatches implements BatchPlan {
  readonly size: number;
  readonly rest: number;
  readonly hasWeights: boolean;
  /** Batches of a pass. */
  readonly steps: number;
  /** Whether the counter of steps must begin at 0 with each pass. */
  readonly countsAnew: boolean = false;
  protected readonly samples: Samples;
  protected readonly engine: Engine;
  /** Null where each pass visits all rows from the first to the last. */
  private readonly rowsOf: RowsOf | null;
  /** The present pass's rows. */
  private readonly order: Tensor | null;
  /** The pass whose rows these are. */
  private pass: number | null = null;
  /** Steps of the present pass that have been handed out, and where to stop. */
  protected done = 0;
  private end = 0;

  constructor(samples: Samples, batchSize: number, engine: Engine, rowsOf: RowsOf | null) {
    const { count, weight } = samples;
    this.samples = samples;
    this.engine = engine;
    this.rowsOf = rowsOf;
    this.hasWeights = weight !== null;
    this.size = Math.max(1, Math.min(batchSize, count));
    this.rest = count % this.size;
    this.steps = Math.ceil(count / this.size);
    this.order = rowsOf && tensor(new Int32Array(count));
  }

  /** Takes the memory that batches pass through. */
  allocate(): void {}

  at(position: Variable, size: number): Batch {
    const { x, y, weight, start } = this.samples;
    let rows = iota(size);
    if (this.steps > 1)
      rows = rows.add((this.countsAnew ? position : modulo(position, this.steps)).mul(this.size));
    if (start > 0) rows = rows.add(start);
    if (this.order) rows = gather(this.order, rows);
    const here = (column: Tensor): Tensor => this.rowsIn(column, rows, position);
    return { x: here(x), y: here(y!), weight: weight && here(weight) };
  }

  /** In a captured step: these rows of a column. */
  protected rowsIn(column: Tensor, rows: Tensor, _position: Variable): Tensor {
    return gather(column, rows);
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
    await serial(engine, async () => engine.write(leafRange(order!, engine), rows));
  }

  /** The next steps, `most` at most, with their batches in place; null after the last. */
  async next(most: number, steps: StepPair): Promise<Turn | null> {
    const { done, end, size, rest } = this;
    if (done === end) return null;
    const whole = this.steps - (rest > 0 ? 1 : 0);
    const isRest = done === whole;
    const rows = isRest ? rest : size;
    const count = await this.bring(isRest ? 1 : Math.min(most, whole - done, end - done), rows);
    this.done += count;
    const step = isRest ? steps.rest! : steps.whole;
    return {
      count,
      samples: count * rows,
      last: this.done === end,
      async run() {
        await step.replay(count);
        return null;
      },
    };
  }

  /** Puts batches of so many rows in place, and says how many. All are there already. */
  protected async bring(most: number, _rows: number): Promise<number> {
    return most;
  }

  dispose(): void {
    this.order?.dispose();
  }
}
