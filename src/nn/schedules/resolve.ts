/** Schedules from what files hold. */
import { Names, readDescription } from '../names.ts';
import {
  cosineDecay,
  type DescribedSchedule,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
} from './index.ts';

const names = new Names<(options: never) => DescribedSchedule>('schedule', {
  exponentialDecay,
  cosineDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  inverseTimeDecay,
});

/** The schedule that Keras's { className, config } describes. */
export function scheduleFrom(description: object, operation: string): DescribedSchedule {
  const { className, config } = readDescription(operation, description);
  return names.get(className, operation)(config as never);
}
