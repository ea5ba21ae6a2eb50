/** What `compile({ optimizer })` means. */
import { ConfigError } from '../../base/errors.ts';
import { Makers } from '../names.ts';
import { Adagrad, Adam, AdamW, adagrad, adam, adamw, RMSprop, rmsprop, SGD, sgd } from './index.ts';
import { Optimizer } from './optimizer.ts';

const makers = new Makers<Optimizer>('optimizer', { sgd, rmsprop, adam, adamw, adagrad });

export type OptimizerLike = string | Optimizer | { className: string; config?: object };

/** The optimizer that an argument means. */
export const resolveOptimizer = (given: unknown, operation: string): Optimizer =>
  given instanceof Optimizer ? given : makers.make(present(given, operation), operation);

/** ConfigError for the name of an optimizer that only those load who import it. */
function present(given: unknown, operation: string): unknown {
  const name = typeof given === 'string' && given.toLowerCase();
  if (name && ['nadam', 'adamax', 'adadelta', 'lion', 'muon'].includes(name))
    throw new ConfigError(
      `${operation}: optimizer is '${name}', which is not loaded by its name. Give optimizers.${name}().`,
    );
  return given;
}

/** Whether an optimizer is one of ours and not of a class of the user's. */
export const isKnownOptimizer = (one: Optimizer): boolean =>
  ([SGD, RMSprop, Adam, AdamW, Adagrad] as unknown[]).includes(one.constructor);
