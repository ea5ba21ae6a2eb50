/** Loss and metrics without training: `model.evaluate`, and validation inside of `fit`. */
import type { StepProfile } from '../../graph/profile.ts';
import type { Logs } from '../callbacks/callback.ts';
import { type CallbackLike, CallbackList, resolveCallbacks } from '../callbacks/list.ts';
import { readOptions } from '../names.ts';
import type { Verbosity } from '../report/progress.ts';
import { takeMade } from './made.ts';
import { Meter } from './meter.ts';
import type { Model } from './model.ts';
import type { Objective } from './objective.ts';
import { Pace } from './pace.ts';
import { evaluationListeners, runPass, throwIfAborted } from './pass.ts';
import { optionGiven, refuseBeside } from './pipeline.ts';
import { isStreamed } from './residency.ts';
import {
  batchSizeAsked,
  sorted,
  stepsOrAll,
  streaming,
  verbosity,
  warnOfEnd,
  withDefaults,
} from './run-options.ts';
import { batchSizeFor, SampleBatches } from './sample-batches.ts';
import { type Samples, takeSamples } from './samples.ts';
import {
  disposeSteps,
  type Engine,
  evaluationSteps,
  type LoopState,
  type StepPair,
  sumsApart,
} from './steps.ts';
import type { StreamEvaluation } from './stream.ts';

export interface EvaluateOptions {
  /** Samples of a step; default 32. The result does not depend on it. */
  batchSize?: number;
  /** Only so many batches, from the first on; default all. A dataset without an end needs it. */
  steps?: number | null;
  /** 0 silent, 1 a progress line, 2 a line at the end; default 'auto': 1. */
  verbose?: Verbosity | 'auto';
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
  /** Callbacks, or objects with some of their functions. */
  callbacks?: CallbackLike | readonly CallbackLike[] | null;
  /** Whether samples are streamed; default where they are large, as in fit. */
  stream?: boolean | null;
  /** Stops between two steps; evaluate then rejects with AbortError. */
  signal?: AbortSignal | null;
}

/** Means over the samples, `loss` first and metrics in the order of compile. Runs while the model is locked. */
export async function evaluateModel(
  model: Model,
  x: unknown,
  y: unknown,
  options?: EvaluateOptions,
): Promise<Logs> {
  const operation = 'evaluate';
  const given = readOptions(operation, options, {
    batchSize: 32,
    steps: null as number | null,
    verbose: 'auto' as EvaluateOptions['verbose'],
    sampleWeight: null as unknown,
    callbacks: null as EvaluateOptions['callbacks'],
    stream: null as boolean | null,
    signal: null as AbortSignal | null,
    returnDict: true,
  });
  const batchSize = batchSizeAsked(options, operation);
  const steps = stepsOrAll(given.steps, operation, 'steps');
  const verbose = verbosity(given.verbose, operation);
  const own = resolveCallbacks(given.callbacks, operation);
  const stream = streaming(given.stream, operation);
  throwIfAborted(given.signal, operation);
  const { sampleWeight } = given;
  refuseBeside(x, operation, { y, sampleWeight, batchSize: optionGiven(options, 'batchSize') });
  const made = takeMade({ x }, operation, steps);
  if (made) {
    const { StreamEvaluation } = await import('./seldom.ts');
    return runEvaluation(new StreamEvaluation(model, made));
  }
  const samples = await takeSamples({ x, y, sampleWeight }, { operation, inputShape: model.inputShape });
  try {
    await model.prepareFor(samples, operation);
    const engine = await model.engineFor(samples.x);
    const streamed = isStreamed([samples], engine, stream);
    return await runEvaluation(new Evaluation(model, samples, { batchSize, steps }, engine, streamed));
  } finally {
    samples.dispose();
  }

  async function runEvaluation(evaluation: Evaluation | StreamEvaluation): Promise<Logs> {
    try {
      const callbacks = new CallbackList(withDefaults(own, verbose), model.inCallback);
      callbacks.begin(model, {
        verbose,
        epochs: 1,
        get steps() {
          return evaluation.stepCount;
        },
      });
      await evaluation.prepare();
      return await evaluation.run(callbacks, given.signal, operation, { progress: true });
    } finally {
      await evaluation.dispose();
    }
  }
}

/** A pass without training over given samples, as often as wanted. */
export class Evaluation {
  private readonly model: Model;
  private readonly batches: SampleBatches;
  private readonly objective: Objective;
  private readonly engine: Engine;
  private readonly steps: StepPair;
  private readonly pace: Pace;
  private readonly meter: Meter;
  private readonly state: LoopState;
  private readonly hasWeights: boolean;
  /** Batches of a pass. */
  readonly stepCount: number;

  constructor(
    model: Model,
    samples: Samples,
    { batchSize, steps }: { readonly batchSize: number | null; readonly steps: number | null },
    engine: Engine,
    streamed: boolean,
  ) {
    const { objective } = model.compiled('evaluate');
    this.model = model;
    this.objective = objective;
    this.engine = engine;
    this.pace = new Pace(engine.options.submitMs);
    this.hasWeights = samples.weight !== null;
    this.batches = new SampleBatches(samples, batchSizeFor(samples, batchSize, steps), engine, {
      rowsOf: samples.order ?? null,
      streamed,
    });
    const all = this.batches.steps;
    this.stepCount = Math.min(steps ?? all, all);
    if (steps !== null && all < steps) warnOfEnd('evaluate', 'steps', steps, all);
    this.state = model.loops.evaluate.take(objective.sumSizes(this.hasWeights, sumsApart(this.batches)));
    this.meter = new Meter(objective.countSums(this.hasWeights));
    this.steps = evaluationSteps(model, objective, this.state, this.batches, engine);
  }

  async prepare(): Promise<void> {
    this.batches.allocate();
    await Promise.all([this.steps.whole.prepare(), this.steps.rest?.prepare()]);
  }

  /** The step for a whole batch, with times if asked for. */
  async profile(measure: boolean): Promise<StepProfile> {
    this.batches.allocate();
    await this.batches.begin(0);
    await this.state.restart(this.engine);
    return this.steps.whole.profile({ measure });
  }

  /** Loss and metrics, in the order of compile. `pass`: of a dataset, from 0. `progress`: whether to tell of it. */
  async run(
    callbacks: CallbackList,
    signal: AbortSignal | null,
    operation: string,
    { pass = 0, progress = false } = {},
  ): Promise<Logs> {
    const { objective, hasWeights, engine, steps, batches, state, meter, pace } = this;
    await callbacks.call('onTestBegin', {});
    await state.restart(engine);
    await batches.begin(pass, 0, this.stepCount);
    const logs = await runPass({
      engine,
      next: (most) => batches.next(most, steps),
      state,
      meter,
      pace,
      signal,
      operation,
      results: (sums, samples) => objective.results(sums, samples, hasWeights),
      ...evaluationListeners(callbacks, progress),
    });
    await callbacks.call('onTestEnd', sorted(logs));
    return logs;
  }

  /** Frees its steps once those under way are done. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    disposeSteps(this.steps);
    this.batches.dispose();
    this.model.loops.evaluate.giveBack(this.state);
  }
}
