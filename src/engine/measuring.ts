/** What measures kernels, and remembers what came of it. Loaded when `init({ tuning })` or a profile asks for it. */
export { textStore } from '../base/text-store.ts';
export { openBench } from './measure.ts';
export { timeCommands } from './timing.ts';
