/**
 * Batches that a dataset makes on the way: each goes to the GPU when its turn comes, and its sums are awaited.
 * That costs an upload and a reading for each step, which rows of arrays do not need.
 */
import { ConfigError, ValueError } from '../../base/errors.ts';
import type { Dataset } from '../../data/pipeline/dataset.ts';
import type { Logs } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { FRAME_MS } from '../report/progress.ts';
import { type BatchOptions, BatchSteps } from './batch.ts';
import type { Model } from './model.ts';
import { throwIfAborted } from './pass.ts';
import { isDataset, partsOf } from './pipeline.ts';
import { sorted } from './run-options.ts';
import type { GivenSamples } from './samples.ts';

/** A dataset whose batches are made on the way, and how many a pass has. */
export interface MadeBatches {
  readonly dataset: Dataset;
  readonly stepCount: number;
  dispose(): void;
}

export const isMade = (source: object): source is MadeBatches => 'dataset' in source;

/** What is given for x, where it is such a dataset; null where it is not. */
export async function takeMade({ x }: GivenSamples, operation: string): Promise<MadeBatches | null> {
  if (!isDataset(x) || x.rowPlan !== null) return null;
  return { dataset: x, stepCount: await countBatches(x, operation), dispose: () => {} };
}

/** Counted by a pass of its own where the dataset cannot say. */
async function countBatches(dataset: Dataset, operation: string): Promise<number> {
  const { cardinality } = dataset;
  if (cardinality === Infinity)
    throw new ConfigError(`${operation}: the dataset has no end. Call take(count) on it.`);
  let count = cardinality ?? 0;
  if (cardinality === null) for await (const _ of dataset.iterate(0)) count++;
  if (count === 0) throw new ValueError(`${operation}: the dataset has no elements.`);
  return count;
}

interface StreamPass {
  readonly operation: 'trainOnBatch' | 'testOnBatch';
  /** For messages: 'fit'. */
  readonly called: string;
  readonly pass: number;
  readonly options?: BatchOptions;
  readonly signal: AbortSignal | null;
  begin(batch: number): Promise<void>;
  end(batch: number, logs: Logs): Promise<void>;
  progress(step: number, logs: Logs): Promise<void>;
  stopped(): boolean;
}

/** What training and evaluating on made batches share. */
abstract class Stream {
  protected readonly model: Model;
  private readonly dataset: Dataset;
  private readonly steps: BatchSteps;
  /** Steps of a pass. */
  readonly stepCount: number;

  constructor(model: Model, { dataset, stepCount }: MadeBatches) {
    this.model = model;
    this.dataset = dataset;
    this.stepCount = stepCount;
    this.steps = new BatchSteps(model);
  }

  async prepare(): Promise<void> {}

  protected async pass(listeners: StreamPass): Promise<Logs> {
    const { operation, called, pass, options, signal } = listeners;
    let totals: Float64Array | null = null;
    let samples = 0;
    let weighted = false;
    let batch = 0;
    let told = Number.NEGATIVE_INFINITY;
    const means = (): Logs =>
      totals ? this.model.compiled(called).objective.results(totals, samples, weighted) : {};
    for await (const element of this.dataset.iterate(pass)) {
      throwIfAborted(signal, called);
      await listeners.begin(batch);
      const { x, y, sampleWeight } = partsOf(element, called);
      const { sums, count, hasWeights } = await this.steps.sums(operation, x, y, {
        ...options,
        sampleWeight,
      });
      totals ??= new Float64Array(sums.length);
      for (let i = 0; i < sums.length; i++) totals[i] += sums[i];
      samples += count;
      weighted = hasWeights;
      await listeners.end(batch++, means());
      if (listeners.stopped()) break;
      if (performance.now() - told < FRAME_MS) continue;
      told = performance.now();
      await listeners.progress(batch, means());
    }
    return means();
  }

  async dispose(): Promise<void> {
    this.steps.dispose();
  }
}

/** As `Training`, on made batches. */
export class StreamTraining extends Stream {
  private readonly options: BatchOptions;

  constructor(model: Model, source: MadeBatches, { classWeight }: BatchOptions) {
    super(model, source);
    this.options = { classWeight };
  }

  run(epoch: number, callbacks: CallbackList, signal: AbortSignal | null): Promise<Logs> {
    return this.pass({
      operation: 'trainOnBatch',
      called: 'fit',
      pass: epoch,
      options: this.options,
      signal,
      begin: (batch) => callbacks.call('onTrainBatchBegin', batch, {}),
      end: (batch, logs) => callbacks.call('onTrainBatchEnd', batch, sorted(logs)),
      progress: (step, logs) => callbacks.call('onProgress', step, sorted(logs)),
      stopped: () => this.model.stopTraining,
    }).then(sorted);
  }
}

/** As `Evaluation`, on made batches. */
export class StreamEvaluation extends Stream {
  async run(
    callbacks: CallbackList,
    signal: AbortSignal | null,
    called: string,
    { pass = 0, progress = false } = {},
  ): Promise<Logs> {
    await callbacks.call('onTestBegin', {});
    const logs = await this.pass({
      operation: 'testOnBatch',
      called,
      pass,
      signal,
      begin: (batch) => callbacks.call('onTestBatchBegin', batch, {}),
      end: (batch, now) => callbacks.call('onTestBatchEnd', batch, sorted(now)),
      progress: async (step, now) => {
        if (progress) await callbacks.call('onProgress', step, sorted(now));
      },
      stopped: () => false,
    });
    await callbacks.call('onTestEnd', sorted(logs));
    return logs;
  }
}
