/** Axes as layers take them: counted from the end where they are negative; axis 0 is that of the samples. */
import { ValueError } from '../../base/errors.ts';
import { wholeFrom } from '../check.ts';
import type { Layer } from './layer.ts';

const anyWhole = wholeFrom(Number.NEGATIVE_INFINITY);

/** Reads one axis; a list of one, which tf.keras 2 writes, is one as well. */
export const oneAxis = (given: unknown, operation: string, name: string): number =>
  anyWhole(Array.isArray(given) && given.length === 1 ? given[0] : given, operation, name);

/** Reads one axis or a list of them. */
export const someAxes = (given: unknown, operation: string, name: string): number | readonly number[] =>
  Array.isArray(given)
    ? given.map((axis, i) => anyWhole(axis, operation, `${name}[${i}]`))
    : anyWhole(given, operation, name);

/** An axis of values with `rank` axes; ValueError for that of the samples and for one that is not there. */
export function axisOf(layer: Layer, axis: number, rank: number): number {
  const place = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && place > 0 && place < rank) return place;
  throw new ValueError(
    `${layer.name}: axis ${axis} of ${rank} axes is ${place === 0 ? 'that of the samples' : 'not there'}; expected 1 to ${rank - 1}, or -1 to ${1 - rank}.`,
  );
}

/** The same of several, in order, each once. */
export const axesOf = (layer: Layer, axes: number | readonly number[], rank: number): number[] =>
  [...new Set([axes].flat().map((axis) => axisOf(layer, axis, rank)))].sort((a, b) => a - b);
