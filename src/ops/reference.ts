/** Float64 arrays and plain loops: the language in which every op's slow twin is written. */
import { broadcastShapes, type Shape, sizeOf, stridesOf } from './shape.ts';

export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export const ndarray = (
  shape: Shape,
  data: ArrayLike<number> = new Float64Array(sizeOf(shape)),
): NdArray => ({
  shape,
  data: Float64Array.from(data),
});

/** Calls `visit` with the multi-index and the flat index of every element, in order. */
export function forEachIndex(shape: Shape, visit: (index: readonly number[], flat: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The flat position in `x` of a multi-index of a shape that x broadcasts to. */
export function broadcastPosition(x: NdArray, index: readonly number[]): number {
  const strides = stridesOf(x.shape);
  const lead = index.length - x.shape.length;
  return strides.reduce((at, stride, i) => at + (x.shape[i] === 1 ? 0 : index[lead + i] * stride), 0);
}

/** f applied to one element of each input, with broadcasting. */
export function elementwise(f: (...x: number[]) => number, ...inputs: readonly NdArray[]): NdArray {
  const shape = inputs.reduce<Shape>((so, { shape }) => broadcastShapes(so, shape, 'reference'), []);
  const y = ndarray(shape);
  forEachIndex(shape, (index, flat) => {
    y.data[flat] = f(...inputs.map((x) => x.data[broadcastPosition(x, index)]));
  });
  return y;
}

/** A new array whose element at each multi-index is `f(index)`. */
export function build(shape: Shape, f: (index: readonly number[], flat: number) => number): NdArray {
  const y = ndarray(shape);
  forEachIndex(shape, (index, flat) => {
    y.data[flat] = f(index, flat);
  });
  return y;
}

/** x seen as [outer, length, inner] around `axes`, which must be neighbours; others go by transposing. */
export function at(x: NdArray, index: readonly number[]): number {
  const strides = stridesOf(x.shape);
  return x.data[index.reduce((sum, i, axis) => sum + i * strides[axis], 0)];
}
