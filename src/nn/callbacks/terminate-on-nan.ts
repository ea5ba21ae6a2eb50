import { standardTerminal } from '../report/terminal.ts';
import { Callback, type Logs } from './callback.ts';

/** Stops training at the batch whose loss is NaN or infinite. Looking at each batch means waiting for each. */
export class TerminateOnNaN extends Callback {
  override onTrainBatchEnd(batch: number, { loss }: Logs): void {
    if (Number.isFinite(loss)) return;
    standardTerminal().write(`Batch ${batch}: Invalid loss, terminating training\n`);
    this.model.stopTraining = true;
  }
}
