import { ValueError } from '../base/errors.ts';
import type { NdArray } from './nd-array.ts';

/**
 * One-hot rows: y[i, labels[i]] = 1, all else 0, as Keras's `to_categorical`.
 *
 * labels: [N] integers → y: [N, numClasses] f32; `numClasses` is the largest label + 1 unless given.
 * Throws ValueError with position and value of a label that is no integer from 0 to numClasses − 1.
 *
 * ```ts
 * data.toCategorical([0, 1, 0]);   // { data: [1, 0, 0, 1, 1, 0], shape: [3, 2] }
 * ```
 */
export function toCategorical(labels: ArrayLike<number>, numClasses?: number): NdArray<Float32Array> {
  let largest = -1;
  for (let i = 0; i < labels.length; i++) largest = Math.max(largest, labels[i]);
  const classes = numClasses ?? largest + 1;
  if (!Number.isInteger(classes) || classes < 0 || classes * labels.length >= 2 ** 32) {
    throw new ValueError(
      `toCategorical: ${classes} classes, expected a whole number, and fewer than 2^32 numbers in all.`,
    );
  }
  const data = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new ValueError(
        `toCategorical: label ${label} at position ${i}, expected an integer from 0 to ${classes - 1}.`,
      );
    }
    data[i * classes + label] = 1;
  }
  return { data, shape: [labels.length, classes] };
}
