/**
 * Optimizers by function: `optimizers.adam({ learningRate: 0.01 })` or `optimizers.sgd(0.1, { momentum: 0.9 })`.
 */
import { ConfigError } from '../../base/errors.ts';
import { describe, Names, readOptions } from '../names.ts';
import { Adagrad, type AdagradOptions } from './adagrad.ts';
import { Adam, type AdamOptions, AdamW } from './adam.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { RMSprop, type RmspropOptions } from './rmsprop.ts';
import { SGD, type SgdOptions } from './sgd.ts';

type Rate = NonNullable<OptimizerOptions['learningRate']>;

/** The learning rate may stand alone in front. */
const factory =
  <Options extends OptimizerOptions>(Class: new (options?: Options) => Optimizer) =>
  (first?: Rate | Options, rest?: Options): Optimizer =>
    new Class(
      typeof first === 'number' || typeof first === 'function'
        ? ({ ...rest, learningRate: first } as Options)
        : first,
    );

/** w −= η g, perhaps with momentum; η 0.01. */
export const sgd = factory<SgdOptions>(SGD);
/** Divides by the root of a running mean of g²; η 0.001. */
export const rmsprop = factory<RmspropOptions>(RMSprop);
/** Running means of g and g², corrected for their start; η 0.001. */
export const adam = factory<AdamOptions>(Adam);
/** Adam with decoupled weight decay, 0.004. */
export const adamw = factory<AdamOptions>(AdamW);
/** Divides by the root of the sum of all g² so far; η 0.001. */
export const adagrad = factory<AdagradOptions>(Adagrad);

const names = new Names<(options?: object) => Optimizer>('optimizer', { sgd, rmsprop, adam, adamw, adagrad });

export type OptimizerLike = string | Optimizer | { className: string; config?: object };

/** What `compile({ optimizer })` means. */
export function resolveOptimizer(given: unknown, operation: string): Optimizer {
  if (given instanceof Optimizer) return given;
  if (typeof given === 'string') return names.get(given, operation)();
  if (typeof given === 'object' && given !== null) {
    const { className, config } = readOptions(operation, given, {
      className: '',
      config: {} as object,
      module: null as unknown,
      registeredName: null as unknown,
    });
    return names.get(className, operation)(config);
  }
  throw new ConfigError(`${operation}: optimizer is ${describe(given)}; expected a name or an optimizer.`);
}

export type { AdagradOptions, AdamOptions, OptimizerOptions, RmspropOptions, SgdOptions };
export { Adagrad, Adam, AdamW, Optimizer, RMSprop, SGD };
