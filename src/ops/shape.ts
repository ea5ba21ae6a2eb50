import { AxisError, ShapeError, ValueError } from '../base/errors.ts';

export type Shape = readonly number[];

/** Number of elements: the product of the sizes; 1 for a scalar's []. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** `[32, 784]`, as every message prints a shape. */
export const show = (shape: Shape): string => `[${shape.join(', ')}]`;

/** A size must be a whole number from 0 to 2^53 - 1. */
export function checkShape(shape: unknown, operation: string): number[] {
  if (!Array.isArray(shape))
    throw new ShapeError(`${operation}: shape is ${String(shape)}; expected an array of sizes.`);
  for (const [i, size] of shape.entries())
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw new ShapeError(
        `${operation}: shape[${i}] is ${String(size)}; a size is a whole number, 0 or more.`,
      );
  if (!Number.isSafeInteger(sizeOf(shape)))
    throw new ShapeError(`${operation}: shape ${show(shape)} has more than 2^53 elements.`);
  return [...shape];
}

/** The shape that two shapes broadcast to (NumPy's rule: align right, sizes equal or 1). */
export function broadcastShapes(a: Shape, b: Shape, operation: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${operation}: shapes ${show(a)} and ${show(b)} do not broadcast: sizes ${x} and ${y} differ and neither is 1.`,
      );
    return x === 1 ? y : x;
  });
}

/** The axes of the broadcast `shape` along which an operand of shape `from` was repeated. */
export function broadcastAxes(from: Shape, shape: Shape): number[] {
  const lead = shape.length - from.length;
  return shape.flatMap((size, i) => (i < lead || (from[i - lead] === 1 && size !== 1) ? [i] : []));
}

/** One axis, counted from the end when negative. */
export function normalizeAxis(axis: number, rank: number, operation: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new AxisError(
      `${operation}: axis is ${String(axis)}; expected a whole number from ${-rank} to ${rank - 1} for rank ${rank}.`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** Several axes, sorted; undefined or null means all of them. Repeats are an error. */
export function normalizeAxes(
  axes: number | readonly number[] | null | undefined,
  rank: number,
  operation: string,
): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axes !== 'number' && !Array.isArray(axes))
    throw new AxisError(
      `${operation}: axis is ${String(axes)}; expected a number, an array of numbers, or nothing for all.`,
    );
  const list = (typeof axes === 'number' ? [axes] : [...axes]).map((axis) =>
    normalizeAxis(axis, rank, operation),
  );
  if (new Set(list).size !== list.length)
    throw new AxisError(`${operation}: axes ${show(list)} name one axis twice.`);
  return list.sort((a, b) => a - b);
}

/** The shape that remains when `axes` are reduced. */
export const reducedShape = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));

/** A shape as [outer, length, inner] around an axis, or the axes from `first` to `last`. */
export const around = (shape: Shape, first: number, last = first) => ({
  outer: sizeOf(shape.slice(0, first)),
  length: sizeOf(shape.slice(first, last + 1)),
  inner: sizeOf(shape.slice(last + 1)),
});

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** A positive whole number, or a ValueError that names the argument. */
export function checkCount(value: unknown, argument: string, least = 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
    throw new ValueError(`${argument} is ${String(value)}; expected a whole number, ${least} or more.`);
  return value;
}
