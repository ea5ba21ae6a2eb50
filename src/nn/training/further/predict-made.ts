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

  const predict = async (xs: readonly Tensor[], batches: number): Promise<void> => {
    await results!.add(model.predictStep(results!.engine)(...xs));
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
      const samples = await takeSamples({ x }, { operation: OPERATION, model });
      try {
        if (results === null) {
          model.buildForData(samples.inputs);
          results = new Predictions(await model.engineFor(samples.inputs[0]));
          const bytes = samples.inputs.reduce((sum, { dtype, size }) => sum + byteSize(dtype, size), 0);
          const most = togetherOf(samples.count, bytes, results.engine);
          const inTime = Math.floor(COLLECT_MS / Math.max(1, performance.now() - asked));
          if (!single) together = Math.max(1, Math.min(most, inTime));
          if (together > 1) collected = Collected.like(samples.inputs, together);
        }
        if (collected?.fits(samples.inputs)) {
          collected.add(samples.inputs);
          if (collected.batches === together) await flush();
        } else {
          await flush();
          await predict(samples.inputs, 1);
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
    return model.given(whole);
  } finally {
    results?.dispose();
  }
}

/** Batches of one form, side by side on the host. */
class Collected {
  batches = 0;
  private readonly like: readonly Tensor[];
  private readonly numbers: readonly TypedArray[];

  private constructor(like: readonly Tensor[], most: number) {
    this.like = like;
    this.numbers = like.map(({ dtype, size }) =>
      typedArray(dtype, new ArrayBuffer(byteSize(dtype, most * size)), most * size),
    );
  }

  /** Room for `batches` like this one; null where it is not on the host. */
  static like(inputs: readonly Tensor[], batches: number): Collected | null {
    return inputs.every(isPlain) ? new Collected(inputs, batches) : null;
  }

  fits(inputs: readonly Tensor[]): boolean {
    return inputs.every((x, i) => {
      const { dtype, shape } = this.like[i];
      return isPlain(x) && x.dtype === dtype && sameShape(x.shape, shape);
    });
  }

  add(inputs: readonly Tensor[]): void {
    for (const [i, { host, size }] of inputs.entries()) this.numbers[i].set(host!, this.batches * size);
    this.batches++;
  }

  take(): Tensor[] {
    const { batches } = this;
    return this.like.map(({ shape, dtype, size }, i) =>
      onHost(this.numbers[i].subarray(0, batches * size), [batches * shape[0], ...shape.slice(1)], dtype),
    );
  }

  clear(): void {
    this.batches = 0;
  }
}
