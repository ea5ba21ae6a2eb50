/** Callbacks by function: `callbacks.earlyStopping({ patience: 3 })`. The classes are there to be extended. */
import { BackupAndRestore, type BackupAndRestoreOptions } from './backup-and-restore.ts';
import type { CallbackFunctions } from './callback.ts';
import { CSVLogger, type CsvLoggerOptions } from './csv-logger.ts';
import { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.ts';
import { History } from './history.ts';
import { LambdaCallback } from './lambda.ts';
import { type EpochSchedule, LearningRateScheduler } from './learning-rate-scheduler.ts';
import { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.ts';
import { ProgressBar, type ProgressBarOptions } from './progress-bar.ts';
import { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.ts';
import { TensorBoard, type TensorBoardOptions } from './tensor-board.ts';
import { TerminateOnNaN } from './terminate-on-nan.ts';

/** Stops training when a value gets better no more. */
export const earlyStopping = (options?: EarlyStoppingOptions): EarlyStopping => new EarlyStopping(options);
/** Goes on after a crash or a closed tab: `backupAndRestore('backup')`. */
export const backupAndRestore = (...args: ConstructorParameters<typeof BackupAndRestore>): BackupAndRestore =>
  new BackupAndRestore(...args);
/** Saves the model as it is trained: `modelCheckpoint('best.keras', { saveBestOnly: true })`. */
export const modelCheckpoint = (path: string, options?: ModelCheckpointOptions): ModelCheckpoint =>
  new ModelCheckpoint(path, options);
/** Lowers the learning rate when a value gets better no more. */
export const reduceLROnPlateau = (options?: ReduceLROnPlateauOptions): ReduceLROnPlateau =>
  new ReduceLROnPlateau(options);
/** Sets the learning rate of each epoch: `learningRateScheduler((epoch, rate) => rate * 0.9)`. */
export const learningRateScheduler = (
  ...args: ConstructorParameters<typeof LearningRateScheduler>
): LearningRateScheduler => new LearningRateScheduler(...args);
/** Writes a row for each epoch to a CSV file. */
export const csvLogger = (...args: ConstructorParameters<typeof CSVLogger>): CSVLogger =>
  new CSVLogger(...args);
/** Writes event files for TensorBoard. */
export const tensorBoard = (options?: TensorBoardOptions): TensorBoard => new TensorBoard(options);
/** Stops training at a batch whose loss is NaN or infinite. */
export const terminateOnNaN = (): TerminateOnNaN => new TerminateOnNaN();
/** A callback from functions. */
export const lambda = (functions: CallbackFunctions): LambdaCallback => new LambdaCallback(functions);
/** The record of logs that every fit makes. */
export const history = (): History => new History();
/** Keras's progress line. */
export const progressBar = (options?: ProgressBarOptions): ProgressBar => new ProgressBar(options);

export {
  Callback,
  type CallbackFunctions,
  type CallbackState,
  type EpochLogs,
  type Logs,
  type RunParameters,
} from './callback.ts';
export {
  BackupAndRestore,
  type BackupAndRestoreOptions,
  CSVLogger,
  type CsvLoggerOptions,
  EarlyStopping,
  type EarlyStoppingOptions,
  type EpochSchedule,
  History,
  LambdaCallback,
  LearningRateScheduler,
  ModelCheckpoint,
  type ModelCheckpointOptions,
  ProgressBar,
  type ProgressBarOptions,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  TensorBoard,
  type TensorBoardOptions,
  TerminateOnNaN,
};
