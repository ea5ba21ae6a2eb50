/**
 * A loop: the steps that were captured for a feed, and what they keep from run to run. Once its run is over it waits,
 * without data, for the next run over a feed of the same form, which plans nothing anew.
 */

import type { Feed } from './feed/feed.ts';
import { Meter } from './meter.ts';
import { Origin } from './origin.ts';
import { Pace } from './pace.ts';
import {
  type Engine,
  evaluationStep,
  type LoopState,
  type LoopStates,
  makeSteps,
  type StepPair,
  sumsApart,
  trainingStep,
} from './steps.ts';
import type { Tally } from './tally.ts';
import type { Trainable } from './trainable.ts';

type Kind = 'train' | 'evaluate';

export class Loop<F extends Feed = Feed> {
  readonly model: Trainable;
  readonly engine: Engine;
  readonly key: string | null;
  readonly origin: Origin;
  readonly tally: Tally;
  readonly state: LoopState;
  readonly meter: Meter;
  readonly pace: Pace;
  readonly steps: StepPair;
  /** That of the present run. */
  feed: F;
  private readonly states: LoopStates;

  /** `key`: of loops in whose place this one may be taken. */
  constructor(model: Trainable, kind: Kind, feed: F, engine: Engine, key: string | null) {
    const { hasWeights, size, rest } = feed;
    const { objective, optimizer } = model.compiled(kind === 'train' ? 'fit' : 'evaluate');
    this.model = model;
    this.engine = engine;
    this.feed = feed;
    this.key = key;
    this.origin = new Origin(model, kind === 'train' ? optimizer : null);
    this.states = model.loops[kind];
    const apart = sumsApart(size);
    this.tally = objective.tally(hasWeights, kind === 'train');
    const sizes = this.tally.sizes(apart);
    this.state = this.states.take(sizes);
    this.meter = new Meter(
      sizes.reduce((sum, size) => sum + size),
      (a, b) => this.tally.joined(a, b),
    );
    this.pace = new Pace(engine.options.submitMs);
    if (kind === 'train' && !objective.updates) optimizer.build(model.trainableWeights);
    const step =
      kind === 'train'
        ? trainingStep(model, objective, optimizer, this.state, apart)
        : evaluationStep(model, objective, this.state, apart);
    this.steps = makeSteps(kind, { size, rest }, engine, (size) => {
      step(this.feed.at(this.state.position, size));
      this.origin.note();
    });
  }

  /** Takes memory and compiles what the steps need. */
  async prepare(): Promise<void> {
    this.feed.allocate();
    await Promise.all([this.steps.whole.prepare(), this.steps.rest?.prepare()]);
  }

  /** The next step is number `step`, and sums begin anew, or with those of the steps before it. */
  restart(step = 0, before?: readonly number[]): Promise<void> {
    return this.state.restart(this.engine, step, before);
  }

  /** The run is over: lets the data go once the steps under way are done, and waits for another run unless `keep` is false. */
  async finish(keep = true): Promise<void> {
    await this.engine.idle().catch(() => {});
    this.feed.dispose();
    this.states.giveBack(this.state);
    if (keep && this.key !== null && this.origin.holds && !this.engine.lost) this.states.keep(this);
    else this.dispose();
  }

  /** Frees its steps. */
  dispose(): void {
    this.steps.whole.dispose();
    this.steps.rest?.dispose();
  }
}

/** The loop over a feed: one that waits for such a feed, or a new one. */
export function loopOver<F extends Feed>(model: Trainable, kind: Kind, feed: F, engine: Engine): Loop<F> {
  const { objective } = model.compiled(kind === 'train' ? 'fit' : 'evaluate');
  const key = feed.key && `${objective.key} ${feed.key}`;
  const waiting = key === null ? null : (model.loops[kind].claim(key, engine) as Loop<F> | null);
  if (!waiting) return new Loop(model, kind, feed, engine, key);
  feed.adopt(waiting.feed);
  waiting.feed = feed;
  return waiting;
}
