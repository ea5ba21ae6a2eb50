import { Progress } from '../report/progress.ts';
import { standardTerminal, type Terminal } from '../report/terminal.ts';
import { Callback, type Logs } from './callback.ts';

/** Draws Keras's progress line. `fit` makes one unless `verbose` is 0 or one is among the callbacks. */
export class ProgressBar extends Callback {
  private readonly terminal: Terminal;
  private readonly now: () => number;
  private line: Progress | null = null;
  private inFit = false;

  /** `terminal` and `now` (milliseconds) are for pages and tests; default standard output and its clock. */
  constructor(terminal: Terminal = standardTerminal(), now: () => number = () => performance.now()) {
    super();
    this.terminal = terminal;
    this.now = now;
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
    this.line?.update(step, logs);
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
    this.line = new Progress(steps, verbose, this.terminal, this.now);
  }

  private finish(logs: Logs): void {
    this.line?.update(this.params.steps, logs, true);
    this.line = null;
  }
}
