/**
 * Options as rows: each says once what stands where nothing was given, how a value is read and checked, and how it is
 * written down again. Types, unknown-name errors and configs follow from the rows.
 */
import { readOptions } from './names.ts';

/** Reads what was given for an option; throws, with operation and option, what does not fit. */
type Reader<Value> = (given: unknown, operation: string, option: string) => Value;

/** An option: what users may give, and what a class makes of it. */
export interface Row<Given, Value = Given> {
  /** What stands where nothing was given. */
  readonly default: Given;
  readonly read: Reader<Value>;
  /** What makes the value again, undefined for nothing; by default the value itself. */
  readonly config?: (value: Value) => unknown;
  /** What it says of options that every layer has. */
  readonly layer?: (value: Value) => object;
}

/** An option that must be given. */
export interface NeededRow<Given, Value = Given> extends Omit<Row<Given, Value>, 'default'> {
  readonly needed: true;
}

// biome-ignore lint/suspicious/noExplicitAny: rows of any types stand side by side.
export type Rows = Readonly<Record<string, Row<any, any> | NeededRow<any, any>>>;

/** What users give. */
export type Given<R extends Rows> = {
  -readonly [K in keyof R as R[K] extends { needed: true } ? K : never]: GivenOf<R[K]>;
} & { -readonly [K in keyof R as R[K] extends { needed: true } ? never : K]?: GivenOf<R[K]> };

type GivenOf<T> = T extends Row<infer G, infer _> | NeededRow<infer G, infer _> ? G : never;

/** What a class has for its options. */
export type Values<R extends Rows> = {
  readonly [K in keyof R]: R[K]['read'] extends Reader<infer V> ? V : never;
};

export const option = <Given, Value = Given>(
  otherwise: Given,
  read: Reader<Value>,
  config?: (value: Value) => unknown,
): Row<Given, Value> => ({ default: otherwise, read, config });

export const needed = <Given, Value = Given>(
  read: Reader<Value>,
  config?: (value: Value) => unknown,
): NeededRow<Given, Value> => ({ needed: true, read, config });

/** Null as it is, other values as `read` has them. */
export const orNull =
  <Value>(read: Reader<Value>): Reader<Value | null> =>
  (given, ...where) =>
    given === null ? null : read(given, ...where);

/** The values of options, in either spelling. ConfigError for one that neither `rows` nor `others` knows. */
export function readRows<R extends Rows, Others extends object>(
  operation: string,
  given: object | null | undefined,
  rows: R,
  others: Others,
): { values: Values<R>; rest: Others } {
  const defaults = Object.entries(rows).map(([name, row]) => [
    name,
    'default' in row ? row.default : undefined,
  ]);
  const all = readOptions<Record<string, unknown>>(operation, given, {
    ...others,
    ...Object.fromEntries(defaults),
  });
  const name = typeof all.name === 'string' ? all.name : operation;
  const read = (key: string): [string, unknown] => [key, rows[key].read(all[key], name, key)];
  return {
    values: Object.fromEntries(Object.keys(rows).map(read)) as Values<R>,
    rest: Object.fromEntries(Object.keys(others).map((key) => [key, all[key]])) as Others,
  };
}

/** The options that make an object with these values again. */
export const configOf = (rows: Rows, values: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(rows)
      .map(([key, { config }]) => {
        const value = (values as Record<string, unknown>)[key];
        return [key, config ? config(value) : value];
      })
      .filter(([, value]) => value !== undefined),
  );
