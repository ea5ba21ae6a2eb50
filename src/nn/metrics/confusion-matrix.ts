import { ValueError } from '../../base/errors.ts';
import { type TensorLike, toTensor } from '../../ops/constant.ts';
import { matmul } from '../../ops/matmul.ts';
import { oneHot } from '../../ops/movement.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { refuseBadClasses } from '../targets.ts';

export interface ConfusionMatrixOptions {
  /** How many classes there are; default: the number of scores, or one more than the highest class. */
  numClasses?: number | null;
  /** What each sample counts; default 1. */
  weights?: TensorLike | null;
}

/**
 * How often each class is taken for which: row i, column j counts the samples of class i that were predicted
 * as j.
 *
 * y: [n] class numbers or [n, classes] one-hot; predictions: the same, or [n, classes] scores. → [classes, classes]
 *
 * ValueError for class numbers that are none.
 *
 * ```ts
 * const matrix = await confusionMatrix(labels, await model.predict(images));
 * plot.confusion(await matrix.array());
 * ```
 */
export async function confusionMatrix(
  yTrue: TensorLike,
  yPred: TensorLike,
  options?: ConfusionMatrixOptions,
): Promise<Tensor> {
  const name = 'confusionMatrix';
  const { numClasses, weights } = readOptions(name, options, {
    numClasses: null as number | null,
    weights: null as TensorLike | null,
  });
  const both = [toTensor(yTrue), toTensor(yPred)];
  const scored = both.find(({ rank, shape }) => rank > 1 && shape[rank - 1] > 1);
  const [t, p] = both.map((x) =>
    x.rank > 1 ? (x.shape[x.rank - 1] > 1 ? x.argMax(-1).flatten() : x.flatten()) : x,
  );
  if (t.size !== p.size || t.size === 0)
    throw new ValueError(
      `${name}: there are ${t.size} classes in y and ${p.size} predicted; expected as many, and one at least.`,
    );
  const numbers = await Promise.all([t.data(), p.data()]);
  const highest = Math.max(...numbers.map((of) => Array.from(of).reduce((a, b) => Math.max(a, b), 0)));
  const classes =
    numClasses === null
      ? (scored?.shape[scored.rank - 1] ?? highest + 1)
      : wholeNumber(numClasses, name, 'numClasses');
  for (const of of numbers) refuseBadClasses(of, classes, name);
  const rows = oneHot(cast(t, 'i32'), classes);
  const counted = weights === null ? rows : rows.mul(cast(toTensor(weights), 'f32').reshape([t.size, 1]));
  return matmul(counted, oneHot(cast(p, 'i32'), classes), { transposeA: true });
}
