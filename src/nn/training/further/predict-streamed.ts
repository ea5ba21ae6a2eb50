/** Predictions for samples that stay on the host. */
import { capture } from '../../../graph/capture.ts';
import { byteSize, typedArray } from '../../../ops/dtype.ts';
import type { Tensor } from '../../../ops/tensor.ts';
import { copyRows, hostRows } from '../feed/host-rows.ts';
import { onHost, type Samples } from '../feed/samples.ts';
import { OPERATION, togetherOf, type Way } from '../outputs.ts';
import type { Engine } from '../steps.ts';
import type { Trainable } from '../trainable.ts';

/** The host hands over the rows whose turn it is. Null where it does not have them. */
export function streamedWay(
  model: Trainable,
  samples: Samples,
  batchSize: number,
  engine: Engine,
): Way | null {
  const rows = samples.inputs.map(hostRows);
  if (!rows.every((one) => one !== null)) return null;
  const leaves = [...new Set(rows.flatMap((one) => one.leaves))];
  const data = leaves.map(({ host }) => host!);
  const order = samples.order?.(0) ?? null;
  const rowBytes = data.reduce((sum, { byteLength }, i) => sum + byteLength / leaves[i].shape[0], 0);
  const together = togetherOf(batchSize, rowBytes * batchSize, engine);
  const plain =
    leaves.length === samples.inputs.length && leaves.every((leaf, i) => leaf === samples.inputs[i]);
  // What is computed from the data on their way is a part of the step.
  const step = plain
    ? model.predictStep(engine)
    : capture(
        (...parts: Tensor[]) =>
          model.outputsFor(
            rows.map(({ batch }) => batch(parts[0].shape[0], (leaf) => parts[leaves.indexOf(leaf)])),
            false,
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
      return step(...parts);
    },
    dispose() {
      if (!plain) step.dispose();
    },
  };
}
