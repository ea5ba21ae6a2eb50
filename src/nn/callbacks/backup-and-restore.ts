import { ConfigError, LoadError, SaveError } from '../../base/errors.ts';
import { diskFileStore, type FileStore, folderFileStore } from '../../base/file-store.ts';
import { flag, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import { decodeBackup, encodeBackup } from './backup-file.ts';
import { Callback, type CallbackState, type Moment, type RunState } from './callback.ts';
import type { FolderTarget } from './growing-file.ts';

export interface BackupAndRestoreOptions {
  /** 'epoch' (the default): after each epoch; n: after every n batches, each of which is then waited for. */
  saveFreq?: 'epoch' | number;
  /** Remove the backup when training ends; default true. */
  deleteCheckpoint?: boolean;
}

const NAME = 'backupAndRestore';
const FILE = 'backup.weft';
const MOST_BYTES = 2 ** 33;

/**
 * Keeps a backup of a run in a folder, and goes on from it: the same program, started again after it was killed, ends
 * with the weights, the History and the logs of a run that was never interrupted, to the bit.
 *
 * The backup has the weights, the optimizer's state, where random numbers stand, and what the run's callbacks
 * remember: the best value of `earlyStopping` and its weights, the patience of `reduceLROnPlateau`. It is written
 * after all callbacks were told, whole or not at all. Data, options and callbacks must be those of the first run; logs
 * that are files (`csvLogger`) go on with `append: true`.
 *
 * `backupDir`: a path in Node; in a page a folder's handle, or a path in the origin's own file system (OPFS).
 * ConfigError where the callbacks are others, or where batches of a dataset would have to be begun in the middle of an
 * epoch; FormatError for a file that is no backup; SaveError and LoadError with path and reason.
 *
 * ```ts
 * await model.fit(x, y, { epochs: 100, callbacks: callbacks.backupAndRestore('backup') });
 * ```
 */
export class BackupAndRestore extends Callback {
  private readonly place: string;
  private readonly files: FileStore;
  private readonly file: string;
  private readonly every: number | null;
  private readonly deletes: boolean;
  private run!: RunState;
  private epoch = 0;
  private batches = 0;

  constructor(backupDir: FolderTarget, options?: BackupAndRestoreOptions) {
    super();
    const { saveFreq, deleteCheckpoint } = readOptions(NAME, options, {
      saveFreq: 'epoch' as 'epoch' | number,
      deleteCheckpoint: true,
    });
    this.every = saveFreq === 'epoch' ? null : wholeNumber(saveFreq, NAME, 'saveFreq');
    this.deletes = flag(deleteCheckpoint, NAME, 'deleteCheckpoint');
    const { files, folder } = storeFor(backupDir);
    this.files = files;
    this.file = files.join(folder, FILE);
    this.place = this.file;
    // Who has no such function is not waited for.
    if (this.every !== null) this.onTrainBatchEnd = this.afterBatch;
  }

  override async resume(run: RunState): Promise<Moment | null> {
    this.run = run;
    const bytes = await this.files.read(this.file, MOST_BYTES).catch((cause: Error) => {
      throw new LoadError(`${NAME}: ${this.place} cannot be read: ${cause.message}`, { cause });
    });
    if (!bytes) return null;
    const { moment, model } = decodeBackup(bytes, this.place);
    const now = this.run.callbacks.map((one) => one.getState() !== null);
    if (now.join() !== moment.callbacks.map((one) => one !== null).join())
      throw new ConfigError(
        `${NAME}: the backup in ${this.place} is of a run with other callbacks. Give the same in the same order, or remove the file to begin anew.`,
      );
    await this.model.loadWeights(model);
    return moment;
  }

  override getState(): CallbackState {
    return { batches: this.batches };
  }

  override setState({ batches }: CallbackState): void {
    this.batches = batches as number;
  }

  override onTrainBegin(): void {
    this.batches = 0;
  }

  override onEpochBegin(epoch: number): void {
    this.epoch = epoch;
  }

  override async onEpochEnd(epoch: number): Promise<void> {
    if (this.every === null) await this.save({ epoch: epoch + 1, step: 0, seen: null });
  }

  private async afterBatch(batch: number): Promise<void> {
    this.batches++;
    if (this.batches % this.every! !== 0) return;
    const seen = this.run.seen();
    if (seen === null)
      throw new ConfigError(
        `${NAME}: saveFreq is ${this.every}, but an epoch of these data cannot be gone on with in its middle. Use 'epoch'.`,
      );
    await this.save({ epoch: this.epoch, step: batch + 1, seen });
  }

  override async onTrainEnd(): Promise<void> {
    if (this.deletes) await this.files.remove(this.file);
  }

  private async save(at: Pick<Moment, 'epoch' | 'step' | 'seen'>): Promise<void> {
    const states = this.run.callbacks.map((one) => one.getState());
    const moment = { ...at, stopped: this.model.stopTraining, callbacks: states };
    const bytes = await encodeBackup(moment, await this.model.toBytes('weights.h5'));
    await this.files.write(this.file, bytes).catch((cause: Error) => {
      throw new SaveError(`${NAME}: ${this.place} cannot be written: ${cause.message}`, { cause });
    });
  }
}

function storeFor(target: unknown): { files: FileStore; folder: string } {
  const disk = diskFileStore();
  if (typeof target === 'string' && target !== '') {
    if (disk) return { files: disk, folder: target };
    if (globalThis.navigator?.storage)
      return { files: folderFileStore(() => navigator.storage.getDirectory()), folder: target };
  }
  if (typeof target === 'object' && target !== null && 'getDirectoryHandle' in target) {
    const handle = target as FileSystemDirectoryHandle;
    return { files: folderFileStore(async () => handle), folder: '' };
  }
  throw new ConfigError(
    `${NAME}: backupDir is ${describe(target)}; expected a path in Node, and in a page a folder's handle or a path in its own file system.`,
  );
}
