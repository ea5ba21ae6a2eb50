/** Loss and metrics without training: `model.evaluate`, and validation inside of `fit`. */
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import type { Model } from '../models/model.ts';
import { listenersTo, runEpoch, throwIfAborted } from './epoch.ts';
import { type Place, placeOf } from './feed/choose.ts';
import { seldom } from './feed/on-demand.ts';
import { batchSizeFor, feedOf, type Resident } from './feed/resident.ts';
import { isMade, type Samples, type Source, takeSource } from './feed/samples.ts';
import type { StreamEvaluation } from './feed/stream.ts';
import { type Loop, loopOver } from './loop.ts';
import { callbacksOf, type RunOptions, readRunOptions, sorted, stepsOf, stepsOrAll } from './options.ts';

export interface EvaluateOptions extends RunOptions {
  /** Samples of a step; default 32. The result does not depend on it. */
  batchSize?: number;
  /** Only so many batches, from the first on; default all. A dataset without an end needs it. */
  steps?: number | null;
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
}

/** Means over the samples, `loss` first and metrics in the order of compile. Runs while the model is locked. */
export async function evaluateModel(
  model: Model,
  x: unknown,
  y: unknown,
  options?: EvaluateOptions,
): Promise<Logs> {
  const operation = 'evaluate';
  const settings = readRunOptions(operation, options, {
    steps: null as number | null,
    sampleWeight: null as unknown,
    returnDict: true,
  });
  const { batchSize, verbose, sampleWeight, signal } = settings;
  const steps = stepsOrAll(settings.steps, operation, 'steps');
  throwIfAborted(signal, operation);
  const source = await takeSource(
    { x, y, sampleWeight },
    { operation, inputShape: model.inputShape, limit: steps, beside: { batchSize } },
  );
  try {
    if (!isMade(source)) await model.prepareFor(source, operation);
    const place = await placeOf(model, [source], settings.stream);
    const evaluation = await evaluationOf(model, source, { batchSize, steps }, place);
    try {
      const callbacks = callbacksOf(model, settings);
      callbacks.begin(model, {
        verbose,
        epochs: 1,
        get steps() {
          return evaluation.stepCount;
        },
      });
      await evaluation.prepare();
      return await evaluation.run(callbacks, signal, operation, { progress: true });
    } finally {
      await evaluation.dispose();
    }
  } finally {
    source.dispose();
  }
}

/** How much is evaluated at once. */
interface Extent {
  readonly batchSize: number | null;
  /** Null for all. */
  readonly steps: number | null;
}

/** Of samples, or of the batches that a dataset makes. */
export const evaluationOf = async (
  model: Model,
  source: Source,
  extent: Extent,
  place: Place | null,
): Promise<Evaluation | StreamEvaluation> =>
  isMade(source)
    ? new (await seldom()).StreamEvaluation(model, source)
    : Evaluation.of(model, source, extent, place!);

/** A pass without training over given samples, as often as wanted. */
export class Evaluation {
  readonly loop: Loop<Resident>;
  /** Batches of a pass. */
  readonly stepCount: number;

  static async of(
    model: Model,
    samples: Samples,
    { batchSize, steps }: Extent,
    place: Place,
  ): Promise<Evaluation> {
    const size = batchSizeFor(samples, batchSize, steps);
    const feed = await feedOf(samples, size, samples.order ?? null, place);
    return new Evaluation(loopOver(model, 'evaluate', feed, place.engine), steps);
  }

  private constructor(loop: Loop<Resident>, steps: number | null) {
    this.loop = loop;
    this.stepCount = stepsOf(loop.feed.steps, steps, 'evaluate', 'steps');
  }

  prepare(): Promise<void> {
    return this.loop.prepare();
  }

  dispose(): Promise<void> {
    return this.loop.finish();
  }

  /** Loss and metrics, in the order of compile. `pass`: of a dataset, from 0. `progress`: whether to tell of it. */
  async run(
    callbacks: CallbackList,
    signal: AbortSignal | null,
    operation: string,
    { pass = 0, progress = false } = {},
  ): Promise<Logs> {
    const { loop } = this;
    const { feed } = loop;
    await callbacks.call('onTestBegin', {});
    await loop.restart();
    await feed.begin(pass, 0, this.stepCount);
    const logs = await runEpoch(loop, {
      next: (most) => feed.next(most),
      signal,
      operation,
      ...listenersTo('Test', callbacks, undefined, progress),
    });
    await callbacks.call('onTestEnd', sorted(logs));
    return logs;
  }
}
