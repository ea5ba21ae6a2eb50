/** Callbacks by function: `callbacks.earlyStopping({ patience: 3 })`. The classes are there to be extended. */
import type { CallbackFunctions } from './callback.ts';
import { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.ts';
import { History } from './history.ts';
import { LambdaCallback } from './lambda.ts';
import { ProgressBar } from './progress-bar.ts';
import { TerminateOnNaN } from './terminate-on-nan.ts';

/** Stops training when a value gets better no more. */
export const earlyStopping = (options?: EarlyStoppingOptions): EarlyStopping => new EarlyStopping(options);
/** Stops training at a batch whose loss is NaN or infinite. */
export const terminateOnNaN = (): TerminateOnNaN => new TerminateOnNaN();
/** A callback from functions. */
export const lambda = (functions: CallbackFunctions): LambdaCallback => new LambdaCallback(functions);
/** The record of logs that every fit makes. */
export const history = (): History => new History();
/** Keras's progress line. */
export const progressBar = (...args: ConstructorParameters<typeof ProgressBar>): ProgressBar =>
  new ProgressBar(...args);

export { Callback, type CallbackFunctions, type Logs, type RunParameters } from './callback.ts';
export { EarlyStopping, type EarlyStoppingOptions, History, LambdaCallback, ProgressBar, TerminateOnNaN };
