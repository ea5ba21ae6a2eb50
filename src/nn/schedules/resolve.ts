/** Schedules from what files hold. */
import { Makers } from '../names.ts';
import {
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
} from './decays.ts';
import type { DescribedSchedule } from './schedule.ts';

const makers = new Makers<DescribedSchedule>('schedule', {
  exponentialDecay,
  cosineDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  inverseTimeDecay,
});

/** The schedule that Keras's { className, config } describes. */
export const scheduleFrom = (description: object, operation: string): DescribedSchedule =>
  makers.make(description, operation);
