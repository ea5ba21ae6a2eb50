/** Numbers of a weight as files hold them, and how they are measured against what a model needs. */
import { FormatError } from '../../base/errors.ts';

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Number of values of a shape from a file; FormatError unless it is a shape that memory could hold. */
export function checkedSize(shape: readonly unknown[], where: string): number {
  let size = 1;
  for (const one of shape) {
    if (typeof one !== 'number' || !Number.isSafeInteger(one) || one < 0)
      throw new FormatError(`${where}: shape is [${shape.join(', ')}]; expected whole numbers.`);
    size *= one;
  }
  if (size > 2 ** 32) throw new FormatError(`${where}: shape [${shape.join(', ')}] is beyond any memory.`);
  return size;
}

/** Any kind of numbers as f32 or i32. Doubles are rounded; integers beyond 32 bits are refused. */
export function narrowed(data: unknown, where: string): Float32Array | Int32Array {
  if (data instanceof Float32Array || data instanceof Int32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    if (data.some((x) => BigInt.asIntN(32, x) !== x))
      throw new FormatError(`${where}: holds integers that need more than 32 bits.`);
    return Int32Array.from(data as BigInt64Array, Number);
  }
  if (
    data instanceof Int8Array ||
    data instanceof Uint8Array ||
    data instanceof Int16Array ||
    data instanceof Uint16Array
  )
    return Int32Array.from(data);
  throw new FormatError(`${where}: holds neither float32 or float64 nor integers.`);
}
