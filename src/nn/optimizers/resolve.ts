/** What `compile({ optimizer })` means. */
import { Makers } from '../names.ts';
import { adagrad, adam, adamw, rmsprop, sgd } from './index.ts';
import { Optimizer } from './optimizer.ts';

const makers = new Makers<Optimizer>('optimizer', { sgd, rmsprop, adam, adamw, adagrad });

export type OptimizerLike = string | Optimizer | { className: string; config?: object };

/** The optimizer that an argument means. */
export const resolveOptimizer = (given: unknown, operation: string): Optimizer =>
  given instanceof Optimizer ? given : makers.make(given, operation);
