/** Options that nobody knows are refused: ignored, they would be a wrong answer without a word. */
import { ConfigError } from './errors.ts';

/** ConfigError that names the option and those there are. */
export function refuseUnknown(operation: string, option: string, known: readonly string[]): never {
  throw new ConfigError(
    `${operation}: option ${JSON.stringify(option)} is unknown. ${known.length > 0 ? `Known are ${known.join(', ')}.` : 'There are none.'}`,
  );
}

/** The options as they came, or none; ConfigError for what is no object, and for a name that is not among `known`. */
export function knownOptions<T extends object>(
  operation: string,
  options: T | null | undefined,
  known: readonly (keyof T & string)[],
): Partial<T> {
  if (options === null || options === undefined) return {};
  if (typeof options !== 'object' || Array.isArray(options) || ArrayBuffer.isView(options))
    throw new ConfigError(
      `${operation}: options are ${typeof options === 'object' ? 'an array' : JSON.stringify(options)}; expected an object with ${known.join(', ')}.`,
    );
  for (const option of Object.keys(options))
    if (!known.includes(option as keyof T & string)) refuseUnknown(operation, option, known);
  return options;
}
