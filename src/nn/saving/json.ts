/** JSON out of files: parsed with care, and read with messages that say where. */
import { ConfigError, FormatError } from '../../base/errors.ts';
import { describe } from '../names.ts';

export type JsonObject = { readonly [key: string]: unknown };

/** Descriptions of models are shallow; deeper ones are meant to exhaust the stack. */
const DEEPEST = 100;

/** JSON from a file. FormatError for what is no JSON, too deep, or would reach for an object's prototype. */
export function parseJson(text: string | Uint8Array, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text));
  } catch (error) {
    throw new FormatError(`${where}: not JSON: ${(error as Error).message}`, { cause: error });
  }
  check(value, where, 0);
  return value;
}

function check(value: unknown, where: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEEPEST) throw new FormatError(`${where}: nested more than ${DEEPEST} deep.`);
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') throw new FormatError(`${where}: has a key "__proto__".`);
    check(inner, where, depth + 1);
  }
}

/**
 * JSON for a file. ConfigError, with the place, for what would not come back as it is: functions, NaN and infinities,
 * objects of classes, or a description deeper than what is read.
 */
export function jsonText(value: unknown): string {
  checkPlain(value, '', 0);
  return JSON.stringify(value);
}

function checkPlain(value: unknown, place: string, depth: number): void {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return;
  const refuse = (reason: string): never => {
    throw new ConfigError(
      `save: ${place || 'the description'} ${reason}. Use saveWeights, or leave it out of getConfig().`,
    );
  };
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(`is ${value}, which JSON cannot hold`);
    return;
  }
  if (depth >= DEEPEST) refuse(`is nested more than ${DEEPEST} deep`);
  const prototype = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    refuse(`is ${describe(value)}, which JSON cannot hold`);
  for (const [key, inner] of Object.entries(value as object)) {
    if (key === '__proto__') refuse('has a key "__proto__"');
    checkPlain(inner, place === '' ? key : `${place}.${key}`, depth + 1);
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function objectAt(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new FormatError(`${where}: is ${describe(value)}; expected an object.`);
}

export function listAt(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new FormatError(`${where}: is ${describe(value)}; expected a list.`);
}

export function textAt(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new FormatError(`${where}: is ${describe(value)}; expected text.`);
}
