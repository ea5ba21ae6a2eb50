/** Anything with rows: what can be split, shuffled and taken from along its first axis. */

import { ShapeError, ValueError } from '../base/errors.ts';
import type { LabelledImages } from './labelled-images.ts';
import type { NdArray, NumberArray } from './nd-array.ts';

export type Rows = LabelledImages | NdArray | NumberArray | readonly unknown[];

const isImages = (rows: Rows): rows is LabelledImages => 'images' in rows;
const isNdArray = (rows: Rows): rows is NdArray => 'shape' in rows;

/** The number of rows. */
export function rowCount(rows: Rows): number {
  if (isImages(rows)) return rows.count;
  if (isNdArray(rows)) return rows.shape[0];
  return rows.length;
}

/** The rows at the given places, in that order, as a copy of the same kind. */
export function take<T extends Rows>(rows: T, places: ArrayLike<number>): T;
export function take(rows: Rows, places: ArrayLike<number>): Rows {
  const count = rowCount(rows);
  for (let i = 0; i < places.length; i++) {
    if (!Number.isInteger(places[i]) || places[i] < 0 || places[i] >= count) {
      throw new ValueError(`take: place ${places[i]} at position ${i}, expected 0 to ${count - 1}.`);
    }
  }
  if (isImages(rows)) {
    const { height, width } = rows;
    return {
      images: takeFrom(rows.images, places, height * width),
      labels: takeFrom(rows.labels, places, 1),
      count: places.length,
      height,
      width,
    };
  }
  if (isNdArray(rows)) {
    const rest = rows.shape.slice(1);
    const size = rest.reduce((product, n) => product * n, 1);
    if (rows.data.length !== count * size) {
      throw new ShapeError(`take: ${rows.data.length} numbers do not fill the shape [${rows.shape}].`);
    }
    return { data: takeFrom(rows.data, places, size), shape: [places.length, ...rest] };
  }
  if (ArrayBuffer.isView(rows)) return takeFrom(rows as NumberArray, places, 1);
  return Array.from(places, (place) => rows[place]);
}

function takeFrom<T extends NumberArray>(data: T, places: ArrayLike<number>, size: number): T {
  const taken = new (data.constructor as new (length: number) => T)(places.length * size);
  for (let i = 0; i < places.length; i++) {
    const from = places[i] * size;
    if (size === 1) taken[i] = data[from];
    else taken.set(data.subarray(from, from + size), i * size);
  }
  return taken;
}
