/** What a model makes of samples: `model.predict`. */
import { tensor } from '../../ops/constant.ts';
import { gather, slice } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { further } from './door.ts';
import { throwIfAborted } from './epoch.ts';
import { placeOf, takeSource } from './feed/choose.ts';
import { isMade, type Samples } from './feed/samples.ts';
import { callbacksOf, type RunOptions, readRunOptions } from './options.ts';
import { OPERATION, Predictions, type Run, togetherOf, type Way } from './outputs.ts';
import type { Engine } from './steps.ts';
import type { Trainable } from './trainable.ts';

export interface PredictOptions extends RunOptions {
  /** Samples of a step; default 32, many of which are computed at once. The result does not depend on it. */
  batchSize?: number;
}

/** Steps are counted in batches of this size, as in Keras. */
const DEFAULT_BATCH = 32;

/** The outputs for all samples in one tensor each: [n, …]. */
export async function predictModel(model: Trainable, x: unknown, options?: PredictOptions): Promise<Tensor> {
  const settings = readRunOptions(OPERATION, options, {});
  const { batchSize, verbose, signal } = settings;
  throwIfAborted(signal, OPERATION);
  const callbacks = callbacksOf(model, settings);
  const byBatch = callbacks.listen('onPredictBatchBegin', 'onPredictBatchEnd');
  const run: Run = { model, callbacks, verbose, signal, single: byBatch || batchSize !== null };
  const samples = await takeSource({ x }, { operation: OPERATION, model, beside: { batchSize } });
  if (isMade(samples)) return (await further()).predictMade(samples, run);
  try {
    return await predictSamples(
      samples,
      samples.batchSize ?? batchSize ?? DEFAULT_BATCH,
      settings.stream,
      run,
    );
  } finally {
    samples.dispose();
  }
}

async function predictSamples(
  samples: Samples,
  batchSize: number,
  stream: boolean | null,
  { model, callbacks, verbose, signal, single }: Run,
): Promise<Tensor> {
  model.buildForData(samples.inputs);
  const { count } = samples;
  const steps = Math.ceil(count / batchSize);
  callbacks.begin(model, { verbose, epochs: 1, steps });
  const { engine, streamed } = (await placeOf(model, [samples], stream))!;
  const way =
    (streamed ? (await further()).streamedWay(model, samples, batchSize, engine) : null) ??
    residentWay(model, samples, batchSize, engine);
  const together = single ? 1 : way.together;
  const results = new Predictions(engine);
  try {
    await callbacks.call('onPredictBegin', {});
    for (let batch = 0; batch < steps; batch += together) {
      throwIfAborted(signal, OPERATION);
      await callbacks.call('onPredictBatchBegin', batch, {});
      const start = batch * batchSize;
      await results.add(way.predict(start, Math.min(together * batchSize, count - start)));
      await callbacks.call('onPredictBatchEnd', batch, {});
      await callbacks.call('onProgress', Math.min(batch + together, steps), {});
    }
    const whole = await results.whole();
    await callbacks.call('onPredictEnd', {});
    return model.given(whole);
  } finally {
    results.dispose();
    way.dispose();
  }
}

/** All rows are on the GPU. */
function residentWay(model: Trainable, samples: Samples, batchSize: number, engine: Engine): Way {
  const { inputs, start, count, order } = samples;
  const rows = order && tensor(order(0));
  const all = inputs.map((x) => (rows ? gather(x, rows) : rowsOf(x, start, count)));
  const step = model.predictStep(engine);
  return {
    // What is there already takes no room in a window.
    together: togetherOf(batchSize, 0, engine),
    async predict(first, count) {
      const parts = all.map((x) => rowsOf(x, first, count));
      try {
        return await step(...parts);
      } finally {
        for (const [i, part] of parts.entries()) if (part !== all[i]) part.dispose();
      }
    },
    dispose() {},
  };
}

/** `count` rows of x from `first` on. */
function rowsOf(x: Tensor, first: number, count: number): Tensor {
  if (count === x.shape[0]) return x;
  const rest = x.shape.slice(1);
  return slice(x, [first, ...rest.map(() => 0)], [count, ...rest]);
}
