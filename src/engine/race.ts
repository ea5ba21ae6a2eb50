/** Measures the variants of one kernel against each other. */
import { DeviceLostError, DisposedError } from '../base/errors.ts';
import { refusalOf, wordsOf } from './foreign-tuning.ts';
import type { Command } from './recorder.ts';
import type { RecordedChoice, Tuning, TuningRequest } from './tuning.ts';

/** A command, compiled and ready to be measured. */
export interface Trial {
  /** Milliseconds to compile it and run it once. */
  readonly compileMs: number;
  /** Microseconds of one run, measured now. */
  sample(): Promise<number>;
  dispose(): void;
}

/** A place to measure variants of one kernel on memory of its own. */
export interface Bench {
  prepare(command: Command): Promise<Trial>;
  dispose(): void;
}

/** A variant must be this much faster than the static choice, so that noise does not flip choices. */
const WORTH_IT = 0.95;
/** After the first look, and after each round, whoever takes this many times the fastest's time is out. */
const FAR_BEHIND = [2, 1.4, 1.25, 1.15, 1.1, 1.1];
/** The rounds have this many milliseconds also when compiling has used up the budget: a choice from two samples is luck. */
const ROUNDS_MS = 500;
/**
 * A variant must win back what its compilation takes longer within this many runs: ten epochs of 60,000 samples in
 * batches of 32.
 */
export const REPAY_RUNS = 20_000;

/** A variant in the race. */
export interface Runner {
  readonly tuning: Tuning;
  readonly trial: Trial;
  readonly samples: number[];
}

/** A kernel that is to be measured. */
export interface Contest {
  readonly request: TuningRequest;
  readonly bench: Bench;
  /** Its static choice, with a first sample. */
  readonly standard: Runner;
}

/** What a race may take, and who hears of it. */
export interface Rules {
  now(): number;
  /** Whether something that takes so long would end after the deadline. */
  late(ms: number): boolean;
  /** Hears what the user should know but need not act on. */
  note(text: string): void;
}

/** Whoever falls far behind leaves, the fastest in the end is chosen. `before`: what earlier programs found out. */
export async function race(
  { request, bench, standard }: Contest,
  before: RecordedChoice | undefined,
  { now, late, note }: Rules,
): Promise<RecordedChoice> {
  const tried: Record<string, number | null> = { ...before?.tried };
  const runners: Runner[] = [standard];
  let field = [standard];
  const seen = [await request.command(standard.tuning)];
  const leave = (limit: number): void => {
    const best = Math.min(...field.map((one) => typical(one.samples)));
    field = field.filter((one) => one === standard || typical(one.samples) <= limit * best);
  };
  const earlier = before && refusalOf(request, before.tuning) === null ? [before.tuning] : [];
  try {
    for (const tuning of [...earlier, ...untried(request, before)]) {
      const command = await request.command(tuning);
      if (seen.some((one) => sameKernel(one, command))) {
        // Another spelling of what is in the race already; the static choice as a rule.
        tried[wordsOf(tuning)] ??= typical(standard.samples);
        continue;
      }
      if (late(standard.trial.compileMs)) continue;
      seen.push(command);
      const trial = await attempt(bench, command, note);
      tried[wordsOf(tuning)] = null;
      if (!trial) continue;
      const runner: Runner = { tuning, trial, samples: [] };
      runners.push(runner);
      runner.samples.push(await trial.sample());
      tried[wordsOf(tuning)] = runner.samples[0];
      field.push(runner);
      leave(FAR_BEHIND[0]);
    }
    const begin = now();
    for (const limit of FAR_BEHIND.slice(1)) {
      if (field.length === 1 || (late(0) && now() - begin > ROUNDS_MS)) break;
      for (const runner of field) runner.samples.push(await runner.trial.sample());
      // The other way round, so that a slow spell does not always meet the same one.
      for (const runner of field.toReversed()) runner.samples.push(await runner.trial.sample());
      leave(limit);
    }
  } finally {
    for (const { trial } of runners) if (trial !== standard.trial) trial.dispose();
  }
  for (const { tuning, samples } of runners) tried[wordsOf(tuning)] = rounded(typical(samples));
  const own = typical(standard.samples);
  const worthIt = ({ trial, samples }: Runner): boolean => {
    const gain = own - typical(samples);
    const price = 1000 * (trial.compileMs - standard.trial.compileMs);
    return typical(samples) < WORTH_IT * own && price < REPAY_RUNS * gain;
  };
  const [winner = standard] = field
    .filter((one) => one !== standard && worthIt(one))
    .sort((p, q) => typical(p.samples) - typical(q.samples));
  return {
    tuning: winner.tuning,
    microseconds: rounded(typical(winner.samples)),
    staticMicroseconds: rounded(own),
    tried,
  };
}

/** The variants that could be measured and were not yet. */
export const untried = (request: TuningRequest, before: RecordedChoice | undefined): Tuning[] =>
  request
    .candidates()
    .filter(({ tuning, refused }) => refused === null && !Object.hasOwn(before?.tried ?? {}, wordsOf(tuning)))
    .map(({ tuning }) => tuning);

/** A variant that does not compile here, or has no room to be measured in, is out of the race, and no more. */
export async function attempt(bench: Bench, command: Command, note: Rules['note']): Promise<Trial | null> {
  try {
    return await bench.prepare(command);
  } catch (error) {
    if (error instanceof DeviceLostError || error instanceof DisposedError) throw error;
    note(`tuning: a variant of ${command.label} is left out: ${(error as Error).message}`);
    return null;
  }
}

const sameKernel = (p: Command, q: Command): boolean =>
  p.shader.key === q.shader.key &&
  JSON.stringify(p.constants ?? {}) === JSON.stringify(q.constants ?? {}) &&
  p.workgroups.join() === q.workgroups.join();

/**
 * What a run takes, from samples that others on the machine made longer: the second shortest of three or more, so
 * that one lucky sample decides nothing.
 */
function typical(samples: readonly number[]): number {
  const sorted = [...samples].sort((p, q) => p - q);
  return sorted[sorted.length > 2 ? 1 : 0];
}

/** A tenth of a microsecond is more than a clock knows. */
const rounded = (microseconds: number): number => Math.round(10 * microseconds) / 10;
