/** Samples that are trained on, epoch after epoch: the steps that are replayed, and what they need. */
import type { StepProfile } from '../../graph/profile.ts';
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { shuffledOrder } from '../seeds.ts';
import { Meter } from './meter.ts';
import type { Model } from './model.ts';
import type { Objective } from './objective.ts';
import { Pace } from './pace.ts';
import { runPass } from './pass.ts';
import { sorted } from './run-options.ts';
import type { Samples } from './samples.ts';
import {
  Batches,
  disposeSteps,
  type Engine,
  type LoopState,
  Order,
  type StepPair,
  sumsApart,
  trainingSteps,
} from './steps.ts';

export class Training {
  private readonly model: Model;
  private readonly objective: Objective;
  private readonly engine: Engine;
  private readonly hasWeights: boolean;
  private readonly batches: Batches;
  private readonly state: LoopState;
  /** The rows of an epoch in the order in which it visits them, or null for all from the first to the last. */
  private readonly rowsOf: ((epoch: number) => Int32Array) | null;
  private readonly order: Order | null;
  private readonly steps: StepPair;
  private readonly pace = new Pace();
  private readonly meter: Meter;

  constructor(
    model: Model,
    samples: Samples,
    settings: { readonly batchSize: number; readonly shuffle: boolean },
    engine: Engine,
  ) {
    const { objective, optimizer } = model.compiled('fit');
    const { count } = samples;
    this.model = model;
    this.objective = objective;
    this.engine = engine;
    this.hasWeights = samples.weight !== null;
    this.batches = new Batches(samples, samples.batchSize ?? settings.batchSize);
    this.state = model.loops.train.take(objective.sumSizes(this.hasWeights, sumsApart(this.batches)));
    // A dataset has its own order, or none; other samples are shuffled here.
    const seed = model.randomSeed ?? engine.seed;
    const shuffle = settings.shuffle && !samples.batchSize;
    this.rowsOf = samples.order ?? (shuffle ? (epoch) => shuffledOrder(count, seed, epoch) : null);
    this.order = this.rowsOf && new Order(count);
    optimizer.build(model.trainableWeights);
    const { state, batches, order } = this;
    this.steps = trainingSteps(model, objective, optimizer, state, batches, order, engine);
    this.meter = new Meter(objective.countSums(this.hasWeights));
  }

  /** Steps of an epoch. */
  get stepCount(): number {
    return this.batches.steps;
  }

  /** Compiles what the steps need. */
  async prepare(): Promise<void> {
    await Promise.all([this.steps.whole.prepare(), this.steps.rest?.prepare()]);
    await this.state.restart(this.engine);
  }

  /** The step for a whole batch, with times if asked for. Nothing is trained. */
  async profile(measure: boolean): Promise<StepProfile> {
    if (this.rowsOf) await this.order!.write(this.rowsOf(0), this.engine);
    await this.state.restart(this.engine);
    return this.steps.whole.profile({ measure });
  }

  /** Trains for an epoch and gives the means over it. */
  async run(epoch: number, callbacks: CallbackList, signal: AbortSignal | null): Promise<Logs> {
    const { model, objective, hasWeights, engine, steps, batches, state, meter, pace } = this;
    if (this.rowsOf) await this.order!.write(this.rowsOf(epoch), engine);
    const byBatch = callbacks.listen('onTrainBatchBegin', 'onTrainBatchEnd');
    return runPass({
      engine,
      steps,
      batches,
      state,
      meter,
      pace,
      signal,
      operation: 'fit',
      results: (sums, samples) => sorted(objective.results(sums, samples, hasWeights)),
      byBatch: byBatch
        ? {
            begin: (batch) => callbacks.call('onTrainBatchBegin', batch, {}),
            end: (batch, now) => callbacks.call('onTrainBatchEnd', batch, now),
            stopped: () => model.stopTraining,
          }
        : null,
      progress: callbacks.listen('onProgress')
        ? (step, now) => callbacks.call('onProgress', step, now)
        : null,
    });
  }

  /** Frees its steps once those under way are done: they must not outlive the memory that they use. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    disposeSteps(this.steps);
    this.model.loops.train.giveBack(this.state);
    this.order?.dispose();
  }
}
