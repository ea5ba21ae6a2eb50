/** The rules that arguments of layers, optimizers and fit obey, each with its message. */
import { ConfigError, ValueError } from '../base/errors.ts';
import { Tensor } from '../ops/tensor.ts';
import { describe } from './names.ts';

/** Neither null nor undefined: both say that nothing is given. */
export const isGiven = (value: unknown): boolean => value !== null && value !== undefined;

/** A whole number, `least` or more. */
export function wholeNumber(value: unknown, operation: string, argument: string, least = 1): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
    throw new ValueError(
      `${operation}: ${argument} is ${describe(value)}; expected a whole number${least === Number.NEGATIVE_INFINITY ? '' : `, ${least} or more`}.`,
    );
  return value;
}

/** A finite number from `low` to `high`. */
export function numberBetween(
  value: unknown,
  operation: string,
  argument: string,
  low: number,
  high = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < low || value > high) {
    const range = high === Number.POSITIVE_INFINITY ? `${low} or more` : `from ${low} to ${high}`;
    throw new ValueError(`${operation}: ${argument} is ${describe(value)}; expected a number, ${range}.`);
  }
  return value;
}

/** Reads a finite number from `low`, by default any, to `high`. */
export const between =
  (low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY) =>
  (value: unknown, operation: string, argument: string): number =>
    numberBetween(value, operation, argument, low, high);

/** Reads a whole number, `least` or more. */
export const wholeFrom =
  (least: number) =>
  (value: unknown, operation: string, argument: string): number =>
    wholeNumber(value, operation, argument, least);

/** true or false. */
export function flag(value: unknown, operation: string, argument: string): boolean {
  if (typeof value !== 'boolean')
    throw new ConfigError(`${operation}: ${argument} is ${describe(value)}; expected true or false.`);
  return value;
}

/** What a function of the user's gave, where a tensor is due. */
export function tensorFrom(result: unknown, what: string): Tensor {
  if (result instanceof Tensor) return result;
  throw new ConfigError(
    `${what} gave ${describe(result)}; expected a tensor. Return one, from a plain function and not an async one.`,
  );
}

/** One of a few words or values. */
export function oneOf<T>(value: unknown, operation: string, argument: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T))
    throw new ConfigError(
      `${operation}: ${argument} is ${describe(value)}; expected one of ${allowed.map(describe).join(', ')}.`,
    );
  return value as T;
}
