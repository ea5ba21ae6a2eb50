/** A number, or arrays of arrays of numbers. */
export type NestedArray = number | NestedArray[];

/** A flat row-major array as nested arrays of a shape. */
export function nest(data: ArrayLike<number>, shape: readonly number[]): NestedArray {
  let level: NestedArray[] = Array.from(data);
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const size = shape[axis];
    const groups = shape.slice(0, axis).reduce((product, extent) => product * extent, 1);
    level = Array.from({ length: groups }, (_, i) => level.slice(i * size, (i + 1) * size));
  }
  return shape.length === 0 ? level[0] : level;
}
