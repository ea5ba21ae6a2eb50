/** What `compile({ loss })` means. */
import { ConfigError } from '../../base/errors.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { Makers } from '../names.ts';
import { byShapes } from '../pairs.ts';
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './common.ts';
import * as losses from './index.ts';
import { Loss } from './loss.ts';

/** Keras's short names. */
export const shortNames = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
  kullbackLeiblerDivergence: 'klDivergence',
};

export const lossNames = new Makers<Loss>('loss', losses, shortNames);

/** A loss of one's own: a function, or an object with `call` (and perhaps `name` and `config`). */
export interface LossDefinition {
  name?: string;
  /** One value for each sample, or a scalar. */
  call(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: Record<string, unknown>;
}

export type LossLike = string | Loss | LossDefinition | ((yTrue: Tensor, yPred: Tensor) => Tensor);

/** Chooses the loss once the shapes of y and the predictions are known. */
export type LossChoice = (yTrue: Shape, yPred: Shape) => Loss;

/** Whether a name leaves it to the shapes which cross-entropy is meant, as in Keras. */
export const isCrossentropy = (name: unknown): name is string =>
  typeof name === 'string' && ['crossentropy', 'ce'].includes(name.toLowerCase());

/** What `compile({ loss })` means. */
export function resolveLoss(given: unknown, operation: string): LossChoice {
  if (isCrossentropy(given))
    return (...shapes) =>
      byShapes(...shapes, binaryCrossentropy, sparseCategoricalCrossentropy, categoricalCrossentropy)();
  const loss = lossFrom(given, operation);
  if (loss.reduction === 'none')
    throw new ConfigError(
      `${operation}: loss ${loss.name} has reduction 'none'; training needs one number. Use 'sum' or 'sumOverBatchSize'.`,
    );
  return () => loss;
}

function lossFrom(given: unknown, operation: string): Loss {
  if (given instanceof Loss) return given;
  if (typeof given === 'function')
    return new Loss(given.name || 'loss', given as (yTrue: Tensor, yPred: Tensor) => Tensor);
  if (typeof given === 'object' && given !== null && 'call' in given) {
    const { name = 'loss', call, config } = given as LossDefinition;
    return new Loss(name, (yTrue, yPred) => call.call(given, yTrue, yPred), config);
  }
  return lossNames.make(given, operation, 'a name, a loss or a function');
}
