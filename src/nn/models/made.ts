/** Datasets that make their batches on the way, where samples are due. */
import { ConfigError, ValueError } from '../../base/errors.ts';
import type { Dataset } from '../../data/pipeline/dataset.ts';
import { isDataset } from './pipeline.ts';
import type { GivenSamples } from './samples.ts';

/** A dataset whose batches are made on the way. */
export interface MadeBatches {
  readonly dataset: Dataset;
  /** How many are wanted: of a pass, or at once; null where the dataset cannot say. */
  readonly stepCount: number | null;
  /** How many are wanted at once; null for all. */
  readonly limit: number | null;
  dispose(): void;
}

export const isMade = (source: object): source is MadeBatches => 'dataset' in source;

/** What is given for x, where it is such a dataset; null where it is not. `limit`: at most so many at once. */
export function takeMade({ x }: GivenSamples, operation: string, limit: number | null): MadeBatches | null {
  if (!isDataset(x) || x.rowPlan !== null) return null;
  const { cardinality } = x;
  if (cardinality === 0) throw noElements(operation);
  if (limit === null && cardinality === Infinity)
    throw new ConfigError(
      `${operation}: the dataset has no end. Call take(count) on it${STEPS[operation] ? `, or give ${STEPS[operation]}` : ''}.`,
    );
  const stepCount = limit === null ? cardinality : Math.min(limit, cardinality ?? limit);
  return { dataset: x, stepCount, limit, dispose: () => {} };
}

export const noElements = (operation: string): ValueError =>
  new ValueError(`${operation}: the dataset has no elements.`);

/** The option that says how much of a dataset is wanted at once. */
const STEPS: Readonly<Record<string, string>> = {
  fit: 'stepsPerEpoch',
  'fit: validationData': 'validationSteps',
  evaluate: 'steps',
};
