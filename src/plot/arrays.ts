/** The arrays that pictures are made of, however they are given. */

import { ShapeError, ValueError } from '../base/errors.ts';
import type { NestedArray } from '../base/nested.ts';

/** Numbers with a shape: `{ data, shape }`, or nested arrays as `await tensor.array()` gives them. */
export type ArrayGiven =
  | { readonly data: ArrayLike<number>; readonly shape: readonly number[] }
  | ArrayLike<number>
  | readonly NestedArray[]
  | readonly ArrayLike<number>[];

export interface Numbers {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** Reads numbers with a shape; ShapeError for ragged ones, ValueError for what holds none. */
export function readNumbers(given: unknown, operation: string): Numbers {
  if (ArrayBuffer.isView(given)) {
    const data = given as unknown as ArrayLike<number>;
    return { data, shape: [data.length] };
  }
  if (Array.isArray(given)) return flattened(given, operation);
  if (typeof given === 'object' && given !== null && 'data' in given && 'shape' in given) {
    const { data, shape } = given as Numbers;
    if (typeof data !== 'function' && typeof data?.length === 'number') {
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (data.length === size) return { data, shape };
      throw new ShapeError(`${operation}: ${data.length} numbers do not fill the shape [${shape}].`);
    }
    throw new ValueError(`${operation}: a tensor's numbers may be on the GPU. Give \`await x.array()\`.`);
  }
  throw new ValueError(`${operation}: ${given} is no array. Give nested arrays or { data, shape }.`);
}

function flattened(given: readonly unknown[], operation: string): Numbers {
  const shape: number[] = [];
  for (let level: unknown = given; isList(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const data: number[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (!isList(value)) {
      if (depth === shape.length && typeof value === 'number') data.push(value);
      else throw new ValueError(`${operation}: found ${describe(value)}, expected numbers.`);
    } else if (value.length !== shape[depth]) {
      throw new ShapeError(
        `${operation}: rows of ${shape[depth] ?? 'one number'} and of ${value.length}; expected all the same.`,
      );
    } else {
      for (let i = 0; i < value.length; i++) visit(value[i], depth + 1);
    }
  };
  visit(given, 0);
  return { data, shape };
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);

const describe = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);

/** A whole number of at least 1, or ValueError. */
export function positive(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ValueError(`${name} is ${describe(value)}, expected a whole number from 1.`);
}
