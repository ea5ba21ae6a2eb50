/** How what is true and what is predicted are brought together before they are compared. */
import { ShapeError, ValueError } from '../base/errors.ts';
import { expandDims, squeeze } from '../ops/movement.ts';
import { mean } from '../ops/reduce.ts';
import { cast } from '../ops/select.ts';
import { type Shape, sameShape, show } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { tensorFrom } from './check.ts';

/**
 * Two tensors of one rank: where one has a last axis of size 1 more than the other, it goes, or the
 * other gets one too when that is [N] (Keras's `squeeze_or_expand_to_same_rank`).
 */
export function sameRank(a: Tensor, b: Tensor): [Tensor, Tensor] {
  if (a.rank === b.rank + 1 && a.shape[a.rank - 1] === 1)
    return b.rank === 1 ? [a, expandDims(b, -1)] : [squeeze(a, -1), b];
  if (b.rank === a.rank + 1 && b.shape[b.rank - 1] === 1)
    return a.rank === 1 ? [expandDims(a, -1), b] : [a, squeeze(b, -1)];
  return [a, b];
}

/** Both as f32 of one shape. ShapeError names both otherwise. */
export function paired(name: string, yTrue: Tensor, yPred: Tensor): [Tensor, Tensor] {
  const [t, p] = sameRank(yTrue, yPred);
  if (!sameShape(t.shape, p.shape))
    throw new ShapeError(
      `${name}: y has shape ${show(yTrue.shape)} and the predictions ${show(yPred.shape)}; expected the same shape.`,
    );
  return [cast(t, 'f32'), cast(p, 'f32')];
}

/** Class numbers as i32, one for each row of predictions: a last axis of size 1 goes. */
export function classNumbers(name: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const labels = isSparse(yTrue.shape, yPred.shape) && yTrue.rank === yPred.rank ? squeeze(yTrue, -1) : yTrue;
  const rows = yPred.shape.slice(0, -1);
  if (!sameShape(labels.shape, rows))
    throw new ShapeError(
      `${name}: y has shape ${show(yTrue.shape)}; predictions ${show(yPred.shape)} need class numbers of shape ${show(rows)}. For one-hot rows use the categorical form.`,
    );
  if (yTrue.host) refuseBadClasses(yTrue.host, yPred.shape[yPred.rank - 1], name);
  return cast(labels, 'i32');
}

/**
 * ValueError with the first number that is no class, and where it is. On the GPU a class outside would be
 * taken for none, and training would go on as if nothing had happened.
 */
export function refuseBadClasses(labels: ArrayLike<number>, classes: number, operation: string): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new ValueError(
      `${operation}: y[${i}] is ${label}; class numbers go from 0 to ${classes - 1}, since there are ${classes} outputs.`,
    );
  }
}

/** Whether y holds class numbers for rows of predictions, rather than rows itself. */
export const isSparse = (yTrue: Shape, yPred: Shape): boolean =>
  yTrue.length < yPred.length || (yTrue.at(-1) === 1 && (yPred.at(-1) ?? 1) > 1);

/** All axes but the first. */
export const innerAxes = (x: Tensor): number[] => Array.from({ length: x.rank - 1 }, (_, i) => i + 1);

/** Which of three fits: where there is one output, where y holds class numbers, where it holds rows. */
export const byShapes = <T>(yTrue: Shape, yPred: Shape, binary: T, sparse: T, categorical: T): T =>
  yPred.at(-1) === 1 ? binary : isSparse(yTrue, yPred) ? sparse : categorical;

/** Values for the samples of a batch: [N, …], or one number that stands for all of them. */
export function valuesFrom(result: unknown, name: string, predictions: Tensor): Tensor {
  const values = tensorFrom(result, name);
  const [count] = predictions.shape;
  if (values.rank === 0 || predictions.rank === 0 || values.shape[0] === count) return values;
  throw new ShapeError(
    `${name} gave values of shape ${show(values.shape)} for ${count} samples; expected [${count}], [${count}, …] or one number.`,
  );
}

/** Means over all axes but the first: one value for each sample. A scalar stays one. */
export const perSample = (values: Tensor): Tensor =>
  values.rank < 2 ? values : mean(values, innerAxes(values));
