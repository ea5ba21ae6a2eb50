/**
 * Schedules of the learning rate, with the formulas and names of Keras (`optimizers/schedules`):
 * `optimizers.sgd(schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1000, decayRate: 0.9 }))`.
 *
 * They are part of the captured step: nothing is sent to the GPU as the rate changes.
 */
export {
  type CosineDecayOptions,
  cosineDecay,
  type DecayOptions,
  exponentialDecay,
  inverseTimeDecay,
  type PiecewiseConstantDecayOptions,
  type PolynomialDecayOptions,
  piecewiseConstantDecay,
  polynomialDecay,
} from './decays.ts';
export { type CosineDecayRestartsOptions, cosineDecayRestarts } from './restarts.ts';
export type { DescribedSchedule, Schedule } from './schedule.ts';
