/** What `compile({ loss })` means. */
import { ConfigError } from '../../base/errors.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { Makers } from '../names.ts';
import { byShapes, valuesFrom } from '../targets.ts';
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

/** Which of the cross-entropies of a table, of losses or of metrics, the shapes mean. */
export const crossentropyOf = <T>(
  table: Readonly<
    Record<'binaryCrossentropy' | 'sparseCategoricalCrossentropy' | 'categoricalCrossentropy', T>
  >,
  ...shapes: [Shape, Shape]
): T =>
  byShapes(
    ...shapes,
    table.binaryCrossentropy,
    table.sparseCategoricalCrossentropy,
    table.categoricalCrossentropy,
  );

/** What `compile({ loss })` means. */
export function resolveLoss(given: unknown, operation: string): LossChoice {
  if (isCrossentropy(given)) return (...shapes) => crossentropyOf(losses, ...shapes)();
  const loss = lossFrom(given, operation);
  if (loss.reduction === 'none')
    throw new ConfigError(
      `${operation}: loss ${loss.name} has reduction 'none'; training needs one number. Use 'sum' or 'sumOverBatchSize'.`,
    );
  return () => loss;
}

function lossFrom(given: unknown, operation: string): Loss {
  if (given instanceof Loss) return given;
  if (typeof given === 'function') return ownLoss(given.name || 'loss', given as Comparison);
  if (typeof given === 'object' && given !== null && 'call' in given) {
    const { name = 'loss', call, config } = given as LossDefinition;
    return ownLoss(name, call.bind(given), config);
  }
  return lossNames.make(given, operation, 'a name, a loss or a function');
}

type Comparison = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** A loss of one's own; what its function gives is checked. */
const ownLoss = (name: string, compare: Comparison, config?: Record<string, unknown>): Loss =>
  new Loss(name, (yTrue, yPred) => valuesFrom(compare(yTrue, yPred), `loss ${name}`, yPred), config);
