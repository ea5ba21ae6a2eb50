/** A loop of steps over batches, as fit and evaluate run it, and what it keeps from pass to pass. */

import type { Model } from '../models/model.ts';
import { Meter } from './meter.ts';
import type { Objective } from './objective.ts';
import { Pace } from './pace.ts';
import {
  type BatchPlan,
  type Engine,
  evaluationSteps,
  type LoopState,
  type LoopStates,
  type StepPair,
  sumsApart,
  trainingSteps,
} from './steps.ts';

export class Loop<Batches extends BatchPlan = BatchPlan> {
  readonly model: Model;
  readonly engine: Engine;
  readonly batches: Batches;
  readonly objective: Objective;
  readonly state: LoopState;
  readonly meter: Meter;
  readonly pace: Pace;
  readonly steps: StepPair;
  private readonly states: LoopStates;

  constructor(model: Model, kind: 'train' | 'evaluate', batches: Batches, engine: Engine) {
    const { hasWeights } = batches;
    const { objective, optimizer } = model.compiled(kind === 'train' ? 'fit' : 'evaluate');
    this.model = model;
    this.engine = engine;
    this.batches = batches;
    this.objective = objective;
    this.states = model.loops[kind];
    const sizes = objective.sumSizes(hasWeights, sumsApart(batches));
    this.state = this.states.take(sizes);
    this.meter = new Meter(
      sizes.reduce((sum, size) => sum + size),
      (a, b) => objective.joined(a, b, hasWeights),
    );
    this.pace = new Pace(engine.options.submitMs);
    if (kind === 'train') optimizer.build(model.trainableWeights);
    this.steps =
      kind === 'train'
        ? trainingSteps(model, objective, optimizer, this.state, batches, engine)
        : evaluationSteps(model, objective, this.state, batches, engine);
  }

  /** Takes memory and compiles what the steps need. */
  async prepare(): Promise<void> {
    this.batches.allocate();
    await Promise.all([this.steps.whole.prepare(), this.steps.rest?.prepare()]);
  }

  /** The next step is number `step`, and sums begin anew, or with those of the steps before it. */
  restart(step = 0, before?: readonly number[]): Promise<void> {
    return this.state.restart(this.engine, step, before);
  }

  /** Frees its steps once those under way are done: they must not outlive the memory that they use. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    this.steps.whole.dispose();
    this.steps.rest?.dispose();
    this.batches.dispose();
    this.states.giveBack(this.state);
  }
}
