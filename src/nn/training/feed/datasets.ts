/**
 * A `data.Dataset` where samples are due. Where it only deals out rows of arrays, these stay where they are and only
 * their numbers move; other datasets make their batches on the way.
 */
import { ConfigError, ValueError } from '../../../base/errors.ts';
import type { Dataset } from '../../../data/pipeline/dataset.ts';
import { type GivenSamples, type MadeBatches, type Purpose, type Source, takeSamples } from './samples.ts';

/** x, y and weights of a pipeline's elements or batches. */
export interface Parts {
  readonly x: unknown;
  readonly y?: unknown;
  readonly sampleWeight?: unknown;
}

/** What a dataset given for x comes to. */
export async function takeDataset(
  dataset: Dataset,
  { y, sampleWeight, classWeight }: GivenSamples,
  purpose: Purpose,
): Promise<Source> {
  const { operation, beside } = purpose;
  refuseBeside(operation, { ...beside, y, sampleWeight });
  const { rowPlan } = dataset;
  if (rowPlan === null) return takeMade(dataset, purpose);
  const { columns, count, start, batchSize } = rowPlan;
  if (batchSize === null)
    throw new ConfigError(`${operation}: the dataset gives single rows. Call batch(size) on it.`);
  if (count === 0) throw noElements(operation);
  const samples = await takeSamples({ ...partsOf(columns, operation), classWeight }, purpose);
  return start === null
    ? { ...samples, count, batchSize, order: (pass) => asInt32(rowPlan.order(pass)) }
    : { ...samples, count, batchSize, start };
}

/** Row numbers are far below 2³¹. */
const asInt32 = ({ buffer, byteOffset, length }: Uint32Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

function takeMade(dataset: Dataset, { operation, limit = null }: Purpose): MadeBatches {
  const { cardinality } = dataset;
  if (cardinality === 0) throw noElements(operation);
  if (limit === null && cardinality === Infinity)
    throw new ConfigError(
      `${operation}: the dataset has no end. Call take(count) on it${STEPS[operation] ? `, or give ${STEPS[operation]}` : ''}.`,
    );
  const stepCount = limit === null ? cardinality : Math.min(limit, cardinality ?? limit);
  return { dataset, stepCount, limit, dispose() {} };
}

export const noElements = (operation: string): ValueError =>
  new ValueError(`${operation}: the dataset has no elements.`);

/** The option that says how much of a dataset is wanted at once. */
const STEPS: Readonly<Record<string, string>> = {
  fit: 'stepsPerEpoch',
  'fit: validationData': 'validationSteps',
  evaluate: 'steps',
};

/** Elements are x, [x, y], [x, y, weights] or { x, y, sampleWeight }. */
export function partsOf(element: unknown, operation: string): Parts {
  if (Array.isArray(element)) {
    if (element.length >= 1 && element.length <= 3) {
      const [x, y, sampleWeight] = element;
      return { x, y, sampleWeight };
    }
    throw new ConfigError(
      `${operation}: the dataset's elements have ${element.length} parts; expected [x, y] or [x, y, sampleWeight].`,
    );
  }
  if (typeof element !== 'object' || element === null || Object.getPrototypeOf(element) !== Object.prototype)
    return { x: element };
  if ('x' in element) return element as Parts;
  if ('data' in element) return { x: element };
  throw new ConfigError(
    `${operation}: the dataset's elements are objects with ${Object.keys(element).join(', ') || 'no keys'}; expected [x, y], [x, y, sampleWeight] or { x, y, sampleWeight }. Bring them into that form with map.`,
  );
}

/** What a dataset leaves open is not for options to say: ConfigError where they are given. */
function refuseBeside(operation: string, beside: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(beside)) {
    if (value === undefined || value === null) continue;
    throw new ConfigError(
      `${operation}: ${name} beside a dataset. ${ADVICE[name] ?? 'Put it into the dataset.'}`,
    );
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  batchSize: 'Call batch(size) on the dataset.',
  validationBatchSize: 'Call batch(size) on the dataset.',
  validationSplit: 'Divide the dataset with take(n) and skip(n), and give the second as validationData.',
};
