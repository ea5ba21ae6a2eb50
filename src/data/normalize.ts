import { AxisError, ShapeError } from '../base/errors.ts';
import type { NdArray } from './nd-array.ts';

/**
 * Scales vectors along an axis to length 1: y = x / √Σx², as Keras's `normalize`; zero vectors stay zero.
 *
 * x: any shape → y: same shape, f32. `axis` is the last one unless given. (To bring bytes to 0 … 1, divide
 * by 255 instead.)
 *
 * ```ts
 * data.normalize({ data: [3, 4], shape: [1, 2] });   // 0.6, 0.8
 * ```
 */
export function normalize(x: { data: ArrayLike<number>; shape: number[] }, axis = -1): NdArray<Float32Array> {
  const { data, shape } = x;
  const rank = shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank) {
    throw new AxisError(`normalize: axis ${axis} of shape [${shape}], expected ${-rank} to ${rank - 1}.`);
  }
  const product = (sizes: number[]) => sizes.reduce((total, size) => total * size, 1);
  if (data.length !== product(shape)) {
    throw new ShapeError(`normalize: ${data.length} numbers do not fill the shape [${shape}].`);
  }
  const stride = product(shape.slice(at + 1));
  const length = shape[at];
  const y = new Float32Array(data.length);
  for (let first = 0; first < data.length; first++) {
    if (Math.floor(first / stride) % length !== 0) continue; // not the beginning of a vector
    let squares = 0;
    for (let k = 0; k < length; k++) squares += data[first + k * stride] ** 2;
    const norm = Math.sqrt(squares) || 1;
    for (let k = 0; k < length; k++) y[first + k * stride] = data[first + k * stride] / norm;
  }
  return { data: y, shape: [...shape] };
}
