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
import { sorted, warnOfEnd } from './run-options.ts';
import { batchSizeFor, SampleBatches } from './sample-batches.ts';
import type { Samples } from './samples.ts';
import {
  disposeSteps,
  type Engine,
  type LoopState,
  type StepPair,
  sumsApart,
  trainingSteps,
} from './steps.ts';

export interface TrainingSettings {
  readonly batchSize: number | null;
  readonly shuffle: boolean;
  /** Steps of an epoch; null for all. */
  readonly stepsPerEpoch?: number | null;
}

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
  /** Steps of an epoch. */
  readonly stepCount: number;
  /** The step of a pass that is next by the counter on the GPU. */
  private position = 0;

  constructor(model: Model, samples: Samples, settings: TrainingSettings, engine: Engine, streamed: boolean) {
    const { objective, optimizer } = model.compiled('fit');
    const { count } = samples;
    const { stepsPerEpoch = null } = settings;
    this.model = model;
    this.objective = objective;
    this.engine = engine;
    this.pace = new Pace(engine.options.submitMs);
    this.hasWeights = samples.weight !== null;
    // A dataset has its own order, or none; other samples are shuffled here.
    const seed = model.randomSeed ?? engine.seed;
    const shuffle = settings.shuffle && !samples.batchSize;
    const rowsOf = samples.order ?? (shuffle ? (epoch: number) => shuffledOrder(count, seed, epoch) : null);
    const size = batchSizeFor(samples, settings.batchSize, stepsPerEpoch);
    this.batches = new SampleBatches(samples, size, engine, { rowsOf, streamed });
    const { steps } = this.batches;
    this.stepCount = Math.min(stepsPerEpoch ?? steps, steps);
    if (stepsPerEpoch !== null && steps < stepsPerEpoch)
      warnOfEnd('fit', 'stepsPerEpoch', stepsPerEpoch, steps);
    this.state = model.loops.train.take(objective.sumSizes(this.hasWeights, sumsApart(this.batches)));
    optimizer.build(model.trainableWeights);
    this.steps = trainingSteps(model, objective, optimizer, this.state, this.batches, engine);
    this.meter = new Meter(objective.countSums(this.hasWeights));
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
    const { pass, from, count } = this.partOf(epoch);
    if (batches.countsAnew || from !== this.position) await state.restart(engine, from);
    await batches.begin(pass, from, count);
    this.position = (from + count) % batches.steps;
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

  /** Which pass over the samples an epoch belongs to, and which of its steps. An epoch goes on where the last one ended. */
  private partOf(epoch: number): { pass: number; from: number; count: number } {
    const { steps } = this.batches;
    const parts = Math.ceil(steps / this.stepCount);
    const from = (epoch % parts) * this.stepCount;
    return { pass: Math.floor(epoch / parts), from, count: Math.min(this.stepCount, steps - from) };
  }

  /** Frees its steps once those under way are done: they must not outlive the memory that they use. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    disposeSteps(this.steps);
    this.batches.dispose();
    this.model.loops.train.giveBack(this.state);
  }
}
