import { ValueError } from '../base/errors.ts';
import type { NdArray } from './nd-array.ts';

/** Classes of samples: numbers, words or truth values, [n]. */
export type Labels = ArrayLike<number | string | boolean> | NdArray;

/** The samples of each class. */
export interface Classes {
  /** How many samples there are. */
  readonly count: number;
  /** The places of each class's samples, ascending; classes in the order that was asked for. */
  readonly places: readonly number[][];
}

/** Groups places by label: the classes sorted, as NumPy's `unique` does, or as they first appear. */
export function groupByLabel(labels: Labels, order: 'sorted' | 'appearance', operation: string): Classes {
  const values = 'shape' in labels ? flat(labels, operation) : labels;
  const groups = new Map<number | string | boolean, number[]>();
  for (let i = 0; i < values.length; i++) {
    const group = groups.get(values[i]);
    if (group) group.push(i);
    else groups.set(values[i], [i]);
  }
  const names = [...groups.keys()];
  if (order === 'sorted') names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { count: values.length, places: names.map((name) => groups.get(name)!) };
}

function flat({ data, shape }: NdArray, operation: string): ArrayLike<number> {
  if (shape.slice(1).every((size) => size === 1)) return data;
  throw new ValueError(
    `${operation}: labels have shape [${shape}], expected [n]: one class for each sample.`,
  );
}
