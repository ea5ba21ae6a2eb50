/** Mini-batch training of the float64 network, in file order. */
import { type Dense, lossAndGradients, weightsOf } from './network.ts';
import type { Optimizer } from './optimizers.ts';

export interface Trained {
  /** The loss of each step, before its update. */
  readonly losses: number[];
  readonly accuracies: number[];
  /** Rows of each step: the last batch of an epoch may be smaller. */
  readonly sizes: number[];
}

/** Trains in place. x: [N, I], labels: [N]; after the last row comes the first again. */
export function train(
  layers: readonly Dense[],
  optimizer: Optimizer,
  x: Float64Array,
  labels: ArrayLike<number> & { slice(from: number, to: number): ArrayLike<number> },
  { batchSize, steps }: { batchSize: number; steps: number },
): Trained {
  const { inputs } = layers[0];
  const trained: Trained = { losses: [], accuracies: [], sizes: [] };
  let from = 0;
  for (let step = 0; step < steps; step++) {
    const to = Math.min(from + batchSize, labels.length);
    const { loss, accuracy, gradients } = lossAndGradients(
      layers,
      x.subarray(from * inputs, to * inputs),
      labels.slice(from, to),
    );
    optimizer.apply(weightsOf(layers), gradients);
    trained.losses.push(loss);
    trained.accuracies.push(accuracy);
    trained.sizes.push(to - from);
    from = to === labels.length ? 0 : to;
  }
  return trained;
}

/** Σ size · value / Σ size, epoch by epoch: what a fit reports. */
export function epochMeans(
  values: readonly number[],
  sizes: readonly number[],
  stepsPerEpoch: number,
): number[] {
  const means: number[] = [];
  for (let from = 0; from < values.length; from += stepsPerEpoch) {
    let sum = 0;
    let rows = 0;
    for (let step = from; step < from + stepsPerEpoch; step++) {
      sum += sizes[step] * values[step];
      rows += sizes[step];
    }
    means.push(sum / rows);
  }
  return means;
}
