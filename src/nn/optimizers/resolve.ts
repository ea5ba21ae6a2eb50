/** What `compile({ optimizer })` means. */
import { ConfigError } from '../../base/errors.ts';
import { describe, Names, readDescription } from '../names.ts';
import { adagrad, adam, adamw, rmsprop, sgd } from './index.ts';
import { Optimizer } from './optimizer.ts';

const names = new Names<(options?: object) => Optimizer>('optimizer', { sgd, rmsprop, adam, adamw, adagrad });

export type OptimizerLike = string | Optimizer | { className: string; config?: object };

/** The optimizer that an argument means. */
export function resolveOptimizer(given: unknown, operation: string): Optimizer {
  if (given instanceof Optimizer) return given;
  if (typeof given === 'string') return names.get(given, operation)();
  if (typeof given === 'object' && given !== null) {
    const { className, config } = readDescription(operation, given);
    return names.get(className, operation)(config);
  }
  throw new ConfigError(`${operation}: optimizer is ${describe(given)}; expected a name or an optimizer.`);
}
