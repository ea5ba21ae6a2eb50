/** Single elements to one batch. */

import { ShapeError } from '../../base/errors.ts';
import type { NdArray, NumberArray } from '../nd-array.ts';
import { isNdArray, isTyped } from './columns.ts';

/**
 * A batch of elements of one form: numbers and truth values become [n] f32, arrays are stacked to [n, …] in their
 * own element type, lists and objects are batched part by part, anything else stays a list.
 */
export function collate(elements: readonly unknown[]): unknown {
  const [first] = elements;
  if (typeof first === 'number' || typeof first === 'boolean') {
    return { data: Float32Array.from(elements as number[], Number), shape: [elements.length] };
  }
  if (isTyped(first)) {
    return stack((elements as NumberArray[]).map((data) => ({ data, shape: [data.length] })));
  }
  if (isNdArray(first)) return stack(elements as NdArray[]);
  if (Array.isArray(first)) {
    return first.map((_, i) => collate(elements.map((element) => part(element, i, first.length))));
  }
  if (typeof first === 'object' && first !== null && Object.getPrototypeOf(first) === Object.prototype) {
    const keys = Object.keys(first);
    return Object.fromEntries(
      keys.map((key) => [key, collate(elements.map((element) => part(element, key, keys.length)))]),
    );
  }
  return [...elements];
}

function part(element: unknown, key: string | number, count: number): unknown {
  if (typeof element === 'object' && element !== null && Object.hasOwn(element, key)) {
    if (Object.keys(element).length === count) return (element as Record<string | number, unknown>)[key];
  }
  throw new ShapeError('batch: elements have different forms; expected the same parts in each.');
}

function stack(arrays: readonly NdArray[]): NdArray {
  const { data, shape } = arrays[0];
  const stacked = new (data.constructor as new (length: number) => NumberArray)(arrays.length * data.length);
  arrays.forEach((array, i) => {
    if (!isNdArray(array) || String(array.shape) !== String(shape)) {
      throw new ShapeError(
        `batch: element ${i} has shape [${array?.shape}] and the first [${shape}]; expected the same of all.`,
      );
    }
    stacked.set(array.data, i * data.length);
  });
  return { data: stacked, shape: [arrays.length, ...shape] };
}
