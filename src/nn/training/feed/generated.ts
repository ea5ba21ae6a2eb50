/**
 * Batches of a made dataset on their way to the GPU. Those of the first one's form are collected in a window and
 * dealt out many at a time; a batch of another form goes its own way.
 */
import { ValueError } from '../../../base/errors.ts';
import type { Dataset } from '../../../data/pipeline/dataset.ts';
import { sameShape } from '../../../ops/shape.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Model } from '../../models/model.ts';
import type { Turn } from '../epoch.ts';
import { Loop } from '../loop.ts';
import type { Batch } from '../objective.ts';
import type { BatchPlan, Engine } from '../steps.ts';
import { type BatchOptions, BatchSteps } from '../train-on-batch.ts';
import { type Parts, partsOf } from './datasets.ts';
import { isPlain } from './host-rows.ts';
import { checkLabels, type Samples, takeSamples } from './samples.ts';
import { Window } from './window.ts';

/** A submit waits no longer than this for the batches that are to go with it, milliseconds. */
const COLLECT_MS = 40;

/** What is done with the batches. */
export interface Purpose {
  readonly operation: 'trainOnBatch' | 'testOnBatch';
  /** For messages: 'fit'. */
  readonly called: string;
  readonly classWeight?: BatchOptions['classWeight'];
}

/** A batch as the dataset gave it and as it was taken. */
interface Taken {
  readonly parts: Parts;
  readonly samples: Samples;
}

/** Batches of the first one's form, in a window. */
class Form implements BatchPlan {
  readonly size: number;
  readonly rest = 0;
  readonly hasWeights: boolean;
  private readonly columns: readonly Tensor[];
  /** Null where batches are not on the host. */
  readonly window: Window | null;

  /** For batches like this one, and passes of `stepCount` of them. */
  constructor(like: Samples, stepCount: number, engine: Engine) {
    this.size = like.count;
    this.hasWeights = like.weight !== null;
    this.columns = columnsOf(like);
    const forms = this.columns.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = this.columns.every(isPlain) ? new Window(forms, this.size, stepCount, engine) : null;
  }

  allocate(): void {
    this.window?.allocate();
  }

  at(position: Variable, size: number): Batch {
    const [x, y, weight = null] = this.columns.map((_, i) => this.window!.rows(i, position, size));
    return { x, y, weight };
  }

  /** Whether a batch has this form. */
  fits(samples: Samples): boolean {
    const columns = columnsOf(samples);
    return (
      this.window !== null &&
      columns.length === this.columns.length &&
      columns.every((column, i) => {
        const { dtype, shape } = this.columns[i];
        return isPlain(column) && column.dtype === dtype && sameShape(column.shape, shape);
      })
    );
  }

  put(index: number, samples: Samples): void {
    columnsOf(samples).forEach(({ host }, i) => {
      this.window!.place(i, index).set(host!);
    });
  }

  dispose(): void {
    this.window?.dispose();
  }
}

/** The loop of steps for batches of one form, with a way beside it for others. */
export class MadeLoop extends Loop<Form> {
  private readonly purpose: Purpose;
  /** For batches of other forms. */
  private readonly single: BatchSteps;

  /** For batches like this one, which the model has been prepared for, and passes of `stepCount` of them. */
  constructor(model: Model, purpose: Purpose, like: Samples, stepCount: number, engine: Engine) {
    const kind = purpose.operation === 'trainOnBatch' ? 'train' : 'evaluate';
    super(model, kind, new Form(like, stepCount, engine), engine);
    this.purpose = purpose;
    this.single = new BatchSteps(model);
  }

  override async prepare(): Promise<void> {
    if (this.batches.window) await super.prepare();
  }

  /** How many batches a turn from this step on can have. */
  room(step: number): number {
    return this.batches.window?.room(step) ?? 1;
  }

  /** A turn of the `count` batches that were put into the window for this step and those after it. */
  async turn(step: number, count: number): Promise<Turn> {
    const { batches, steps } = this;
    await batches.window!.upload(step, count);
    return {
      count,
      samples: count * batches.size,
      last: false,
      async run() {
        await steps.whole.replay(count);
        return null;
      },
    };
  }

  /** A turn of one batch of another form. */
  alone({ parts, samples: { count } }: Taken): Turn {
    const { operation, called, classWeight } = this.purpose;
    const { x, y, sampleWeight } = parts;
    return {
      count: 1,
      samples: count,
      last: false,
      run: async () => {
        const { sums } = await this.single.sums(operation, x, y, { sampleWeight, classWeight });
        const expected = this.meter.sums().length;
        if (sums.length === expected) return sums;
        throw new ValueError(
          `${called}: a batch of the dataset has ${sums.length} sums behind its loss and metrics and the first ${expected}. ` +
            'Give sample weights with every batch or with none.',
        );
      },
    };
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    this.single.dispose();
  }
}

const columnsOf = ({ x, y, weight }: Samples): Tensor[] => (weight ? [x, y!, weight] : [x, y!]);

/** One pass over a dataset: batches are taken, checked, and dealt out in turns. */
export class MadePass {
  private readonly model: Model;
  private readonly purpose: Purpose;
  private readonly elements: AsyncGenerator<unknown, void, undefined>;
  /** The batch that was taken last, as long as it is in no turn. */
  private held: Taken | null = null;
  /** Steps of the loop in this pass. */
  private step = 0;

  constructor(model: Model, purpose: Purpose, dataset: Dataset, pass: number) {
    this.model = model;
    this.purpose = purpose;
    this.elements = dataset.iterate(pass);
  }

  /** An epoch begins: the loop counts its steps anew. */
  restart(): void {
    this.step = 0;
  }

  /** The batch whose turn it is, or null after the last. */
  async peek(): Promise<Taken | null> {
    if (this.held) return this.held;
    const { value, done } = await this.elements.next();
    if (done) return null;
    const { called, classWeight } = this.purpose;
    const parts = partsOf(value, called);
    const { inputShape } = this.model;
    const samples = await takeSamples({ ...parts, classWeight }, { operation: called, inputShape });
    this.held = { parts, samples };
    return this.held;
  }

  /** The next steps, `most` at most: batches that are there in time go together. */
  async next(most: number, loop: MadeLoop): Promise<Turn | null> {
    const { called } = this.purpose;
    const room = Math.min(most, loop.room(this.step));
    const began = performance.now();
    let count = 0;
    for (;;) {
      const taken = await this.peek();
      if (taken === null || !loop.batches.fits(taken.samples)) break;
      const { samples } = taken;
      if (loop.objective.loss.sparse) await checkLabels(samples.y!, this.model.outputShape, called);
      loop.batches.put(count++, samples);
      this.letGo();
      if (count === room || performance.now() - began > COLLECT_MS) break;
    }
    if (count > 0) {
      this.step += count;
      return loop.turn(this.step - count, count);
    }
    const { held } = this;
    if (held === null) return null;
    this.letGo();
    return loop.alone(held);
  }

  private letGo(): void {
    this.held?.samples.dispose();
    this.held = null;
  }

  /** Lets the dataset go, wherever it is. */
  async end(): Promise<void> {
    this.letGo();
    await this.elements.return();
  }
}
