/**
 * Batches of a made dataset on their way to the GPU. Those of the first one's form are collected in a window and
 * dealt out many at a time; a batch of another form goes its own way.
 */
import { ValueError } from '../../base/errors.ts';
import type { Dataset } from '../../data/pipeline/dataset.ts';
import { sameShape } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { type BatchOptions, BatchSteps } from './batch.ts';
import { isPlain } from './host-rows.ts';
import { Meter } from './meter.ts';
import type { Model } from './model.ts';
import type { Batch, Objective } from './objective.ts';
import { Pace } from './pace.ts';
import type { Turn } from './pass.ts';
import { type Parts, partsOf } from './pipeline.ts';
import { checkLabels, type Samples, takeSamples } from './samples.ts';
import {
  type BatchPlan,
  disposeSteps,
  type Engine,
  evaluationSteps,
  type LoopState,
  type StepPair,
  sumsApart,
  trainingSteps,
} from './steps.ts';
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

/** The loop of steps for batches of one form, and what it keeps from pass to pass. */
export class Loop implements BatchPlan {
  readonly engine: Engine;
  readonly objective: Objective;
  readonly hasWeights: boolean;
  readonly state: LoopState;
  readonly meter: Meter;
  readonly pace: Pace;
  readonly size: number;
  readonly rest = 0;
  private readonly model: Model;
  private readonly purpose: Purpose;
  private readonly columns: readonly Tensor[];
  /** Null where batches are not on the host. */
  private readonly window: Window | null;
  private readonly steps: StepPair | null = null;
  /** For batches of other forms. */
  private readonly single: BatchSteps;

  /** For batches like this one, which the model has been prepared for, and passes of `stepCount` of them. */
  constructor(model: Model, purpose: Purpose, like: Samples, stepCount: number, engine: Engine) {
    const { objective, optimizer } = model.compiled(purpose.called);
    const training = purpose.operation === 'trainOnBatch';
    this.model = model;
    this.purpose = purpose;
    this.engine = engine;
    this.objective = objective;
    this.hasWeights = like.weight !== null;
    this.size = like.count;
    this.pace = new Pace(engine.options.submitMs);
    this.columns = columnsOf(like);
    this.state = this.states.take(objective.sumSizes(this.hasWeights, sumsApart(this)));
    this.meter = new Meter(objective.countSums(this.hasWeights));
    this.single = new BatchSteps(model);
    const forms = this.columns.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = this.columns.every(isPlain) ? new Window(forms, this.size, stepCount, engine) : null;
    if (this.window === null) return;
    if (training) optimizer.build(model.trainableWeights);
    this.steps = training
      ? trainingSteps(model, objective, optimizer, this.state, this, engine)
      : evaluationSteps(model, objective, this.state, this, engine);
  }

  private get states() {
    const { train, evaluate } = this.model.loops;
    return this.purpose.operation === 'trainOnBatch' ? train : evaluate;
  }

  at(position: Variable, size: number): Batch {
    const [x, y, weight = null] = this.columns.map((_, i) => this.window!.rows(i, position, size));
    return { x, y, weight };
  }

  async prepare(): Promise<void> {
    this.window?.allocate();
    await this.steps?.whole.prepare();
  }

  /** Whether a batch has the form that the window and the steps are made for. */
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

  /** How many batches a turn from this step on can have. */
  room(step: number): number {
    return this.window?.room(step) ?? 1;
  }

  put(index: number, samples: Samples): void {
    columnsOf(samples).forEach(({ host }, i) => {
      this.window!.place(i, index).set(host!);
    });
  }

  /** A turn of the `count` batches that were put into the window for this step and those after it. */
  async turn(step: number, count: number): Promise<Turn> {
    await this.window!.upload(step, count);
    return {
      count,
      samples: count * this.size,
      last: false,
      run: async () => {
        await this.steps!.whole.replay(count);
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
        const expected = this.objective.countSums(this.hasWeights);
        if (sums.length === expected) return sums;
        throw new ValueError(
          `${called}: a batch of the dataset has ${sums.length} sums behind its loss and metrics and the first ${expected}. ` +
            'Give sample weights with every batch or with none.',
        );
      },
    };
  }

  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    if (this.steps) disposeSteps(this.steps);
    this.single.dispose();
    this.window?.dispose();
    this.states.giveBack(this.state);
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
  async next(most: number, loop: Loop): Promise<Turn | null> {
    const { called } = this.purpose;
    const room = Math.min(most, loop.room(this.step));
    const began = performance.now();
    let count = 0;
    for (;;) {
      const taken = await this.peek();
      if (taken === null || !loop.fits(taken.samples)) break;
      const { samples } = taken;
      if (loop.objective.loss.sparse) await checkLabels(samples.y!, this.model.outputShape, called);
      loop.put(count++, samples);
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
