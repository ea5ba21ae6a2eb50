/** Draws, runs, and where something is wrong makes it small and tells. */
import type { Engine } from '../../src/index.ts';
import { draw, type Theme, themeOf } from './draw.ts';
import { closeEngine, engineLines, openEngine, type Setting } from './engines.ts';
import { linesOf, script } from './print.ts';
import { expected, type Program } from './program.ts';
import { type Failure, failureOf, failureOfTraining } from './run.ts';
import { isSense, shrink, smallerPrograms } from './shrink.ts';
import { drawTraining, simulate, smallerTrainings, type Training, trainingLines } from './training.ts';

/** Something that is drawn from a seed, run on an engine, and made smaller when it fails. */
export interface Kind<P> {
  draw(seed: number): P;
  failureOf(program: P, engine: Engine): Promise<Failure | null>;
  smaller(program: P): Iterable<P>;
  lines(program: P): readonly string[];
  /** What is right, in words. */
  right(program: P): readonly string[];
  about(seed: number): string;
}

const few = (name: string, values: readonly number[]): string =>
  `${name}: ${values
    .slice(0, 12)
    .map((v) => +v.toPrecision(6))
    .join(' ')}${values.length > 12 ? ' …' : ''}`;

/** Random programs; `scale` is how long they are. */
export const programs = ({ scale = 1, theme }: { scale?: number; theme?: Theme } = {}): Kind<Program> => ({
  draw: (seed) => draw(seed, { scale, theme }),
  failureOf,
  *smaller(program) {
    for (const one of smallerPrograms(program)) if (isSense(one)) yield one;
  },
  lines: linesOf,
  right: (program) =>
    expected(program, { walks: 0, factor: 0, slack: 0 }).map(({ name, value }) =>
      few(
        name,
        value.data.map(({ v }) => v),
      ),
    ),
  about: (seed) => theme ?? themeOf(seed),
});

/** Random little trainings. */
export const trainings: Kind<Training> = {
  draw: drawTraining,
  failureOf: failureOfTraining,
  smaller: smallerTrainings,
  lines: trainingLines,
  right: (training) => simulate(training).map(({ name, values }) => few(name, values)),
  about: () => 'training',
};

/** What a failing program is told as. */
export interface Report {
  readonly seed: number;
  readonly message: string;
  readonly code: string;
}

/** A program that failed, made small on engines of its own. */
async function told<P>(
  kind: Kind<P>,
  seed: number,
  setting: Setting,
  failure: Failure,
  ms: number,
): Promise<Report> {
  const program = kind.draw(seed);
  const print = (one: P, what: string): string =>
    script(kind.lines(one), engineLines(setting), [
      `seed ${seed} (${kind.about(seed)}) on ${setting.name}: ${what}`,
      'right:',
      ...kind.right(one).map((line) => `  ${line}`),
    ]);
  // Nobody can stop a compiler that does not end.
  if (failure.kind === 'hang')
    return { seed, message: failure.message, code: print(program, failure.message) };

  // An engine that answered right has its kernels compiled and is used again.
  let engine: Engine | null = null;
  const alone = async (one: P): Promise<Failure | null> => {
    engine ??= await openEngine(setting);
    const found = await kind.failureOf(one, engine);
    if (found) {
      await closeEngine(engine);
      engine = null;
    }
    return found;
  };
  const again = await alone(program);
  if (!again) {
    const message = `${failure.message} (after other programs; alone it is right)`;
    return { seed, message, code: print(program, message) };
  }
  const small = await shrink(program, again, kind.smaller, alone, ms);
  if (engine) await closeEngine(engine);
  const { message } = small.failure;
  return { seed, message, code: print(small.program, `${message} (after ${small.attempts} attempts)`) };
}

export interface FuzzOptions {
  /** Stops after so many failures; default 1. */
  most?: number;
  /** How long one failure may be made smaller. */
  shrinkMs?: number;
  /** When to stop, on the clock of `performance.now()`. */
  end?: number;
}

/** Runs what these seeds draw on one engine. */
export async function fuzz<P>(
  kind: Kind<P>,
  seeds: Iterable<number>,
  setting: Setting,
  { most = 1, shrinkMs = 20_000, end = Number.POSITIVE_INFINITY }: FuzzOptions = {},
): Promise<{ run: number; reports: Report[] }> {
  const reports: Report[] = [];
  let engine = await openEngine(setting);
  let run = 0;
  for (const seed of seeds) {
    if (performance.now() > end) break;
    run++;
    const failure = await kind.failureOf(kind.draw(seed), engine);
    if (!failure) continue;
    await closeEngine(engine);
    reports.push(await told(kind, seed, setting, failure, shrinkMs));
    if (reports.length >= most || failure.kind === 'hang') return { run, reports };
    engine = await openEngine(setting);
  }
  await closeEngine(engine);
  return { run, reports };
}

export const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
