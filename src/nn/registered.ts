/** What users made themselves and want files to call by a name. */
import { ConfigError } from '../base/errors.ts';
import { describe } from './names.ts';

const things = new Map<string, unknown>();
const names = new Map<unknown, string>();

/**
 * Gives what is the user's own a name in files: a class of layers, optimizers, initializers, losses or metrics, or a
 * function for an activation, initializer, regularizer, constraint, loss or metric. `loadModel` then finds it
 * without `customObjects`. Returns it.
 *
 * A name that is registered again means the newer thing. Throws ConfigError for a name that is no text and for a thing
 * that is neither function nor object.
 *
 * ```ts
 * const double = registerSerializable('double', (x) => x.mul(2));
 * await sequential([layers.input([4]), layers.dense(2, { activation: double })]).save('doubled.keras');
 * ```
 */
export function registerSerializable<T>(name: string, thing: T): T {
  if (typeof name !== 'string' || name === '')
    throw new ConfigError(`registerSerializable: name is ${describe(name)}; expected text.`);
  if (thing === null || (typeof thing !== 'function' && typeof thing !== 'object'))
    throw new ConfigError(
      `registerSerializable: ${name} is ${describe(thing)}; expected a function, a class or an object.`,
    );
  names.delete(things.get(name));
  things.set(name, thing);
  names.set(thing, name);
  return thing;
}

export const registeredThing = (name: string): unknown => things.get(name);
export const registeredName = (thing: unknown): string | undefined => names.get(thing);
