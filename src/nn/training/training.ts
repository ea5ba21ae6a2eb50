/** Samples that are trained on, epoch after epoch. */
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { shuffledOrder } from '../seeds.ts';
import { type Begun, listenersTo, runEpoch } from './epoch.ts';
import { batchSizeFor, feedOf, type Place } from './feed/choose.ts';
import type { Resident } from './feed/resident.ts';
import type { Samples } from './feed/samples.ts';
import { type Loop, loopOver } from './loop.ts';
import { stepsOf } from './options.ts';
import type { Trainable } from './trainable.ts';

export interface TrainingSettings {
  readonly batchSize: number | null;
  readonly shuffle: boolean;
  /** Steps of an epoch; null for all. */
  readonly stepsPerEpoch?: number | null;
  /** The number of the first epoch. */
  readonly initialEpoch?: number;
}

export class Training {
  readonly loop: Loop<Resident>;
  private readonly model: Trainable;
  /** Steps of an epoch. */
  readonly stepCount: number;
  /** The step of a pass that is next by the counter on the GPU; none before the first epoch. */
  private position = -1;
  /** The pass that epoch 0 would belong to. */
  private readonly firstPass: number;
  /** Epochs that a pass is cut into. */
  private readonly parts: number;

  static async of(
    model: Trainable,
    samples: Samples,
    { batchSize, shuffle, stepsPerEpoch = null, initialEpoch = 0 }: TrainingSettings,
    place: Place,
  ): Promise<Training> {
    // A dataset has its own order, or none; other samples are shuffled here.
    const shuffled = (pass: number): Int32Array => shuffledOrder(samples.count, model.seed, pass);
    const rowsOf = samples.order ?? (shuffle && !samples.batchSize ? shuffled : null);
    const size = batchSizeFor(samples, batchSize, stepsPerEpoch);
    const feed = await feedOf(samples, size, rowsOf, place);
    return new Training(loopOver(model, 'train', feed, place.engine), stepsPerEpoch, initialEpoch);
  }

  private constructor(loop: Loop<Resident>, stepsPerEpoch: number | null, initialEpoch: number) {
    const { model, feed } = loop;
    this.loop = loop;
    this.model = model;
    this.stepCount = stepsOf(feed.steps, stepsPerEpoch, 'fit', 'stepsPerEpoch');
    this.parts = Math.ceil(feed.steps / this.stepCount);
    this.firstPass = passOfEpoch0(model, Math.ceil(initialEpoch / this.parts));
  }

  prepare(): Promise<void> {
    return this.loop.prepare();
  }

  dispose(): Promise<void> {
    return this.loop.finish();
  }

  /** Trains for an epoch, or for the rest of one that another process began, and gives the means over it. */
  async run(
    epoch: number,
    callbacks: CallbackList,
    signal: AbortSignal | null,
    begun: Begun | null = null,
  ): Promise<Logs> {
    const { model, loop } = this;
    const { feed } = loop;
    const { pass, from, count } = this.partOf(epoch);
    model.passes = Math.max(model.passes, pass + 1);
    const done = begun?.step ?? 0;
    if (begun || feed.countsAnew || from !== this.position) await loop.restart(from + done, begun?.seen.open);
    await feed.begin(pass, from + done, count - done);
    this.position = (from + count) % feed.steps;
    return runEpoch(loop, {
      begun,
      next: (most) => feed.next(most),
      signal,
      operation: 'fit',
      ...listenersTo('Train', callbacks, () => model.stopTraining),
    });
  }

  /** Which pass over the samples an epoch belongs to, and which of its steps. An epoch goes on where the last one ended. */
  private partOf(epoch: number): { pass: number; from: number; count: number } {
    const { steps } = this.loop.feed;
    const from = (epoch % this.parts) * this.stepCount;
    const pass = this.firstPass + Math.floor(epoch / this.parts);
    return { pass, from, count: Math.min(this.stepCount, steps - from) };
  }
}

/**
 * The pass that epoch 0 would belong to, for a fit that begins after `before` passes by its epochs: passes go on from
 * those that the model has made, unless these are the very ones that its first epoch says were made.
 */
export const passOfEpoch0 = ({ passes }: Trainable, before: number): number => Math.max(0, passes - before);
