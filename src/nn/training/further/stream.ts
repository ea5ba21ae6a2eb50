/** Training and evaluating on batches that a dataset makes on the way, while the GPU works on those before. */
import type { Logs } from '../../callbacks/callback.ts';
import type { CallbackList } from '../../callbacks/list.ts';
import { type Listeners, listenersTo, runEpoch } from '../epoch.ts';
import { checkClassWeight } from '../feed/class-weights.ts';
import { noElements } from '../feed/datasets.ts';
import { Generated, MadePass, type Purpose } from '../feed/generated.ts';
import type { MadeBatches, Samples } from '../feed/samples.ts';
import { type Loop, loopOver } from '../loop.ts';
import { sorted, warnOfEnd } from '../options.ts';
import type { Trainable } from '../trainable.ts';
import { passOfEpoch0 } from '../training.ts';
import { type BatchOptions, type BatchSteps, batchStepsOf } from './train-on-batch.ts';

/** What training and evaluating on made batches share. */
abstract class Stream {
  protected readonly model: Trainable;
  private readonly source: MadeBatches;
  private loop: Loop<Generated> | null = null;
  /** For batches of other forms. */
  private readonly apart: BatchSteps;
  /** Steps of the latest pass. */
  private counted: number | null = null;
  /** Where the dataset is, between epochs that are parts of a pass. */
  private under: { readonly pass: MadePass; readonly number: number } | null = null;

  constructor(model: Trainable, source: MadeBatches) {
    this.model = model;
    this.source = source;
    this.apart = batchStepsOf(model);
  }

  /** Steps of a pass, or of what is wanted of it at once; null until it is over where the dataset cannot say. */
  get stepCount(): number | null {
    return this.source.stepCount ?? this.counted;
  }

  /** Nothing is known before the first batch. */
  async prepare(): Promise<void> {}

  /** Null where the dataset gives nothing any more. `number`: of the pass. `goesOn`: where steps are limited, the next call goes on after this one's. */
  protected async pass(
    number: number,
    purpose: Purpose,
    goesOn: boolean,
    listeners: Listeners,
    signal: AbortSignal | null,
  ): Promise<Logs | null> {
    const { limit } = this.source;
    let left = limit ?? Infinity;
    let done = 0;
    this.counted = null;
    const before = this.under?.pass;
    const pass = await this.begin(number, purpose);
    let ended = true;
    try {
      const first = await pass.peek();
      if (first === null && this.loop === null) throw noElements(purpose.called);
      if (first === null) {
        warnOfNothing(purpose.called);
        return null;
      }
      this.loop ??= await this.makeLoop(purpose, first.samples);
      const { loop } = this;
      const { sparse } = this.model.compiled(purpose.called).objective;
      await loop.restart();
      pass.restart();
      const logs = await runEpoch(loop, {
        async next(most) {
          const chunk = left === 0 ? null : await pass.next(Math.min(most, left), loop.feed, sparse);
          left -= chunk?.count ?? 0;
          done += chunk?.count ?? 0;
          return chunk;
        },
        alone: () => pass.alone(this.apart, loop.meter.sums().length),
        signal,
        operation: purpose.called,
        ...listeners,
      });
      this.counted = done;
      ended = limit === null || !goesOn || left > 0;
      if (limit !== null && left > 0 && pass !== before && !this.model.stopTraining)
        warnOfEnd(purpose.called, goesOn ? 'stepsPerEpoch' : 'steps', limit, done);
      return logs;
    } finally {
      if (ended) await this.end();
    }
  }

  /** The pass that is under way, or a new one where that is over. */
  private async begin(number: number, purpose: Purpose): Promise<MadePass> {
    const { under } = this;
    if (under && (await under.pass.peek()) !== null) return under.pass;
    await this.end();
    const next = under ? under.number + 1 : number;
    const pass = new MadePass(this.model, purpose, this.source.dataset, next);
    this.under = { pass, number: next };
    if (purpose.operation === 'trainOnBatch') this.model.passes = Math.max(this.model.passes, next + 1);
    return pass;
  }

  /** Lets the dataset go. */
  private async end(): Promise<void> {
    const { under } = this;
    this.under = null;
    await under?.pass.end();
  }

  private async makeLoop(purpose: Purpose, first: Samples): Promise<Loop<Generated>> {
    const { model } = this;
    const { called, classWeight } = purpose;
    await model.prepareFor(first, called);
    checkClassWeight(classWeight, model.outputShapes[0], called);
    const engine = await model.engineFor(first.inputs[0]);
    const feed = new Generated(first, this.stepCount ?? Infinity, engine);
    const loop = loopOver(model, purpose.operation === 'trainOnBatch' ? 'train' : 'evaluate', feed, engine);
    try {
      if (feed.window) await loop.prepare();
    } catch (error) {
      await loop.finish();
      throw error;
    }
    return loop;
  }

  async dispose(): Promise<void> {
    try {
      await this.end();
    } finally {
      await this.loop?.finish();
      this.loop = null;
    }
  }
}

const warnOfNothing = (operation: string): void =>
  console.warn(
    `${operation}: the dataset gave nothing in this pass, though it did before: a generator is used up. Give a function that makes a new one for each pass, or fewer epochs.`,
  );

/** As `Training`, on made batches. */
export class StreamTraining extends Stream {
  private readonly classWeight: BatchOptions['classWeight'];

  /** The pass that epoch 0 would belong to. */
  private readonly firstPass: number;

  constructor(
    model: Trainable,
    source: MadeBatches,
    { classWeight, initialEpoch }: BatchOptions & { readonly initialEpoch: number },
  ) {
    super(model, source);
    this.classWeight = classWeight;
    this.firstPass = passOfEpoch0(model, initialEpoch);
  }

  async run(epoch: number, callbacks: CallbackList, signal: AbortSignal | null): Promise<Logs | null> {
    const { model, classWeight } = this;
    const purpose: Purpose = { operation: 'trainOnBatch', called: 'fit', classWeight };
    const listeners = listenersTo('Train', callbacks, () => model.stopTraining);
    return this.pass(this.firstPass + epoch, purpose, true, listeners, signal);
  }
}

/** As `Evaluation`, on made batches. */
export class StreamEvaluation extends Stream {
  async run(
    callbacks: CallbackList,
    signal: AbortSignal | null,
    called: string,
    { pass = 0, progress = false } = {},
  ): Promise<Logs> {
    await callbacks.call('onTestBegin', {});
    const purpose: Purpose = { operation: 'testOnBatch', called };
    const listeners = listenersTo('Test', callbacks, undefined, progress);
    const logs = (await this.pass(pass, purpose, false, listeners, signal)) ?? {};
    await callbacks.call('onTestEnd', sorted(logs));
    return logs;
  }
}
