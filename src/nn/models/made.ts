/** Datasets that make their batches on the way, where samples are due. */
import { ConfigError, ValueError } from '../../base/errors.ts';
import type { Dataset } from '../../data/pipeline/dataset.ts';
import { isDataset } from './pipeline.ts';
import type { GivenSamples } from './samples.ts';

/** A dataset whose batches are made on the way, and how many a pass has. */
export interface MadeBatches {
  readonly dataset: Dataset;
  readonly stepCount: number;
  /** How many of them are wanted at once; null for all. */
  readonly limit: number | null;
  dispose(): void;
}

export const isMade = (source: object): source is MadeBatches => 'dataset' in source;

/** What is given for x, where it is such a dataset; null where it is not. `steps`: at most so many at once. */
export async function takeMade(
  { x }: GivenSamples,
  operation: string,
  steps: number | null,
): Promise<MadeBatches | null> {
  if (!isDataset(x) || x.rowPlan !== null) return null;
  const stepCount =
    steps === null ? await countBatches(x, operation) : Math.min(steps, x.cardinality ?? Infinity);
  if (stepCount === 0) throw new ValueError(`${operation}: the dataset has no elements.`);
  return { dataset: x, stepCount, limit: steps, dispose: () => {} };
}

/** Counted by a pass of its own where the dataset cannot say. */
async function countBatches(dataset: Dataset, operation: string): Promise<number> {
  const { cardinality } = dataset;
  if (cardinality === Infinity)
    throw new ConfigError(
      `${operation}: the dataset has no end. Call take(count) on it${STEPS[operation] ? `, or give ${STEPS[operation]}` : ''}.`,
    );
  let count = cardinality ?? 0;
  if (cardinality === null) for await (const _ of dataset.iterate(0)) count++;
  return count;
}

/** The option that says how much of a dataset is wanted at once. */
const STEPS: Readonly<Record<string, string>> = {
  fit: 'stepsPerEpoch',
  'fit: validationData': 'validationSteps',
  evaluate: 'steps',
};
