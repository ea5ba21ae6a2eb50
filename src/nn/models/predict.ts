/** What a model makes of samples: `model.predict`. */
import { type Captured, capture } from '../../graph/capture.ts';
import { leafRange, serial, settle } from '../../graph/runtime.ts';
import { tensor } from '../../ops/constant.ts';
import { byteSize } from '../../ops/dtype.ts';
import { gather, slice } from '../../ops/movement.ts';
import { Tensor } from '../../ops/tensor.ts';
import { type CallbackLike, CallbackList, resolveCallbacks } from '../callbacks/list.ts';
import { wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import type { Verbosity } from '../report/progress.ts';
import type { Model } from './model.ts';
import type { Predictor } from './objective.ts';
import { throwIfAborted } from './pass.ts';
import { optionGiven, partsOf, refuseBeside } from './pipeline.ts';
import { verbosity, withDefaults } from './run-options.ts';
import { type Samples, takeSamples } from './samples.ts';
import type { Engine } from './steps.ts';
import { type MadeBatches, takeMade } from './stream.ts';

export interface PredictOptions {
  /** Samples of a step; default 32, many of which are computed at once. The result does not depend on it. */
  batchSize?: number;
  /** 0 silent, 1 a progress line, 2 a line at the end; default 'auto': 1. */
  verbose?: Verbosity | 'auto';
  /** Callbacks, or objects with some of their functions. */
  callbacks?: CallbackLike | readonly CallbackLike[] | null;
  /** Stops between two steps; predict then rejects with AbortError. */
  signal?: AbortSignal | null;
}

export type PredictStep = Captured<readonly [Tensor], Tensor>;

export const predictStep = (model: Predictor, engine: Engine): PredictStep =>
  capture((x: Tensor) => model.call(x, { training: false }), { name: 'predict', engine });

/** Steps are counted in batches of this size, as in Keras … */
const DEFAULT_BATCH = 32;
/** … but so many of them go together when nobody asked for a size or listens to batches. */
const TOGETHER = 32;

/** The outputs for all samples in one tensor: [n, …]. */
export async function predictModel(model: Model, x: unknown, options?: PredictOptions): Promise<Tensor> {
  const operation = 'predict';
  const given = readOptions(operation, options, {
    batchSize: DEFAULT_BATCH,
    verbose: 'auto' as PredictOptions['verbose'],
    callbacks: null as PredictOptions['callbacks'],
    signal: null as AbortSignal | null,
  });
  const askedSize = wholeNumber(given.batchSize, operation, 'batchSize');
  refuseBeside(x, operation, { batchSize: optionGiven(options, 'batchSize') });
  const verbose = verbosity(given.verbose, operation);
  const own = resolveCallbacks(given.callbacks, operation);
  throwIfAborted(given.signal, operation);
  const callbacks = new CallbackList(withDefaults(own, verbose), model.inCallback);
  const made = await takeMade({ x }, operation);
  if (made) return predictMade(model, made, callbacks, verbose, given.signal);
  const samples = await takeSamples({ x }, { operation, inputShape: model.inputShape });
  const pieces: Tensor[] = [];
  try {
    model.buildFor([null, ...samples.x.shape.slice(1)]);
    const engine = await model.engineFor(samples.x);
    const rows = rowsOf(samples);
    const batchSize = samples.batchSize ?? askedSize;
    const step = model.predictStep(engine);
    const steps = Math.ceil(samples.count / batchSize);
    callbacks.begin(model, { verbose, epochs: 1, steps });
    const single =
      options?.batchSize !== undefined || callbacks.listen('onPredictBatchBegin', 'onPredictBatchEnd');
    const together = single ? 1 : TOGETHER;
    await callbacks.call('onPredictBegin', {});
    for (let batch = 0; batch < steps; batch += together) {
      throwIfAborted(given.signal, operation);
      await callbacks.call('onPredictBatchBegin', batch, {});
      pieces.push(await predictRows(step, rows, batch * batchSize, together * batchSize));
      // A few submits under way at most, so that a signal and the loss of the device are heard.
      if (pieces.length % 4 === 0) await engine.idle();
      await callbacks.call('onPredictBatchEnd', batch, {});
      await callbacks.call('onProgress', Math.min(batch + together, steps), {});
    }
    const whole = pieces.length === 1 ? pieces.pop()! : await assemble(pieces, samples.count, engine);
    await engine.idle();
    await callbacks.call('onPredictEnd', {});
    return whole;
  } finally {
    for (const piece of pieces) piece.dispose();
    samples.dispose();
  }
}

/** Batch by batch, as a dataset makes them. */
async function predictMade(
  model: Model,
  { dataset, stepCount: steps }: MadeBatches,
  callbacks: CallbackList,
  verbose: Verbosity,
  signal: AbortSignal | null,
): Promise<Tensor> {
  const operation = 'predict';
  const pieces: Tensor[] = [];
  let engine: Engine | null = null;
  callbacks.begin(model, { verbose, epochs: 1, steps });
  await callbacks.call('onPredictBegin', {});
  try {
    for await (const element of dataset.iterate(0)) {
      throwIfAborted(signal, operation);
      const batch = pieces.length;
      await callbacks.call('onPredictBatchBegin', batch, {});
      const { x } = partsOf(element, operation);
      const samples = await takeSamples({ x }, { operation, inputShape: model.inputShape });
      try {
        model.buildFor([null, ...samples.x.shape.slice(1)]);
        engine ??= await model.engineFor(samples.x);
        pieces.push(await model.predictStep(engine)(samples.x));
        await engine.idle();
      } finally {
        samples.dispose();
      }
      await callbacks.call('onPredictBatchEnd', batch, {});
      await callbacks.call('onProgress', Math.min(batch + 1, steps), {});
    }
    const count = pieces.reduce((sum, { shape }) => sum + shape[0], 0);
    const whole = pieces.length === 1 ? pieces.pop()! : await assemble(pieces, count, engine!);
    await engine!.idle();
    await callbacks.call('onPredictEnd', {});
    return whole;
  } finally {
    for (const piece of pieces) piece.dispose();
  }
}

/** The rows that are asked for: all, or those of a dataset's first pass. */
function rowsOf({ x, start, count, order }: Samples): Tensor {
  if (order) return gather(x, tensor(order(0)));
  if (count === x.shape[0]) return x;
  const rest = x.shape.slice(1);
  return slice(x, [start, ...rest.map(() => 0)], [count, ...rest]);
}

/** The outputs for `size` samples from `start` on. */
async function predictRows(step: PredictStep, x: Tensor, start: number, size: number): Promise<Tensor> {
  const rows = Math.min(size, x.shape[0] - start);
  if (rows === x.shape[0]) return step(x);
  const rest = x.shape.slice(1);
  const part = slice(x, [start, ...rest.map(() => 0)], [rows, ...rest]);
  try {
    return await step(part);
  } finally {
    part.dispose();
  }
}

/** Tensors [a, …], [b, …], … copied into one [a + b + …, …]. */
async function assemble(pieces: readonly Tensor[], count: number, engine: Engine): Promise<Tensor> {
  const [{ shape, dtype }] = pieces;
  const whole = new Tensor([count, ...shape.slice(1)], dtype, null, [], {}, engine);
  await serial(engine, async () => {
    const range = engine.allocate(byteSize(dtype, whole.size), 'predictions');
    settle(whole, engine, range);
    let { offset } = range;
    for (const piece of pieces) {
      const size = byteSize(dtype, piece.size);
      if (size > 0)
        engine.copy({ ...leafRange(piece, engine), size }, { buffer: range.buffer, offset, size });
      offset += size;
    }
  });
  return whole;
}
