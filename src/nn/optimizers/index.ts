/**
 * Optimizers by function: `optimizers.adam({ learningRate: 0.01 })` or `optimizers.sgd(0.1, { momentum: 0.9 })`.
 */

import { withMain } from '../names.ts';
import type { Schedule } from '../schedules/schedule.ts';
import { Adagrad, type AdagradOptions } from './adagrad.ts';
import { Adam, type AdamOptions, AdamW } from './adam.ts';
import { Adadelta, Adamax, Lion, Nadam } from './further.ts';
import { Muon, type MuonOptions } from './muon.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { RMSprop, type RmspropOptions } from './rmsprop.ts';
import { SGD, type SgdOptions } from './sgd.ts';

type Rate = number | Schedule;

/** The learning rate may stand alone in front. */
const factory =
  <Options extends OptimizerOptions>(Class: new (options?: Options) => Optimizer) =>
  (first?: Rate | Options, rest?: Options): Optimizer =>
    new Class(first === undefined ? rest : withMain<Options>('learningRate', first, rest));

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

/** Adam with Nesterov's momentum; η 0.001. */
export const nadam = factory(Nadam);
/** Adam by the largest gradient in place of the root of a mean square; η 0.001. */
export const adamax = factory(Adamax);
/** Steps as long as those before; η 0.001. */
export const adadelta = factory(Adadelta);
/** The sign of a running mean; η 0.001. */
export const lion = factory(Lion);
/** Momentum, made nearly orthogonal, for matrices, and Adam for the rest; η 0.001. */
export const muon = factory<MuonOptions>(Muon);

export { averaging } from './averaging.ts';
export { type DecayExclusions, excludeFromWeightDecay } from './decay.ts';
export type { AdagradOptions, AdamOptions, MuonOptions, OptimizerOptions, RmspropOptions, SgdOptions };
export { Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Muon, Nadam, Optimizer, RMSprop, SGD };
