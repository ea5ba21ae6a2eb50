/**
 * How a fusable op says what one element of its result is.
 *
 * A fused kernel is grown backwards from the element it stores: `value(y, 'i')` asks y's op for the
 * WGSL of element i, which asks for the elements of its inputs that it needs, and so on down to
 * loads. Movement ops (reshape, transpose, slice, gather, broadcasting) only change the index.
 */
import type { DType } from './dtype.ts';
import { type Shape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface Expressions {
  /** The WGSL value of element `index` (a u32 expression) of `x`. */
  value(x: Tensor, index: string): string;
  /** Names an expression: emits `let v7 = …;` once and returns `v7`. */
  name(expression: string): string;
  /** A number that the host supplies: shapes and constants are data, so that kernels are shared. */
  uniform(value: number, type: 'u32' | 'i32' | 'f32'): string;
  /** ⌊index / divisor⌋ for an index expression. */
  divide(index: string, divisor: number): string;
  /** index mod divisor, an index expression again. */
  remainder(index: string, divisor: number): string;
  /** `start` + index, an index expression again; `start` is a u32 expression and a multiple of `multiple`. */
  advance(index: string, start: string, multiple: number): string;
  /** How many elements x has, where kernels that differ in that alone are to be one. */
  extent(x: Tensor): string;
  /** Σ term(l) over l = 0, 1, … `count` - 1, a number or a u32 expression, one after the other: a loop. */
  total(count: number | string, dtype: DType, term: (l: string) => string): string;
  /** Makes the functions of `shaders/lib/<library>.wgsl` available, or those whose text this is (shaders/functions.ts). */
  use(library: string): void;
}

/** WGSL literal zero / any small integer of a dtype's expression type. */
export function literal(value: number, dtype: DType): string {
  if (dtype === 'bool') return value ? 'true' : 'false';
  if (dtype === 'f32') return Number.isInteger(value) ? `${value}.0` : `${value}`;
  return dtype === 'i32' ? `${value}i` : `${value}u`;
}

/**
 * Element `index` of a row-major array of shape `from` read along `strides` (in elements, 0 repeats)
 * plus `offset`: the flat position in the source. A stride below 0 goes backwards, as u32 wraps. Neighbouring axes that step together are merged
 * first, so equal shapes cost nothing and a bias row costs one remainder.
 */
export function stridedIndex(
  e: Expressions,
  index: string,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): string {
  const axes: { size: number; stride: number }[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 1) continue;
    const last = axes.at(-1);
    if (last && last.stride === strides[i] * shape[i]) {
      last.size *= shape[i];
      last.stride = strides[i];
    } else axes.push({ size: shape[i], stride: strides[i] });
  }
  const terms: string[] = [];
  let rest = index;
  for (let i = axes.length - 1; i >= 0; i--) {
    const { size, stride } = axes[i];
    if (i === 0 && stride === 0) break;
    if (stride !== 0) {
      const coordinate = i === 0 ? rest : e.remainder(rest, size);
      terms.push(stride === 1 ? coordinate : `${coordinate} * ${e.uniform(stride >>> 0, 'u32')}`);
    }
    if (i > 0) rest = e.divide(rest, size);
  }
  if (offset !== 0) terms.push(e.uniform(offset, 'u32'));
  if (terms.length === 0) return '0u';
  return terms.length === 1 ? e.name(terms[0]) : e.name(terms.join(' + '));
}

/** The index into `from` of element `index` of the shape that it broadcasts to. */
export function broadcastIndex(e: Expressions, index: string, shape: Shape, from: Shape): string {
  if (sizeOf(from) === sizeOf(shape)) return index;
  const strides = new Array<number>(shape.length).fill(0);
  let stride = 1;
  for (let i = from.length - 1, o = shape.length - 1; i >= 0; i--, o--) {
    strides[o] = from[i] === 1 ? 0 : stride;
    stride *= from[i];
  }
  return stridedIndex(e, index, shape, strides);
}
