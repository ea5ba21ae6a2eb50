import { oneOf } from '../check.ts';
import { readOptions } from '../names.ts';
import { Progress } from '../report/progress.ts';
import { Keras2Progress } from '../report/progress-keras2.ts';
import { standardTerminal, type Terminal } from '../report/terminal.ts';
import { Callback, type Logs } from './callback.ts';

export interface ProgressBarOptions {
  /** As 'keras3' draws it (the default), with values by alphabet; or as 'keras2': loss, then metrics as compiled. */
  form?: 'keras3' | 'keras2';
  /** Default standard output. */
  terminal?: Terminal;
  /** A clock in milliseconds; default `performance.now`. */
  now?: () => number;
}

/** Draws Keras's progress line. `fit` makes one unless `verbose` is 0 or one is among the callbacks. */
export class ProgressBar extends Callback {
  private readonly terminal: Terminal;
  private readonly now: () => number;
  private readonly form: 'keras3' | 'keras2';
  private line: Progress | null = null;
  private inFit = false;
  /** Steps that were told. */
  private seen = 0;

  constructor(options?: ProgressBarOptions) {
    super();
    const given = readOptions('progressBar', options, {
      form: 'keras3' as NonNullable<ProgressBarOptions['form']>,
      terminal: null as Terminal | null,
      now: () => performance.now(),
    });
    this.form = oneOf(given.form, 'progressBar', 'form', ['keras3', 'keras2']);
    this.terminal = given.terminal ?? standardTerminal();
    this.now = given.now;
  }

  override onTrainBegin(): void {
    this.inFit = true;
  }

  override onTrainEnd(): void {
    this.inFit = false;
  }

  override onEpochBegin(epoch: number): void {
    const { verbose, epochs } = this.params;
    if (verbose > 0 && epochs > 1) this.terminal.write(`Epoch ${epoch + 1}/${epochs}\n`);
    this.start();
  }

  override onTestBegin(): void {
    if (!this.inFit) this.start();
  }

  override onPredictBegin(): void {
    this.start();
  }

  override onProgress(step: number, logs: Logs): void {
    this.seen = step;
    this.line?.update(step, this.arranged(logs));
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.finish(logs);
  }

  override onTestEnd(logs: Logs): void {
    if (!this.inFit) this.finish(logs);
  }

  override onPredictEnd(): void {
    this.finish({});
  }

  private start(): void {
    const { steps, verbose } = this.params;
    const Line = this.form === 'keras2' ? Keras2Progress : Progress;
    this.line = new Line(steps, verbose, this.terminal, this.now);
  }

  private finish(logs: Logs): void {
    this.line?.update(this.params.steps ?? this.seen, this.arranged(logs), true);
    this.line = null;
  }

  private arranged(logs: Logs): Logs {
    if (this.form === 'keras3') return logs;
    const keys = ['loss', ...this.model.metrics.map(({ name }) => name)];
    const order = [...keys, ...keys.map((key) => `val_${key}`)].filter((key) => Object.hasOwn(logs, key));
    return { ...Object.fromEntries(order.map((key) => [key, logs[key]])), ...logs };
  }
}
