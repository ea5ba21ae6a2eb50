/**
 * Tunings that come from outside: an option, a record, a file. Nothing in them is trusted, for their values become
 * text of shaders.
 */
import { ConfigError } from '../base/errors.ts';
import type { Tuning, TuningOption, TuningRecord, TuningRequest } from './tuning.ts';

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
  if (option === 'off' || option === 'cached' || option === 'full') return;
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

/** What says which variants a kernel has. */
type Variants = Pick<TuningRequest, 'family' | 'standard' | 'candidates' | 'catalogue' | 'refusal'>;

/** Why a kernel cannot run in this variant, or null. */
export function refusalOf(request: Variants, tuning: Tuning): string | null {
  const own = { tuning: request.standard, refused: null };
  const listed = [own, ...request.candidates(), ...request.catalogue()];
  const same = listed.find((one) => wordsOf(one.tuning) === wordsOf(tuning));
  if (same) return same.refused;
  // The rule of another adapter may have chosen what is not worth trying here. Its form is checked.
  const known = request.refusal && listed.some((one) => isAlike(one.tuning, tuning));
  return known ? request.refusal!(tuning) : `no variant of ${request.family}`;
}

/** The same names, with numbers for numbers and words for the same words. */
function isAlike(known: Tuning, tuning: Tuning): boolean {
  const names = Object.keys(known);
  if (names.length !== Object.keys(tuning).length) return false;
  return names.every((name) => {
    const [ours, theirs] = [known[name], tuning[name]];
    if (typeof ours === 'string') return ours === theirs;
    if (typeof ours === 'boolean') return typeof theirs === 'boolean';
    return typeof theirs === 'number' && Number.isInteger(theirs) && theirs > 0 && theirs <= MOST;
  });
}

/** No tile and no workgroup is larger than this. */
const MOST = 1024;

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const isTuning = (x: unknown): x is Tuning =>
  isObject(x) && Object.values(x).every((value) => ['number', 'string', 'boolean'].includes(typeof value));

const isTimes = (x: unknown): boolean =>
  isObject(x) && Object.values(x).every((time) => time === null || Number.isFinite(time));
