import { DTypeError } from '../base/errors.ts';

/** Element types. `bool` is stored as a u32 of 0 or 1; `u8` is packed four to a word and is data only. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'u8';

/** How elements lie in memory. `f16` exists inside plans only: what `half` makes of f32 where the adapter can. */
export type StoredDType = DType | 'f16';

export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Keras, NumPy and TensorFlow.js names that mean the same. */
const aliases: Record<string, DType> = {
  f32: 'f32',
  float32: 'f32',
  float: 'f32',
  i32: 'i32',
  int32: 'i32',
  int: 'i32',
  u32: 'u32',
  uint32: 'u32',
  bool: 'bool',
  boolean: 'bool',
  u8: 'u8',
  uint8: 'u8',
};

/** The dtype that a name stands for; DTypeError for an unknown one. */
export function parseDType(name: string, operation: string): DType {
  if (typeof name === 'string' && Object.hasOwn(aliases, name)) return aliases[name];
  throw new DTypeError(
    `${operation}: dtype is ${JSON.stringify(name)}; known are ${Object.keys(aliases).join(', ')}.`,
  );
}

/** The WGSL type of one element inside an expression. A byte is read as a u32. */
export const wgslType = (dtype: DType): 'f32' | 'i32' | 'u32' | 'bool' => (dtype === 'u8' ? 'u32' : dtype);

/** The WGSL type of one element in a storage buffer, where bool and u8 are words. */
export const storageType = (dtype: StoredDType): 'f32' | 'f16' | 'i32' | 'u32' =>
  dtype === 'bool' || dtype === 'u8' ? 'u32' : dtype;

const ELEMENT_BYTES: Record<StoredDType, number> = { f32: 4, f16: 2, i32: 4, u32: 4, bool: 4, u8: 1 };

/** Bytes that `size` elements take: whole words, before any padding. */
export const byteSize = (dtype: StoredDType, size: number): number =>
  Math.ceil((size * ELEMENT_BYTES[dtype]) / 4) * 4;

/** What the elements of each dtype are in JavaScript: the arrays that `data()` gives. */
export const arrays = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint32Array,
  u8: Uint8Array,
} as const;

/** The first `size` elements of a buffer. */
export const typedArray = (dtype: DType, buffer: ArrayBuffer, size: number): TypedArray =>
  new arrays[dtype](buffer, 0, size);

const rank: Record<DType, number> = { bool: 0, u8: 1, u32: 2, i32: 3, f32: 4 };

/**
 * The one promotion table: the wider of two dtypes wins, in the order bool < u8 < u32 < i32 < f32.
 * Arithmetic on bool or u8 happens in i32, so that `true + true` is 2 and 3 - 5 is -2.
 */
export function promote(a: DType, b: DType, arithmetic = false): DType {
  const wide = rank[a] >= rank[b] ? a : b;
  return arithmetic && rank[wide] < rank.u32 ? 'i32' : wide;
}
