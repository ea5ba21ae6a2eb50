/** What `compile({ optimizer })` means. */
import { Makers } from '../names.ts';
import { Adagrad, Adam, AdamW, adagrad, adam, adamw, RMSprop, rmsprop, SGD, sgd } from './index.ts';
import { Optimizer } from './optimizer.ts';

const makers = new Makers<Optimizer>('optimizer', { sgd, rmsprop, adam, adamw, adagrad });

export type OptimizerLike = string | Optimizer | { className: string; config?: object };

/** The optimizer that an argument means. */
export const resolveOptimizer = (given: unknown, operation: string): Optimizer =>
  given instanceof Optimizer ? given : makers.make(given, operation);

/** Whether an optimizer is one of ours and not of a class of the user's. */
export const isKnownOptimizer = (one: Optimizer): boolean =>
  ([SGD, RMSprop, Adam, AdamW, Adagrad] as unknown[]).includes(one.constructor);
