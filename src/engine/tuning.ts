/**
 * How kernels are told to run, in plain data: what was chosen, where it comes from, and how it is written
 * down. What the words of a tuning mean is the kernel family's business.
 */
import { ConfigError } from '../base/errors.ts';

/** Values of a kernel's tunable constants, by name. Empty: the family's own rule decides. */
export type Tuning = Readonly<Record<string, number | string | boolean>>;

/** One way to compute a kernel. */
export interface Candidate {
  readonly tuning: Tuning;
  /** Why this device cannot run it, in words, or null. */
  readonly refused: string | null;
}

/** The tuning that a kernel runs with, and where it comes from. */
export interface Choice {
  readonly tuning: Tuning;
  /**
   * `static`: the family's rule for shapes and profile. `pinned`: `init({ tuning })` says so. `cached`: measured
   * earlier, on this adapter. `measured`: measured by this engine.
   */
  readonly from: 'static' | 'pinned' | 'cached' | 'measured';
  /** What one run takes, in microseconds, when that was measured. */
  readonly microseconds?: number;
  /** What one run of the static choice takes, measured beside it. */
  readonly staticMicroseconds?: number;
}

/** A choice as it is written down, under the kernel's key. */
export interface RecordedChoice {
  readonly tuning: Tuning;
  readonly microseconds?: number;
  readonly staticMicroseconds?: number;
  /** Microseconds of each variant that was measured, by its words ({@link wordsOf}); null: it did not compile. */
  readonly tried?: Readonly<Record<string, number | null>>;
}

/** What `engine.tuning.toJSON()` gives and `init({ tuning })` takes. */
export interface TuningRecord {
  readonly format: 'weft-tuning';
  readonly version: 1;
  /** The adapter and driver that it was measured on. */
  readonly adapter: string;
  /** Fingerprint of the shader texts that it was measured with. */
  readonly shaders: string;
  readonly choices: Readonly<Record<string, RecordedChoice>>;
}

/** What `init({ tuning })` takes. */
export type TuningOption = 'off' | 'cached' | 'full' | TuningRecord | Readonly<Record<string, Tuning>>;

/** A tuning in a few words, the same for the same tuning: `COOPERATE=true`. */
export const wordsOf = (tuning: Tuning): string =>
  Object.entries(tuning)
    .sort(([p], [q]) => (p < q ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

export const isRecord = (option: TuningOption): option is TuningRecord =>
  typeof option === 'object' && (option as { format?: unknown }).format === 'weft-tuning';

/** Throws ConfigError unless `option` is one that `init({ tuning })` takes. */
export function checkTuning(option: unknown): void {
  if (option === undefined || option === 'off' || option === 'cached' || option === 'full') return;
  if (!isObject(option))
    throw new ConfigError(
      `init: tuning is ${JSON.stringify(option)}. Expected 'off', 'cached', 'full', or what engine.tuning.toJSON() gave.`,
    );
  if ('format' in option) parseRecord(option, 'init: tuning');
  else
    for (const [family, tuning] of Object.entries(option))
      if (!isTuning(tuning))
        throw new ConfigError(
          `init: tuning.${family} is ${JSON.stringify(tuning)}. Expected values by name, as { TILE_M: 8 }.`,
        );
}

/** A record read from a file or given by a user. Throws ConfigError, naming what is wrong with it. */
export function parseRecord(found: unknown, what: string): TuningRecord {
  const fail = (problem: string): never => {
    throw new ConfigError(`${what}: ${problem}. Expected what engine.tuning.toJSON() gives.`);
  };
  if (!isObject(found) || found.format !== 'weft-tuning') return fail('this is no record of tunings');
  if (found.version !== 1) fail(`this is version ${JSON.stringify(found.version)} of the format, not 1`);
  if (typeof found.adapter !== 'string' || typeof found.shaders !== 'string')
    fail("'adapter' or 'shaders' is missing");
  if (!isObject(found.choices)) return fail("'choices' is missing");
  for (const [key, choice] of Object.entries(found.choices)) {
    const times = isObject(choice) ? [choice.microseconds, choice.staticMicroseconds] : [];
    if (
      !isObject(choice) ||
      !isTuning(choice.tuning) ||
      !times.every((time) => time === undefined || Number.isFinite(time)) ||
      !(choice.tried === undefined || isTimes(choice.tried))
    )
      fail(`choices[${JSON.stringify(key)}] is ${JSON.stringify(choice)?.slice(0, 200)}`);
  }
  return found as unknown as TuningRecord;
}

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const isTuning = (x: unknown): x is Tuning =>
  isObject(x) && Object.values(x).every((value) => ['number', 'string', 'boolean'].includes(typeof value));

const isTimes = (x: unknown): boolean =>
  isObject(x) && Object.values(x).every((time) => time === null || Number.isFinite(time));
