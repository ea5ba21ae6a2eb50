import type { Tensor } from '../../ops/tensor.ts';
import { flag, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { standardTerminal } from '../report/terminal.ts';
import type { CallbackState, Logs } from './callback.ts';
import { MonitorCallback, type MonitorOptions, monitorDefaults, threshold } from './monitor.ts';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training stops; default 0: the first one. */
  patience?: number;
  /** 1 says when training stops; default 0. */
  verbose?: number;
  /** End with the weights of the best epoch; default false. */
  restoreBestWeights?: boolean;
  /** Epochs that are not judged; default 0. */
  startFromEpoch?: number;
}

/** Stops training when the monitored value gets better no more. */
export class EarlyStopping extends MonitorCallback {
  readonly patience: number;
  readonly restoreBestWeights: boolean;
  private readonly baseline: number | null;
  private readonly startFromEpoch: number;
  private readonly verbose: number;
  private wait = 0;
  private best: number | null = null;
  private bestWeights: Tensor[] | null = null;
  /** The best epoch so far, from 0. */
  bestEpoch = 0;
  /** The epoch after which it stopped training, or 0. */
  stoppedEpoch = 0;

  constructor(options?: EarlyStoppingOptions) {
    const name = 'earlyStopping';
    const given = readOptions(name, options, {
      ...monitorDefaults,
      patience: 0,
      verbose: 0,
      restoreBestWeights: false,
      startFromEpoch: 0,
    });
    super(name, given);
    this.patience = wholeNumber(given.patience, name, 'patience', 0);
    this.baseline = threshold(given.baseline, name, 'baseline');
    this.restoreBestWeights = flag(given.restoreBestWeights, name, 'restoreBestWeights');
    this.startFromEpoch = wholeNumber(given.startFromEpoch, name, 'startFromEpoch', 0);
    this.verbose = wholeNumber(given.verbose, name, 'verbose', 0);
  }

  override onTrainBegin(): void {
    this.wait = 0;
    this.best = null;
    this.bestEpoch = 0;
    this.stoppedEpoch = 0;
    this.keep(null);
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const value = this.valueIn(logs);
    if (value === null || epoch < this.startFromEpoch) return;
    if (this.restoreBestWeights && this.bestWeights === null) this.remember(epoch);
    this.wait++;
    if (this.isBetter(value, this.best)) {
      this.best = value;
      this.remember(epoch);
      if (this.isBetter(value, this.baseline)) this.wait = 0;
    } else if (this.wait >= this.patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }

  override async onTrainEnd(): Promise<void> {
    const { write } = standardTerminal();
    if (this.stoppedEpoch > 0 && this.verbose > 0) write(`Epoch ${this.stoppedEpoch + 1}: early stopping\n`);
    if (this.bestWeights === null) return;
    if (this.verbose > 0)
      write(`Restoring model weights from the end of the best epoch: ${this.bestEpoch + 1}.\n`);
    await this.model.setWeights(this.bestWeights);
    this.keep(null);
  }

  override getState(): CallbackState {
    const { wait, best, bestEpoch, stoppedEpoch, bestWeights } = this;
    return { wait, best, bestEpoch, stoppedEpoch, bestWeights };
  }

  override setState(state: CallbackState): void {
    const { bestWeights, ...rest } = state as { bestWeights: Tensor[] | null };
    Object.assign(this, rest);
    this.keep(bestWeights);
  }

  private remember(epoch: number): void {
    this.bestEpoch = epoch;
    if (this.restoreBestWeights) this.keep(this.model.getWeights());
  }

  private keep(weights: Tensor[] | null): void {
    for (const old of this.bestWeights ?? []) old.dispose();
    this.bestWeights = weights;
  }
}
