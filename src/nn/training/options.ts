/** What fit, evaluate and predict have in common: options, callbacks that are always there, logs in order. */
import { ConfigError } from '../../base/errors.ts';
import { isDataset } from '../../data/pipeline/is-dataset.ts';
import type { Callback, Logs } from '../callbacks/callback.ts';
import { type CallbackLike, CallbackList, resolveCallbacks } from '../callbacks/list.ts';
import { ProgressBar } from '../callbacks/progress-bar.ts';
import { flag, oneOf, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import type { Verbosity } from '../report/progress.ts';
import type { Trainable } from './trainable.ts';

export interface RunOptions {
  /** Samples of a step; default 32. */
  batchSize?: number;
  /** 0 silent, 1 a progress line, 2 a line at the end (of each epoch); default 'auto': 1. */
  verbose?: Verbosity | 'auto';
  /** Callbacks, or objects with some of their functions. */
  callbacks?: CallbackLike | readonly CallbackLike[] | null;
  /**
   * Whether samples are streamed through a small window on the GPU (true) or stay there for the whole run (false);
   * default: streamed where they take more than half of the memory that is left. The numbers are the same.
   */
  stream?: boolean | null;
  /** Stops between two steps; the call then rejects with AbortError. */
  signal?: AbortSignal | null;
}

/** The options of a run; `more`: defaults of those that only this kind of run has, which it checks itself. */
export function readRunOptions<T extends object>(
  operation: string,
  options: RunOptions | undefined,
  more: T,
) {
  const given = readOptions(operation, options, {
    batchSize: undefined as number | undefined,
    verbose: 'auto' as RunOptions['verbose'],
    callbacks: null as RunOptions['callbacks'],
    stream: null as boolean | null,
    signal: null as AbortSignal | null,
    ...more,
  });
  const { batchSize, verbose, callbacks, stream, signal } = given;
  if (signal !== null && !(typeof signal === 'object' && 'aborted' in signal))
    throw new ConfigError(`${operation}: signal is ${describe(signal)}; expected an AbortSignal.`);
  return {
    ...given,
    /** Null where nobody said it. */
    batchSize: batchSize === undefined ? null : wholeNumber(batchSize, operation, 'batchSize'),
    verbose: verbosity(verbose, operation),
    callbacks: resolveCallbacks(callbacks, operation),
    stream: stream === null ? null : flag(stream, operation, 'stream'),
  };
}

/** 0 silent, 1 a progress line, 2 a line when it is done; 'auto' is 1. */
function verbosity(given: unknown, operation: string): Verbosity {
  const value = typeof given === 'boolean' ? Number(given) : given;
  return oneOf(value, operation, 'verbose', ['auto', 0, 1, 2]) === 'auto' ? 1 : (value as Verbosity);
}

/** A number of steps, or null where it was not said. */
export const stepsOrAll = (given: unknown, operation: string, argument: string): number | null =>
  given === null ? null : wholeNumber(given, operation, argument);

/** Options may follow a dataset at once: fit(dataset, options). */
export const optionsAfter = <T>(x: unknown, y: unknown, options: T | undefined): [unknown, T | undefined] =>
  isDataset(x) && options === undefined && isOptions(y) ? [undefined, y as T] : [y, options];

const isOptions = (y: unknown): boolean =>
  typeof y === 'object' && y !== null && Object.getPrototypeOf(y) === Object.prototype && !('data' in y);

/** As Keras warns: there is no more to be had. */
export const warnOfEnd = (operation: string, argument: string, asked: number, there: number): void =>
  console.warn(
    `${operation}: ${argument} is ${asked}, but the data end after ${there} ${there === 1 ? 'batch' : 'batches'}.`,
  );

/** Steps of a pass over data of `all` batches: as many as were asked for, if there are so many. */
export function stepsOf(all: number, asked: number | null, operation: string, argument: string): number {
  if (asked === null) return all;
  if (all < asked) warnOfEnd(operation, argument, asked, all);
  return Math.min(asked, all);
}

/** The user's callbacks and those that a run brings along; a progress line, unless one is among them. */
export function callbacksOf(
  model: Trainable,
  { callbacks, verbose }: { readonly callbacks: readonly Callback[]; readonly verbose: Verbosity },
  ...own: Callback[]
): CallbackList {
  const hasBar = verbose === 0 || callbacks.some((one) => one instanceof ProgressBar);
  const all = [...callbacks, ...(hasBar ? [] : [new ProgressBar()]), ...own];
  // Who keeps where a run stands hears of everything last, when the others have heard of it.
  all.sort((a, b) => Number('resume' in a) - Number('resume' in b));
  return new CallbackList(all, model.inCallback);
}

/** Keys in alphabetical order, as Keras shows them. */
export const sorted = (logs: Logs): Logs =>
  Object.fromEntries(Object.entries(logs).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
