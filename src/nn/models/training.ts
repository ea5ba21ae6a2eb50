/** Samples that are trained on, epoch after epoch: the steps that are replayed, and what they need. */
import type { StepProfile } from '../../graph/profile.ts';
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { shuffledOrder } from '../seeds.ts';
import { Meter } from './meter.ts';
import type { Model } from './model.ts';
import type { Objective } from './objective.ts';
import { Pace } from './pace.ts';
import { runPass, trainingListeners } from './pass.ts';
import { sorted } from './run-options.ts';
import { SampleBatches } from './sample-batches.ts';
import type { Samples } from './samples.ts';
import {
  disposeSteps,
  type Engine,
  type LoopState,
  type StepPair,
  sumsApart,
  trainingSteps,
} from './steps.ts';

export class Training {
  private readonly model: Model;
  private readonly objective: Objective;
  private readonly engine: Engine;
  private readonly hasWeights: boolean;
  private readonly batches: SampleBatches;
  private readonly state: LoopState;
  private readonly steps: StepPair;
  private readonly pace: Pace;
  private readonly meter: Meter;

  constructor(
    model: Model,
    samples: Samples,
    settings: { readonly batchSize: number; readonly shuffle: boolean },
    engine: Engine,
    streamed: boolean,
  ) {
    const { objective, optimizer } = model.compiled('fit');
    const { count } = samples;
    this.model = model;
    this.objective = objective;
    this.engine = engine;
    this.pace = new Pace(engine.options.submitMs);
    this.hasWeights = samples.weight !== null;
    // A dataset has its own order, or none; other samples are shuffled here.
    const seed = model.randomSeed ?? engine.seed;
    const shuffle = settings.shuffle && !samples.batchSize;
    const rowsOf = samples.order ?? (shuffle ? (epoch: number) => shuffledOrder(count, seed, epoch) : null);
    this.batches = new SampleBatches(samples, samples.batchSize ?? settings.batchSize, engine, {
      rowsOf,
      streamed,
    });
    this.state = model.loops.train.take(objective.sumSizes(this.hasWeights, sumsApart(this.batches)));
    optimizer.build(model.trainableWeights);
    this.steps = trainingSteps(model, objective, optimizer, this.state, this.batches, engine);
    this.meter = new Meter(objective.countSums(this.hasWeights));
  }

  /** Steps of an epoch. */
  get stepCount(): number {
    return this.batches.steps;
  }

  /** Takes memory and compiles what the steps need. */
  async prepare(): Promise<void> {
    this.batches.allocate();
    await Promise.all([this.steps.whole.prepare(), this.steps.rest?.prepare()]);
    await this.state.restart(this.engine);
  }

  /** The step for a whole batch, with times if asked for. Nothing is trained. */
  async profile(measure: boolean): Promise<StepProfile> {
    this.batches.allocate();
    await this.batches.begin(0);
    await this.state.restart(this.engine);
    return this.steps.whole.profile({ measure });
  }

  /** Trains for an epoch and gives the means over it. */
  async run(epoch: number, callbacks: CallbackList, signal: AbortSignal | null): Promise<Logs> {
    const { model, objective, hasWeights, engine, steps, batches, state, meter, pace } = this;
    if (batches.countsAnew) await state.restart(engine);
    await batches.begin(epoch);
    return runPass({
      engine,
      next: (most) => batches.next(most, steps),
      state,
      meter,
      pace,
      signal,
      operation: 'fit',
      results: (sums, samples) => sorted(objective.results(sums, samples, hasWeights)),
      ...trainingListeners(callbacks, () => model.stopTraining),
    });
  }

  /** Frees its steps once those under way are done: they must not outlive the memory that they use. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    disposeSteps(this.steps);
    this.batches.dispose();
    this.model.loops.train.giveBack(this.state);
  }
}
