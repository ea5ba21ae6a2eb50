import { ConfigError, ValueError } from '../../base/errors.ts';
import { builtin } from '../../base/platform.ts';
import { flag, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import { exponent, fixed, floatText } from '../report/format.ts';
import { standardTerminal } from '../report/terminal.ts';
import type { CallbackState, Logs } from './callback.ts';
import { MonitorCallback, type MonitorOptions, threshold } from './monitor.ts';

export interface ModelCheckpointOptions extends Pick<MonitorOptions, 'monitor' | 'mode'> {
  /** 1 says what is saved; default 0. */
  verbose?: number;
  /** Save only when the monitored value got better; default false. */
  saveBestOnly?: boolean;
  /** Save the weights without the model; the name then ends with .weights.h5 or .safetensors; default false. */
  saveWeightsOnly?: boolean;
  /** 'epoch' (the default), or a number of batches, each of which is then waited for. */
  saveFreq?: 'epoch' | number;
  /** What the monitored value must be better than at first; default null: nothing. */
  initialValueThreshold?: number | null;
}

const endings = {
  whole: ['.keras', '.h5', '.json'],
  weights: ['.weights.h5', '.safetensors'],
} as const;

/**
 * Saves the model as it is trained, after each epoch or every so many batches.
 *
 * `path` may have places for the epoch (from 1), the batch and the logs, as Python formats them:
 * 'model-{epoch:02d}-{val_loss:.2f}.keras'. Folders are made. In a page the name is that of a download.
 */
export class ModelCheckpoint extends MonitorCallback {
  private readonly path: string;
  private readonly verbose: number;
  private readonly bestOnly: boolean;
  private readonly weightsOnly: boolean;
  private readonly every: number | null;
  private best: number | null;
  private epoch = 0;
  private batches = 0;

  constructor(path: string, options?: ModelCheckpointOptions) {
    const name = 'modelCheckpoint';
    const given = readOptions(name, options, {
      monitor: 'val_loss',
      mode: 'auto' as NonNullable<MonitorOptions['mode']>,
      verbose: 0,
      saveBestOnly: false,
      saveWeightsOnly: false,
      saveFreq: 'epoch' as 'epoch' | number,
      initialValueThreshold: null as number | null,
    });
    super(name, { ...given, minDelta: 0, baseline: null });
    this.weightsOnly = flag(given.saveWeightsOnly, name, 'saveWeightsOnly');
    this.bestOnly = flag(given.saveBestOnly, name, 'saveBestOnly');
    this.verbose = wholeNumber(given.verbose, name, 'verbose', 0);
    this.best = threshold(given.initialValueThreshold, name, 'initialValueThreshold');
    this.path = checkedPath(path, this.weightsOnly);
    if (given.saveFreq !== 'epoch' && typeof given.saveFreq !== 'number')
      throw new ConfigError(
        `${name}: saveFreq is ${describe(given.saveFreq)}; expected 'epoch' or a number of batches.`,
      );
    this.every = given.saveFreq === 'epoch' ? null : wholeNumber(given.saveFreq, name, 'saveFreq');
    // Who has no such function is not waited for.
    if (this.every !== null) this.onTrainBatchEnd = this.afterBatch;
  }

  override onEpochBegin(epoch: number): void {
    this.epoch = epoch;
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (this.every === null) await this.save(epoch, null, logs);
  }

  override getState(): CallbackState {
    const { best, epoch, batches } = this;
    return { best, epoch, batches };
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state);
  }

  private async afterBatch(batch: number, logs: Logs): Promise<void> {
    this.batches++;
    if (this.batches % this.every! === 0) await this.save(this.epoch, batch, logs);
  }

  private async save(epoch: number, batch: number | null, logs: Logs): Promise<void> {
    const numbers = { ...logs, epoch: epoch + 1, ...(batch === null ? {} : { batch: batch + 1 }) };
    const path = formatted(this.path, numbers);
    if (!this.isDue(epoch, logs, path)) return;
    await makeFolderFor(path);
    if (this.weightsOnly) await this.model.saveWeights(path);
    else await this.model.save(path);
    this.say(epoch, `finished saving model to ${path}`);
  }

  private isDue(epoch: number, logs: Logs, path: string): boolean {
    if (!this.bestOnly) {
      this.say(epoch, `saving model to ${path}`);
      return true;
    }
    const value = this.valueIn(logs);
    if (value === null) return true;
    const before = this.best === null ? 'None' : fixed(this.best, 5);
    const better = this.isBetter(value, this.best);
    this.say(
      epoch,
      better
        ? `${this.monitor} improved from ${before} to ${fixed(value, 5)}, saving model to ${path}`
        : `${this.monitor} did not improve from ${before}`,
    );
    if (better) this.best = value;
    return better;
  }

  private say(epoch: number, what: string): void {
    if (this.verbose > 0) standardTerminal().write(`\nEpoch ${epoch + 1}: ${what}\n`);
  }
}

function checkedPath(path: unknown, weightsOnly: boolean): string {
  const name = 'modelCheckpoint';
  if (typeof path !== 'string')
    throw new ConfigError(`${name}: path is ${describe(path)}; expected a path such as 'best.keras'.`);
  const allowed: readonly string[] = endings[weightsOnly ? 'weights' : 'whole'];
  const isWeights = endings.weights.some((ending) => path.endsWith(ending));
  if (isWeights !== weightsOnly || !allowed.some((ending) => path.endsWith(ending)))
    throw new ValueError(
      `${name}: path is ${describe(path)}; with saveWeightsOnly ${weightsOnly} it must end with ${allowed.join(', ')}.`,
    );
  return path;
}

/** Python's `path.format(**numbers)`, for widths, zeros and the formats d, f, e and g. */
export function formatted(path: string, numbers: Readonly<Record<string, number>>): string {
  return path.replace(
    /\{(\w+)(?::(0?)(\d*)(?:\.(\d+))?([dfe]?))?\}/g,
    (_, key, zero, width, digits, type) => {
      if (!Object.hasOwn(numbers, key))
        throw new ConfigError(
          `modelCheckpoint: path ${describe(path)} names ${key}; there are ${Object.keys(numbers).join(', ')}.`,
        );
      const text = numberText(numbers[key], key === 'epoch' || key === 'batch', digits, type);
      return text.padStart(Number(width), zero || ' ');
    },
  );
}

function numberText(
  x: number,
  isCount: boolean,
  digits: string | undefined,
  type: string | undefined,
): string {
  if (type === 'e') return exponent(x, Number(digits ?? 6));
  if (type === 'f' || digits !== undefined) return fixed(x, Number(digits ?? 6));
  return isCount || type === 'd' ? String(x) : floatText(x);
}

async function makeFolderFor(path: string): Promise<void> {
  const fs = builtin<typeof import('node:fs/promises')>('node:fs/promises');
  const paths = builtin<typeof import('node:path')>('node:path');
  // What stands in the way shows when the file is written, with its reason.
  if (fs && paths) await fs.mkdir(paths.dirname(path), { recursive: true }).catch(() => {});
}
