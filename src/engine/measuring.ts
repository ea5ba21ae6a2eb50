/**
 * What knows better than a kernel family's rule, and what takes times. Loaded when `init({ tuning })` or a profile asks
 * for it.
 */
export { openChooser } from './chooser.ts';
export { checkTuning } from './foreign-tuning.ts';
export { timeStep } from './step-timing.ts';
export { timeCommands } from './timing.ts';
