/** JSON out of files: parsed with care, and read with messages that say where. */
import { FormatError } from '../../base/errors.ts';
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
