import { ConfigError } from '../../base/errors.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import { floatText } from '../report/format.ts';
import { standardTerminal } from '../report/terminal.ts';
import { Callback, type EpochLogs } from './callback.ts';

/** The learning rate of an epoch (from 0), given the present one. */
export type EpochSchedule = (epoch: number, learningRate: number) => number;

/**
 * Sets the learning rate at the beginning of each epoch, and puts it into the logs as `learning_rate`.
 *
 * Needs an optimizer whose learning rate is a number: StateError where it follows a schedule of its own.
 */
export class LearningRateScheduler extends Callback {
  private readonly schedule: EpochSchedule;
  private readonly verbose: number;

  constructor(schedule: EpochSchedule, options?: { verbose?: number }) {
    super();
    const name = 'learningRateScheduler';
    if (typeof schedule !== 'function')
      throw new ConfigError(`${name}: schedule is ${describe(schedule)}; expected a function of the epoch.`);
    this.schedule = schedule;
    this.verbose = wholeNumber(readOptions(name, options, { verbose: 0 }).verbose, name, 'verbose', 0);
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    const { optimizer } = this.model;
    const given = this.schedule(epoch, await optimizer.currentLearningRate());
    if ((given as unknown) instanceof Promise)
      throw new ConfigError(
        'learningRateScheduler: the result of schedule is a promise; expected a number. Give a plain function, not an async one.',
      );
    const rate = numberBetween(given, 'learningRateScheduler', 'the result of schedule', 0);
    optimizer.learningRate = rate;
    if (this.verbose > 0)
      standardTerminal().write(
        `\nEpoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${floatText(rate)}.\n`,
      );
  }

  override async onEpochEnd(_epoch: number, logs: EpochLogs): Promise<void> {
    logs.learning_rate = await this.model.optimizer.currentLearningRate();
  }
}
