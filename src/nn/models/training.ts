/** Samples that are trained on, epoch after epoch. */
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { shuffledOrder } from '../seeds.ts';
import { Loop } from './loop.ts';
import type { Model } from './model.ts';
import { type Begun, listenersTo, runPass } from './pass.ts';
import type { Place } from './residency.ts';
import { stepsOf } from './run-options.ts';
import { batchesOf, batchSizeFor, type SampleBatches } from './sample-batches.ts';
import type { Samples } from './samples.ts';
import type { Engine } from './steps.ts';

export interface TrainingSettings {
  readonly batchSize: number | null;
  readonly shuffle: boolean;
  /** Steps of an epoch; null for all. */
  readonly stepsPerEpoch?: number | null;
}

export class Training extends Loop<SampleBatches> {
  /** Steps of an epoch. */
  readonly stepCount: number;
  /** The step of a pass that is next by the counter on the GPU; none before the first epoch. */
  private position = -1;

  static async of(
    model: Model,
    samples: Samples,
    { batchSize, shuffle, stepsPerEpoch = null }: TrainingSettings,
    place: Place,
  ): Promise<Training> {
    // A dataset has its own order, or none; other samples are shuffled here.
    const seed = model.randomSeed ?? place.engine.seed;
    const shuffled = (epoch: number): Int32Array => shuffledOrder(samples.count, seed, epoch);
    const rowsOf = samples.order ?? (shuffle && !samples.batchSize ? shuffled : null);
    const size = batchSizeFor(samples, batchSize, stepsPerEpoch);
    const batches = await batchesOf(samples, size, rowsOf, place);
    return new Training(model, batches, stepsPerEpoch, place.engine);
  }

  private constructor(model: Model, batches: SampleBatches, stepsPerEpoch: number | null, engine: Engine) {
    super(model, 'train', batches, engine);
    this.stepCount = stepsOf(batches.steps, stepsPerEpoch, 'fit', 'stepsPerEpoch');
  }

  /** Trains for an epoch, or for the rest of one that another process began, and gives the means over it. */
  async run(
    epoch: number,
    callbacks: CallbackList,
    signal: AbortSignal | null,
    begun: Begun | null = null,
  ): Promise<Logs> {
    const { model, steps, batches } = this;
    const { pass, from, count } = this.partOf(epoch);
    const done = begun?.step ?? 0;
    if (begun || batches.countsAnew || from !== this.position)
      await this.restart(from + done, begun?.seen.open);
    await batches.begin(pass, from + done, count - done);
    this.position = (from + count) % batches.steps;
    return runPass(this, {
      begun,
      next: (most) => batches.next(most, steps),
      signal,
      operation: 'fit',
      ...listenersTo('Train', callbacks, () => model.stopTraining),
    });
  }

  /** Which pass over the samples an epoch belongs to, and which of its steps. An epoch goes on where the last one ended. */
  private partOf(epoch: number): { pass: number; from: number; count: number } {
    const { steps } = this.batches;
    const parts = Math.ceil(steps / this.stepCount);
    const from = (epoch % parts) * this.stepCount;
    return { pass: Math.floor(epoch / parts), from, count: Math.min(this.stepCount, steps - from) };
  }
}
