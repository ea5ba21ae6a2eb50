/** What a model makes of samples: `model.predict`. */
import { type Captured, capture } from '../../graph/capture.ts';
import { tensor } from '../../ops/constant.ts';
import { byteSize, typedArray } from '../../ops/dtype.ts';
import { gather, slice } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { type CallbackLike, CallbackList, resolveCallbacks } from '../callbacks/list.ts';
import { wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import type { Verbosity } from '../report/progress.ts';
import { copyRows, type HostRows, hostRows, onHost } from './host-rows.ts';
import { takeMade } from './made.ts';
import type { Model } from './model.ts';
import { throwIfAborted } from './pass.ts';
import { optionGiven, refuseBeside } from './pipeline.ts';
import type { PredictStep } from './predict-step.ts';
import { OPERATION, Predictions, type Run, togetherOf } from './predictions.ts';
import { isStreamed } from './residency.ts';
import { streaming, verbosity, withDefaults } from './run-options.ts';
import { type Samples, takeSamples } from './samples.ts';
import type { Engine } from './steps.ts';

export interface PredictOptions {
  /** Samples of a step; default 32, many of which are computed at once. The result does not depend on it. */
  batchSize?: number;
  /** 0 silent, 1 a progress line, 2 a line at the end; default 'auto': 1. */
  verbose?: Verbosity | 'auto';
  /** Callbacks, or objects with some of their functions. */
  callbacks?: CallbackLike | readonly CallbackLike[] | null;
  /** Whether samples are streamed; default where they are large, as in fit. The result stays on the GPU. */
  stream?: boolean | null;
  /** Stops between two steps; predict then rejects with AbortError. */
  signal?: AbortSignal | null;
}

/** Steps are counted in batches of this size, as in Keras. */
const DEFAULT_BATCH = 32;

/** The outputs for all samples in one tensor: [n, …]. */
export async function predictModel(model: Model, x: unknown, options?: PredictOptions): Promise<Tensor> {
  const given = readOptions(OPERATION, options, {
    batchSize: DEFAULT_BATCH,
    verbose: 'auto' as PredictOptions['verbose'],
    callbacks: null as PredictOptions['callbacks'],
    stream: null as boolean | null,
    signal: null as AbortSignal | null,
  });
  const askedSize = wholeNumber(given.batchSize, OPERATION, 'batchSize');
  const askedBatch = optionGiven(options, 'batchSize');
  refuseBeside(x, OPERATION, { batchSize: askedBatch });
  const verbose = verbosity(given.verbose, OPERATION);
  const own = resolveCallbacks(given.callbacks, OPERATION);
  const stream = streaming(given.stream, OPERATION);
  throwIfAborted(given.signal, OPERATION);
  const callbacks = new CallbackList(withDefaults(own, verbose), model.inCallback);
  const byBatch = callbacks.listen('onPredictBatchBegin', 'onPredictBatchEnd');
  const single = byBatch || askedBatch !== undefined;
  const run: Run = { model, callbacks, verbose, signal: given.signal, single };
  const made = takeMade({ x }, OPERATION, null);
  if (made) {
    const { predictMade } = await import('./seldom.ts');
    return predictMade(made, run);
  }
  const samples = await takeSamples({ x }, { operation: OPERATION, inputShape: model.inputShape });
  try {
    return await predictSamples(samples, samples.batchSize ?? askedSize, stream, run);
  } finally {
    samples.dispose();
  }
}

/** Where rows come from, and how they go through the model. */
interface Way {
  /** Batches that go together. */
  readonly together: number;
  predict(start: number, count: number): Promise<Tensor>;
  dispose(): void;
}

async function predictSamples(
  samples: Samples,
  batchSize: number,
  stream: boolean | null,
  { model, callbacks, verbose, signal, single }: Run,
): Promise<Tensor> {
  model.buildFor([null, ...samples.x.shape.slice(1)]);
  const engine = await model.engineFor(samples.x);
  const { count } = samples;
  const steps = Math.ceil(count / batchSize);
  callbacks.begin(model, { verbose, epochs: 1, steps });
  const onHost = isStreamed([samples], engine, stream) ? hostRows(samples.x) : null;
  const way = onHost
    ? streamedWay(model, samples, onHost, batchSize, engine)
    : residentWay(model, samples, batchSize, engine);
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
    return whole;
  } finally {
    results.dispose();
    way.dispose();
  }
}

/** All rows are on the GPU. */
function residentWay(model: Model, samples: Samples, batchSize: number, engine: Engine): Way {
  const rows = rowsOf(samples);
  const step = model.predictStep(engine);
  return {
    // What is there already takes no room in a window.
    together: togetherOf(batchSize, 0, engine),
    predict: (start, count) => predictRows(step, rows, start, count),
    dispose() {},
  };
}

/** The host hands over the rows whose turn it is. */
function streamedWay(
  model: Model,
  samples: Samples,
  { leaves, batch }: HostRows,
  batchSize: number,
  engine: Engine,
): Way {
  const data = leaves.map(({ host }) => host!);
  const order = samples.order?.(0) ?? null;
  const rowBytes = data.reduce((sum, { byteLength }, i) => sum + byteLength / leaves[i].shape[0], 0);
  const together = togetherOf(batchSize, rowBytes * batchSize, engine);
  const plain = leaves.length === 1 && leaves[0] === samples.x;
  // What is computed from the data on their way is a part of the step.
  const step = plain
    ? model.predictStep(engine)
    : capture(
        (...parts: Tensor[]) =>
          model.call(
            batch(parts[0].shape[0], (leaf) => parts[leaves.indexOf(leaf)]),
            { training: false },
          ),
        { name: OPERATION, engine },
      );
  const staging = leaves.map(({ size, shape, dtype }) => {
    const most = Math.min(together * batchSize, samples.count) * (size / shape[0]);
    return typedArray(dtype, new ArrayBuffer(byteSize(dtype, most)), most);
  });
  return {
    together,
    predict(start, count) {
      const parts = leaves.map(({ size, shape, dtype }, i) => {
        const rowSize = size / shape[0];
        copyRows(data[i], staging[i], rowSize, { order, first: samples.start + start, count });
        return onHost(staging[i].subarray(0, count * rowSize), [count, ...shape.slice(1)], dtype);
      });
      return (step as Captured<readonly Tensor[], Tensor>)(...parts);
    },
    dispose() {
      if (!plain) step.dispose();
    },
  };
}

/** The rows that are asked for: all, or those of a dataset's first pass. */
function rowsOf({ x, start, count, order }: Samples): Tensor {
  if (order) return gather(x, tensor(order(0)));
  if (count === x.shape[0]) return x;
  const rest = x.shape.slice(1);
  return slice(x, [start, ...rest.map(() => 0)], [count, ...rest]);
}

/** The outputs for `rows` samples from `start` on. */
async function predictRows(step: PredictStep, x: Tensor, start: number, rows: number): Promise<Tensor> {
  if (rows === x.shape[0]) return step(x);
  const rest = x.shape.slice(1);
  const part = slice(x, [start, ...rest.map(() => 0)], [rows, ...rest]);
  try {
    return await step(part);
  } finally {
    part.dispose();
  }
}
