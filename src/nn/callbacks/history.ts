import { Callback, type CallbackState, type Logs } from './callback.ts';

/** Remembers the logs of each epoch; what `fit` resolves to. */
export class History extends Callback {
  /** A list for each key: `history.history.val_loss`. */
  history: Record<string, number[]> = {};
  /** Numbers of the epochs, from 0. */
  epoch: number[] = [];

  override onTrainBegin(): void {
    this.history = {};
    this.epoch = [];
  }

  override getState(): CallbackState {
    const { history, epoch } = this;
    return { history, epoch };
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state);
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) {
      if (!Object.hasOwn(this.history, key)) this.history[key] = [];
      this.history[key].push(value);
    }
  }
}
