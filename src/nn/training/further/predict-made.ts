/** Predictions for the batches that a dataset makes on the way. */
import { byteSize, type TypedArray, typedArray } from '../../../ops/dtype.ts';
import { sameShape } from '../../../ops/shape.ts';
import type { Tensor } from '../../../ops/tensor.ts';
import { throwIfAborted } from '../epoch.ts';
import { noElements, partsOf } from '../feed/datasets.ts';
import { isPlain } from '../feed/host-rows.ts';
import { type MadeBatches, onHost, takeSamples } from '../feed/samples.ts';
import { OPERATION, Predictions, type Run, togetherOf } from '../outputs.ts';

/** Fewer batches go together where a dataset takes longer than this to make them, milliseconds. */
const COLLECT_MS = 250;

/** As a dataset makes its batches: those of one form are collected, others go alone. */
export async function predictMade(
  { dataset, stepCount }: MadeBatches,
  { model, callbacks, verbose, signal, single }: Run,
): Promise<Tensor> {
  let done = 0;
  let over = false;
  callbacks.begin(model, {
    verbose,
    epochs: 1,
    get steps() {
      return stepCount ?? (over ? done : null);
    },
  });
  await callbacks.call('onPredictBegin', {});
  let results: Predictions | null = null;
  let together = 1;
  let collected: Collected | null = null;

  const predict = async (x: Tensor, batches: number): Promise<void> => {
    await results!.add(model.predictStep(results!.engine)(x));
    done += batches;
    await callbacks.call('onPredictBatchEnd', done - 1, {});
    await callbacks.call('onProgress', done, {});
  };
  const flush = async (): Promise<void> => {
    if (collected && collected.batches > 0) await predict(collected.take(), collected.batches);
    collected?.clear();
  };
  try {
    let asked = performance.now();
    for await (const element of dataset.iterate(0)) {
      throwIfAborted(signal, OPERATION);
      if (single) await callbacks.call('onPredictBatchBegin', done, {});
      const { x } = partsOf(element, OPERATION);
      const samples = await takeSamples({ x }, { operation: OPERATION, inputShape: model.inputShape });
      try {
        if (results === null) {
          model.buildFor([null, ...samples.inputs[0].shape.slice(1)]);
          results = new Predictions(await model.engineFor(samples.inputs[0]));
          const { shape, dtype, size } = samples.inputs[0];
          const most = togetherOf(shape[0], byteSize(dtype, size), results.engine);
          const inTime = Math.floor(COLLECT_MS / Math.max(1, performance.now() - asked));
          if (!single) together = Math.max(1, Math.min(most, inTime));
          if (together > 1) collected = Collected.like(samples.inputs[0], together);
        }
        if (collected?.fits(samples.inputs[0])) {
          collected.add(samples.inputs[0]);
          if (collected.batches === together) await flush();
        } else {
          await flush();
          await predict(samples.inputs[0], 1);
        }
      } finally {
        samples.dispose();
      }
      asked = performance.now();
    }
    await flush();
    if (results === null) throw noElements(OPERATION);
    over = true;
    const whole = await results.whole();
    await callbacks.call('onPredictEnd', {});
    return whole;
  } finally {
    results?.dispose();
  }
}

/** Batches of one form, side by side on the host. */
class Collected {
  batches = 0;
  private readonly like: Tensor;
  private readonly numbers: TypedArray;
  private size = 0;

  private constructor(like: Tensor, most: number) {
    this.like = like;
    this.numbers = typedArray(like.dtype, new ArrayBuffer(byteSize(like.dtype, most)), most);
  }

  /** Room for `batches` like this one; null where it is not on the host. */
  static like(x: Tensor, batches: number): Collected | null {
    return isPlain(x) ? new Collected(x, batches * x.size) : null;
  }

  fits(x: Tensor): boolean {
    return isPlain(x) && x.dtype === this.like.dtype && sameShape(x.shape, this.like.shape);
  }

  add(x: Tensor): void {
    this.numbers.set(x.host!, this.size);
    this.size += x.size;
    this.batches++;
  }

  take(): Tensor {
    const { shape, dtype } = this.like;
    return onHost(this.numbers.subarray(0, this.size), [this.batches * shape[0], ...shape.slice(1)], dtype);
  }

  clear(): void {
    this.size = 0;
    this.batches = 0;
  }
}
