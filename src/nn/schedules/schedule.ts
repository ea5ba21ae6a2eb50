/** Learning rates that are functions of the step. */
import type { Tensor } from '../../ops/tensor.ts';

/** A learning rate in tensor algebra: `step` is the number of steps so far, an f32 scalar. */
export type Schedule = (step: Tensor) => Tensor;

/** A schedule that files can describe, by Keras's class name and options in camelCase. */
export interface DescribedSchedule extends Schedule {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export const describedSchedule = (
  className: string,
  config: Readonly<Record<string, unknown>>,
  rate: Schedule,
): DescribedSchedule => Object.assign((step: Tensor) => rate(step), { className, config });

/** How files hold a schedule, or null for a function of one's own. */
export function describeSchedule(schedule: Schedule): { className: string; config: object } | null {
  const { className, config } = schedule as Partial<DescribedSchedule>;
  return className !== undefined && config !== undefined ? { className, config } : null;
}
