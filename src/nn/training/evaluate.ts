/** Loss and metrics without training: `model.evaluate`, and validation inside of `fit`. */
import type { Logs } from '../callbacks/callback.ts';
import { further } from './door.ts';
import { throwIfAborted } from './epoch.ts';
import { Evaluation, type Extent } from './evaluation.ts';
import { type Place, placeOf, takeSource } from './feed/choose.ts';
import { isMade, type Source } from './feed/samples.ts';
import type { StreamEvaluation } from './further/stream.ts';
import { callbacksOf, type RunOptions, readRunOptions, stepsOrAll } from './options.ts';
import type { Trainable } from './trainable.ts';

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
  model: Trainable,
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
    { operation, model, limit: steps, beside: { batchSize } },
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

/** Of samples, or of the batches that a dataset makes. */
export const evaluationOf = async (
  model: Trainable,
  source: Source,
  extent: Extent,
  place: Place | null,
): Promise<Evaluation | StreamEvaluation> =>
  isMade(source)
    ? new (await further()).StreamEvaluation(model, source)
    : Evaluation.of(model, source, extent, place!);
