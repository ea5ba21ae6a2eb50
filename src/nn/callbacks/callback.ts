/** What happens at the moments of training. */

import type { Verbosity } from '../report/progress.ts';
import type { Trainable } from '../training/trainable.ts';

/** Values by key: 'loss', 'accuracy', 'val_loss', … in alphabetical order. */
export type Logs = Readonly<Record<string, number>>;

/** Logs that a callback may add to: those after it, the progress line and the History see it too. */
export type EpochLogs = Record<string, number>;

/** What a callback must remember to go on in another process: plain values, lists, and tensors of f32. */
export type CallbackState = Readonly<Record<string, unknown>>;

/** A moment of a run. */
export interface Moment {
  /** The epoch to go on with, from 0, and how many of its steps are done. */
  readonly epoch: number;
  readonly step: number;
  /** What those have added up to: samples, and the sums behind loss and metrics; null where no step is done. */
  readonly seen: Seen | null;
  /** Whether somebody had stopped training. */
  readonly stopped: boolean;
  /** Of each callback of the run, in order; null where it has nothing to remember. */
  readonly callbacks: readonly (CallbackState | null)[];
}

/** Sums of a pass that is under way: of the blocks of steps that are closed, and of the one that is open. */
export interface Seen {
  readonly samples: number;
  readonly totals: readonly number[];
  readonly open: readonly number[];
}

/** What a run is about. */
export interface RunParameters {
  readonly verbose: Verbosity;
  readonly epochs: number;
  /** Steps of an epoch; null as long as nobody knows: of a dataset that cannot say, during its epochs. */
  readonly steps: number | null;
}

/** What one who keeps a run sees of it. */
export interface RunState {
  /** Everybody who listens, the callbacks that each run brings along included. */
  readonly callbacks: readonly Callback[];
  /** What the steps of the present epoch have added up to; null where they cannot be gone on with. */
  seen(): Seen | null;
}

/** A hook may wait; training waits with it. */
export type Waiting = void | Promise<void>;

/**
 * The base of callbacks; override what is needed. Batches have logs only where a callback overrides one of
 * their hooks, and then every batch is waited for: leave them alone where epochs will do.
 */
export class Callback {
  /** The model, from before training begins. */
  model!: Trainable;
  params!: RunParameters;

  setModel(model: Trainable): void {
    this.model = model;
  }

  setParams(params: RunParameters): void {
    this.params = params;
  }

  onTrainBegin(_logs: Logs): Waiting {}
  onTrainEnd(_logs: Logs): Waiting {}
  onEpochBegin(_epoch: number, _logs: Logs): Waiting {}
  /** `logs`: means over the epoch, with `val_` for validation. */
  onEpochEnd(_epoch: number, _logs: EpochLogs): Waiting {}
  onTrainBatchBegin(_batch: number, _logs: Logs): Waiting {}
  /** `logs`: means over the epoch so far. */
  onTrainBatchEnd(_batch: number, _logs: Logs): Waiting {}
  onTestBegin(_logs: Logs): Waiting {}
  onTestEnd(_logs: Logs): Waiting {}
  onTestBatchBegin(_batch: number, _logs: Logs): Waiting {}
  onTestBatchEnd(_batch: number, _logs: Logs): Waiting {}
  onPredictBegin(_logs: Logs): Waiting {}
  onPredictEnd(_logs: Logs): Waiting {}
  onPredictBatchBegin(_batch: number, _logs: Logs): Waiting {}
  onPredictBatchEnd(_batch: number, _logs: Logs): Waiting {}
  /** What it must remember for another process to go on with its run; null, the default: nothing. */
  getState(): CallbackState | null {
    return null;
  }

  /** Takes over what it remembered. Called after `onTrainBegin`. */
  setState(_state: CallbackState): void {}

  /** Where a run is to go on, before it begins; only of who keeps that. */
  resume?(run: RunState): Promise<Moment | null>;

  /** A few times a second while steps run: `step` of them are done. Costs no waiting. */
  onProgress(_step: number, _logs: Logs): Waiting {}
}

/** The hooks, for callbacks written as plain objects. */
export type Hook = Exclude<
  { [K in keyof Callback]: K extends `on${string}` ? K : never }[keyof Callback],
  undefined
>;

export const hooks: readonly Hook[] = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onTrainBatchBegin',
  'onTrainBatchEnd',
  'onTestBegin',
  'onTestEnd',
  'onTestBatchBegin',
  'onTestBatchEnd',
  'onPredictBegin',
  'onPredictEnd',
  'onPredictBatchBegin',
  'onPredictBatchEnd',
  'onProgress',
];

/** A callback as a plain object with some of the hooks. */
export type CallbackFunctions = Partial<
  Pick<Callback, Hook | 'setModel' | 'setParams' | 'getState' | 'setState'>
>;

/** Whether somebody wants to hear of a moment. */
export const listens = (callback: Callback, hook: Hook): boolean =>
  callback[hook] !== Callback.prototype[hook];
