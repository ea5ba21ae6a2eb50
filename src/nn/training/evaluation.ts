/** A pass without training over given samples. */
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { listenersTo, runEpoch } from './epoch.ts';
import { batchSizeFor, feedOf, type Place } from './feed/choose.ts';
import type { Resident } from './feed/resident.ts';
import type { Samples } from './feed/samples.ts';
import { type Loop, loopOver } from './loop.ts';
import { sorted, stepsOf } from './options.ts';
import type { Trainable } from './trainable.ts';

/** How much is evaluated at once. */
export interface Extent {
  readonly batchSize: number | null;
  /** Null for all. */
  readonly steps: number | null;
}

/** A pass without training over given samples, as often as wanted. */
export class Evaluation {
  readonly loop: Loop<Resident>;
  /** Batches of a pass. */
  readonly stepCount: number;

  static async of(
    model: Trainable,
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
