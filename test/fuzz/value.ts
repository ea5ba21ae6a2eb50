/** Arrays of the walk's numbers, and the index arithmetic of shapes. Imports nothing of Weft. */
import { type Num, num } from './number.ts';

export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'u8';
export type Shape = readonly number[];

export interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: readonly Num[];
}

/** A statement that makes no sense for these operands; a draw then tries another, a shrunk program is dropped. */
export class Misfit extends Error {}

export function must(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Misfit(why);
}

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
export const isSame = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** f(multi-index) for every element of a shape, in order. */
export function each<T>(shape: Shape, f: (index: readonly number[], flat: number) => T): T[] {
  const index = new Array<number>(shape.length).fill(0);
  return Array.from({ length: sizeOf(shape) }, (_, flat) => {
    const one = f(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
    return one;
  });
}

/** The element at a multi-index of a shape that x broadcasts to. */
export function pick(x: Value, index: readonly number[]): Num {
  const lead = index.length - x.shape.length;
  let at = 0;
  for (let axis = 0; axis < x.shape.length; axis++)
    at = at * x.shape[axis] + (x.shape[axis] === 1 ? 0 : index[lead + axis]);
  return x.data[at];
}

export function broadcast(...shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[i - rank + shape.length] ?? 1;
      if (own === 1 || own === size) continue;
      must(size === 1, `shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
      size = own;
    }
    return size;
  });
}

/** The elements of every line along some axes, for each position of the others. */
export function lines(x: Value, axes: readonly number[]): Num[][] {
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const strides = stridesOf(kept);
  const found: Num[][] = Array.from({ length: sizeOf(kept) }, () => []);
  each(x.shape, (index, flat) => {
    let at = 0;
    for (let axis = 0; axis < kept.length; axis++) if (kept[axis] !== 1) at += index[axis] * strides[axis];
    found[at].push(x.data[flat]);
  });
  return found;
}

const rank: Record<DType, number> = { bool: 0, u8: 1, u32: 2, i32: 3, f32: 4 };

/** The wider of two dtypes; arithmetic on truth values and bytes happens in i32. */
export function promote(a: DType, b: DType, arithmetic: boolean): DType {
  const wide = rank[a] >= rank[b] ? a : b;
  return arithmetic && rank[wide] < rank.u32 ? 'i32' : wide;
}

const range: Record<DType, readonly [number, number]> = {
  f32: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  bool: [0, 1],
  u8: [0, 255],
};

/** Whole numbers, which have no past; Misfit where the dtype cannot hold them. */
export function whole(shape: Shape, dtype: DType, values: readonly number[]): Value {
  const [low, high] = range[dtype];
  for (const v of values) must(Number.isInteger(v) && v >= low && v <= high, `${v} is no ${dtype}`);
  return { shape, dtype, data: values.map(num) };
}

/** x as another dtype. */
export function converted(x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  const values = x.data.map(({ v }) => v);
  if (dtype === 'f32') return { shape: x.shape, dtype, data: values.map(num) };
  if (dtype === 'bool')
    return whole(
      x.shape,
      dtype,
      values.map((v) => Number(v !== 0)),
    );
  return whole(
    x.shape,
    dtype,
    values.map((v) => (Number.isNaN(v) ? 0 : Math.trunc(v) + 0)),
  );
}
