/** Which variables weight decay leaves alone. */

import { StateError } from '../../base/errors.ts';
import type { Variable } from '../../ops/tensor.ts';
import { readOptions } from '../names.ts';
import type { Optimizer } from './optimizer.ts';

/** What `excludeFromWeightDecay` leaves out. */
export interface DecayExclusions {
  variables?: readonly Variable[];
  /** Regular expressions; a variable whose name ('kernel') one of them matches is left out. */
  names?: readonly string[];
}

/**
 * Leaves variables out of an optimizer's weight decay, as Keras's method of that name, and gives the optimizer. StateError once
 * there have been steps. Files do not hold it: call it again after loading.
 *
 * ```ts
 * const optimizer = optimizers.excludeFromWeightDecay(optimizers.adamw(), { names: ['bias', 'gamma', 'beta'] });
 * ```
 */
export function excludeFromWeightDecay(optimizer: Optimizer, given: DecayExclusions): Optimizer {
  const called = 'excludeFromWeightDecay';
  const { variables, names } = readOptions<Required<DecayExclusions>>(called, given, {
    variables: [],
    names: [],
  });
  if (optimizer.built)
    throw new StateError(
      `${optimizer.name}: excludeFromWeightDecay comes after the first step. Call it before training.`,
    );
  const patterns = names.map((name) => new RegExp(name));
  optimizer.decays = (one) => !variables.includes(one) && !patterns.some((pattern) => pattern.test(one.name));
  return optimizer;
}
