/** A `data.Dataset` where x and y are due: rows of arrays stay where they are, and only their numbers move. */
import { ConfigError } from '../../base/errors.ts';
import type { Dataset, RowPlan } from '../../data/pipeline/dataset.ts';
import { isDataset } from '../../data/pipeline/is-dataset.ts';
import { camelCase } from '../names.ts';

export { isDataset };

/** x, y and weights of a pipeline's elements or batches. */
export interface Parts {
  readonly x: unknown;
  readonly y?: unknown;
  readonly sampleWeight?: unknown;
}

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
  const named = element as Parts;
  return typeof element === 'object' && element !== null && 'x' in element ? named : { x: element };
}

/** What a dataset leaves open is not for options to say. ConfigError where they try. */
export function refuseBeside(
  dataset: unknown,
  operation: string,
  beside: Readonly<Record<string, unknown>>,
): void {
  if (!isDataset(dataset)) return;
  for (const [name, value] of Object.entries(beside)) {
    if (value === undefined || value === null) continue;
    throw new ConfigError(
      `${operation}: ${name} beside a dataset. ${ADVICE[name] ?? 'Put it into the dataset.'}`,
    );
  }
}

/** An option as it was given, in either spelling; undefined where it was not. */
export const optionGiven = (options: object | null | undefined, name: string): unknown =>
  Object.entries(options ?? {}).find(([key]) => camelCase(key) === name)?.[1];

const ADVICE: Readonly<Record<string, string>> = {
  batchSize: 'Call batch(size) on the dataset.',
  validationBatchSize: 'Call batch(size) on the dataset.',
  validationSplit: 'Divide the dataset with take(n) and skip(n), and give the second as validationData.',
};

/** The plan of a pipeline of rows in batches, or null where its elements are made on the way. */
export function batchedPlan(dataset: Dataset, operation: string): (RowPlan & { batchSize: number }) | null {
  const plan = dataset.rowPlan;
  if (plan === null) return null;
  const { batchSize } = plan;
  if (batchSize !== null) return { ...plan, batchSize };
  throw new ConfigError(`${operation}: the dataset gives single rows. Call batch(size) on it.`);
}

/** Where options may follow a dataset at once: fit(dataset, options). */
export const optionsAfter = <T>(x: unknown, y: unknown, options: T | undefined): [unknown, T | undefined] =>
  isDataset(x) && options === undefined && isOptions(y) ? [undefined, y as T] : [y, options];

const isOptions = (y: unknown): boolean =>
  typeof y === 'object' && y !== null && Object.getPrototypeOf(y) === Object.prototype && !('data' in y);
