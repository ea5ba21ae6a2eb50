/** What fit, evaluate and predict have in common: verbosity, default callbacks, logs in order. */
import { isDataset } from '../../data/pipeline/is-dataset.ts';
import type { Callback, Logs } from '../callbacks/callback.ts';
import { ProgressBar } from '../callbacks/progress-bar.ts';
import { flag, oneOf, wholeNumber } from '../check.ts';
import type { Verbosity } from '../report/progress.ts';

/** 0 silent, 1 a progress line, 2 a line when it is done; 'auto' is 1. */
export const verbosity = (given: unknown, operation: string): Verbosity => {
  const value = oneOf(given === true ? 1 : given === false ? 0 : given, operation, 'verbose', [
    'auto',
    0,
    1,
    2,
  ]);
  return value === 'auto' ? 1 : (value as Verbosity);
};

/** Whether data are streamed, or null where their size decides. */
export const streaming = (given: unknown, operation: string): boolean | null =>
  given === null ? null : flag(given, operation, 'stream');

/** A number of steps, or null where it was not said. */
export const stepsOrAll = (given: unknown, operation: string, argument: string): number | null =>
  given === null ? null : wholeNumber(given, operation, argument);

/** Samples of a step as they were asked for, or null where nobody did. */
export const batchSizeAsked = (given: unknown, operation: string): number | null =>
  given === undefined ? null : wholeNumber(given, operation, 'batchSize');

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

/** The user's callbacks with those that are always there. */
export function withDefaults(callbacks: readonly Callback[], verbose: Verbosity): Callback[] {
  const hasBar = verbose === 0 || callbacks.some((one) => one instanceof ProgressBar);
  return hasBar ? [...callbacks] : [...callbacks, new ProgressBar()];
}

/** Keys in alphabetical order, as Keras shows them. */
export const sorted = (logs: Logs): Logs =>
  Object.fromEntries(Object.entries(logs).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
