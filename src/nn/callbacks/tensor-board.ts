import { ValueError } from '../../base/errors.ts';
import { describe, readOptions } from '../names.ts';
import { firstEvent, scalarEvent } from '../report/event-file.ts';
import { Callback, type CallbackState, type Logs } from './callback.ts';
import { type FolderTarget, type GrowingFile, newFileIn } from './growing-file.ts';

export interface TensorBoardOptions {
  /** The folder's path in Node, or its handle in a page; default 'logs'. */
  logDir?: FolderTarget;
  /**
   * How often numbers within an epoch are written too: 'epoch' never (the default), 'batch' always, n after
   * every n batches. Other than 'epoch', each batch is waited for.
   */
  updateFreq?: 'epoch' | 'batch' | number;
}

/**
 * Writes event files for TensorBoard: epoch_loss and the like under train and validation, the learning rate,
 * and evaluation_loss_vs_iterations after each validation.
 */
export class TensorBoard extends Callback {
  private readonly folder: FolderTarget;
  private readonly every: number | null;
  private readonly files = new Map<string, Promise<GrowingFile>>();
  private batches = 0;

  constructor(options?: TensorBoardOptions) {
    super();
    const { logDir, updateFreq } = readOptions('tensorBoard', options, {
      logDir: 'logs' as FolderTarget,
      updateFreq: 'epoch' as NonNullable<TensorBoardOptions['updateFreq']>,
    });
    this.folder = logDir;
    const every = updateFreq === 'epoch' ? null : updateFreq === 'batch' ? 1 : updateFreq;
    if (every !== null && !(Number.isInteger(every) && every > 0))
      throw new ValueError(
        `tensorBoard: updateFreq is ${describe(updateFreq)}; expected 'epoch', 'batch' or a number of batches.`,
      );
    this.every = every;
    // Who has no such function is not waited for.
    if (every !== null) this.onTrainBatchEnd = this.afterBatch;
  }

  override onTrainBegin(): void {
    this.batches = 0;
    this.files.clear();
  }

  override getState(): CallbackState {
    return { batches: this.batches };
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state);
  }

  private async afterBatch(_batch: number, logs: Logs): Promise<void> {
    const step = this.batches++;
    if (step % this.every! === 0)
      await this.write(
        'train',
        step,
        renamed(logs, (key) => `batch_${key}`),
      );
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const [train, validation]: Record<string, number>[] = [{}, {}];
    for (const [key, value] of Object.entries(logs))
      if (key.startsWith('val_')) validation[`epoch_${key.slice(4)}`] = value;
      else train[`epoch_${key}`] = value;
    train.epoch_learning_rate = await this.model.optimizer.currentLearningRate();
    await this.write('train', epoch, train);
    await this.write('validation', epoch, validation);
  }

  override async onTestEnd(logs: Logs): Promise<void> {
    const step = await this.model.optimizer.iterations.item();
    await this.write(
      'validation',
      step,
      renamed(logs, (key) => `evaluation_${key}_vs_iterations`),
    );
  }

  private async write(run: string, step: number, scalars: Logs): Promise<void> {
    if (Object.keys(scalars).length === 0) return;
    if (!this.files.has(run)) this.files.set(run, this.open(run));
    const file = await this.files.get(run)!;
    await file.append(scalarEvent(Date.now() / 1000, step, scalars));
  }

  private async open(run: string): Promise<GrowingFile> {
    const seconds = Math.floor(Date.now() / 1000);
    const name = `events.out.tfevents.${seconds}.weft.${crypto.randomUUID()}`;
    const file = await newFileIn(this.folder, run, name, 'tensorBoard');
    await file.append(firstEvent(Date.now() / 1000));
    return file;
  }
}

const renamed = (logs: Logs, rename: (key: string) => string): Logs =>
  Object.fromEntries(Object.entries(logs).map(([key, value]) => [rename(key), value]));
