import { ValueError } from '../../base/errors.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { floatText } from '../report/format.ts';
import { standardTerminal } from '../report/terminal.ts';
import type { CallbackState, EpochLogs } from './callback.ts';
import { MonitorCallback, type MonitorOptions } from './monitor.ts';

export interface ReduceLROnPlateauOptions extends Omit<MonitorOptions, 'baseline'> {
  /** What the learning rate is multiplied by, from 0 to below 1; default 0.1. */
  factor?: number;
  /** Epochs without improvement before that; default 10. */
  patience?: number;
  /** 1 says so; default 0. */
  verbose?: number;
  /** Epochs after a reduction in which none are counted; default 0. */
  cooldown?: number;
  /** The learning rate goes no lower; default 0. */
  minLr?: number;
}

/**
 * Lowers the learning rate when the monitored value gets better no more, and puts the rate into the logs as
 * `learning_rate`. An improvement counts from `minDelta` on, default 1e-4.
 *
 * Needs an optimizer whose learning rate is a number: StateError where it follows a schedule of its own.
 */
export class ReduceLROnPlateau extends MonitorCallback {
  private readonly factor: number;
  private readonly patience: number;
  private readonly verbose: number;
  private readonly cooldown: number;
  private readonly minLr: number;
  private best: number | null = null;
  private wait = 0;
  private cooling = 0;

  constructor(options?: ReduceLROnPlateauOptions) {
    const name = 'reduceLROnPlateau';
    const given = readOptions(name, options, {
      monitor: 'val_loss',
      factor: 0.1,
      patience: 10,
      verbose: 0,
      mode: 'auto' as NonNullable<MonitorOptions['mode']>,
      minDelta: 1e-4,
      cooldown: 0,
      minLr: 0,
    });
    super(name, { ...given, baseline: null });
    this.factor = numberBetween(given.factor, name, 'factor', 0, 1);
    if (this.factor === 1) throw new ValueError(`${name}: factor is 1; expected a number below 1.`);
    this.patience = wholeNumber(given.patience, name, 'patience', 0);
    this.verbose = wholeNumber(given.verbose, name, 'verbose', 0);
    this.cooldown = wholeNumber(given.cooldown, name, 'cooldown', 0);
    this.minLr = numberBetween(given.minLr, name, 'minLr', 0);
  }

  override onTrainBegin(): void {
    this.best = null;
    this.wait = 0;
    this.cooling = 0;
  }

  override async onEpochEnd(epoch: number, logs: EpochLogs): Promise<void> {
    const rate = await this.model.optimizer.currentLearningRate();
    logs.learning_rate = rate;
    const value = this.valueIn(logs);
    if (value === null) return;
    if (this.cooling > 0) {
      this.cooling--;
      this.wait = 0;
    }
    if (this.isBetter(value, this.best)) {
      this.best = value;
      this.wait = 0;
    } else if (this.cooling === 0) {
      this.wait++;
      if (this.wait >= this.patience) this.reduce(epoch, rate);
    }
  }

  override getState(): CallbackState {
    const { best, wait, cooling } = this;
    return { best, wait, cooling };
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state);
  }

  private reduce(epoch: number, rate: number): void {
    if (rate <= Math.fround(this.minLr)) return;
    const reduced = Math.max(rate * this.factor, this.minLr);
    this.model.optimizer.learningRate = reduced;
    this.cooling = this.cooldown;
    this.wait = 0;
    if (this.verbose > 0)
      standardTerminal().write(
        `\nEpoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${floatText(reduced)}.\n`,
      );
  }
}
