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

interface Sliceable extends ArrayLike<number> {
  slice(from: number, to: number): ArrayLike<number>;
}

/** Trains in place. x: [N, I], labels and sampleWeight: [N]; after the last row comes the first again. */
export function train(
  layers: readonly Dense[],
  optimizer: Optimizer,
  x: Float64Array,
  labels: Sliceable,
  { batchSize, steps, sampleWeight }: { batchSize: number; steps: number; sampleWeight?: Sliceable },
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
      sampleWeight?.slice(from, to),
    );
    optimizer.apply(weightsOf(layers), gradients);
    trained.losses.push(loss);
    trained.accuracies.push(accuracy);
    trained.sizes.push(to - from);
    from = to === labels.length ? 0 : to;
  }
  return trained;
}

/** Σ size · value / Σ size over an epoch so far, after each step: what a callback is told. */
export function runningMeans(
  values: readonly number[],
  sizes: readonly number[],
  stepsPerEpoch: number,
): number[] {
  let sum = 0;
  let rows = 0;
  return values.map((value, step) => {
    if (step % stepsPerEpoch === 0) sum = rows = 0;
    sum += sizes[step] * value;
    rows += sizes[step];
    return sum / rows;
  });
}

/** The same at the end of each epoch: what a fit reports. */
export const epochMeans = (
  values: readonly number[],
  sizes: readonly number[],
  stepsPerEpoch: number,
): number[] =>
  runningMeans(values, sizes, stepsPerEpoch).filter((_, step) => (step + 1) % stepsPerEpoch === 0);
