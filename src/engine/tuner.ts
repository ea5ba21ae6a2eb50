/**
 * Chooses among the ways to compute a kernel: the family's own rule, what the user pinned, what was measured
 * earlier on this adapter, or what is measured now. It knows commands and microseconds, no mathematics.
 */
import { ConfigError, DeviceLostError, DisposedError } from '../base/errors.ts';
import type { BufferRange } from './arena.ts';
import type { Command } from './recorder.ts';
import {
  type Candidate,
  type Choice,
  isRecord,
  type RecordedChoice,
  type Tuning,
  type TuningOption,
  type TuningRecord,
  wordsOf,
} from './tuning.ts';
import { recordOf, type TuningCache } from './tuning-cache.ts';

/** A kernel that wants a variant. */
export interface TuningRequest {
  readonly family: string;
  /** Family, shapes and structure, in words. Equal keys are one question. Made when asked for. */
  readonly key: string;
  /** The family's own choice. */
  readonly standard: Tuning;
  /** The whole tuning that some values of it amount to. */
  whole(values: Tuning): Tuning;
  /** What is worth measuring, the likeliest first. */
  candidates(): readonly Candidate[];
  /** Why a tuning from a file or a record cannot be used, or null. Its values end up in shader texts. */
  refusal(tuning: Tuning): string | null;
  /** The kernel in a variant, as it is going to run. */
  command(tuning: Tuning): Command;
  /** The memory that it overwrites. */
  readonly writes: readonly BufferRange[];
}

export interface TuningContext {
  /** Fingerprint of the shader texts. */
  readonly shaders: string;
  /** May it be measured? What runs once is not worth it. */
  readonly measure: boolean;
  /** Hears how many kernels are measured. */
  readonly progress?: (done: number, total: number) => void;
}

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

/** What the tuner needs of its engine; a test gives a fake. */
export interface TunerHost {
  readonly adapter: string;
  readonly cache: TuningCache;
  /** A place to measure; `writes` is what must not be touched. */
  bench(writes: readonly BufferRange[]): Bench;
  now(): number;
  /** Hears what the user should know but need not act on. */
  note(text: string): void;
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
const REPAY_RUNS = 20_000;

export const DEFAULT_BUDGET_MS = 4000;

/** A variant in the race. */
interface Runner {
  readonly tuning: Tuning;
  readonly trial: Trial;
  readonly samples: number[];
}

export class Tuner {
  readonly mode: 'off' | 'cached' | 'full' | 'pinned';
  readonly #option: TuningOption;
  readonly #budgetMs: number;
  readonly #host: TunerHost;
  /** Everything chosen so far, by key. */
  readonly #choices = new Map<string, Choice & { readonly family: string }>();
  /** What is known from the cache or a measurement, by key. */
  #known: Map<string, RecordedChoice> | undefined;
  /** Kernels that had their turn in this program, also where the budget did not suffice; another one goes on. */
  readonly #raced = new Set<string>();
  #shaders = '';

  constructor(option: TuningOption = 'off', budgetMs = DEFAULT_BUDGET_MS, host: TunerHost) {
    this.#option = option;
    this.#budgetMs = budgetMs;
    this.#host = host;
    this.mode = typeof option === 'string' ? option : 'pinned';
  }

  /** What every kernel so far runs with, and why. */
  choices(): ({ readonly key: string; readonly family: string } & Choice)[] {
    return [...this.#choices].map(([key, choice]) => ({ key, ...choice }));
  }

  /** The choices so far, to be printed, kept, and given to `init({ tuning })`: the same variants, the same bits. */
  toJSON(): TuningRecord {
    const chosen = [...this.#choices].map(([key, { tuning, microseconds, staticMicroseconds }]) => {
      const { tried } = this.#known?.get(key) ?? {};
      const choice: RecordedChoice = {
        tuning,
        ...(microseconds === undefined ? {} : { microseconds }),
        ...(staticMicroseconds === undefined ? {} : { staticMicroseconds }),
        ...(tried === undefined ? {} : { tried }),
      };
      return [key, choice] as const;
    });
    return recordOf(this.#host.adapter, this.#shaders, new Map(chosen));
  }

  /**
   * A choice for each kernel of a plan. What is measured shares one budget, the slowest kernels first.
   *
   * Throws ConfigError for a pinned tuning that is none of the kernel's, or that this device cannot run.
   */
  async choose(requests: readonly TuningRequest[], context: TuningContext): Promise<Choice[]> {
    // What runs once is not listed, or a long program's list would grow for ever.
    if (this.mode === 'off' && !context.measure)
      return requests.map(({ standard }) => ({ tuning: standard, from: 'static' }));
    await this.#load(context.shaders);
    const open = new Map<string, TuningRequest>();
    const wanted = this.mode === 'full' && context.measure;
    for (const request of requests)
      if (wanted && !this.#raced.has(request.key) && this.#untried(request).length > 0)
        open.set(request.key, request);
    if (open.size > 0) await this.#measure([...open.values()], context);
    return requests.map((request) => {
      const choice = this.#settled(request);
      if (context.measure) this.#choices.set(request.key, { family: request.family, ...choice });
      return choice;
    });
  }

  async #load(shaders: string): Promise<void> {
    if (this.#known) return;
    this.#shaders = shaders;
    const option = this.#option;
    if (isRecord(option)) {
      this.#known = new Map(Object.entries(option.choices));
      if (option.shaders !== shaders)
        this.#host.note('tuning: the record given to init was made with other kernels; results may differ.');
    } else {
      const stored = this.mode === 'cached' || this.mode === 'full';
      this.#known = new Map(stored ? await this.#host.cache.load(shaders) : []);
    }
  }

  /** What is known about a kernel now. */
  #settled(request: TuningRequest): Choice {
    const option = this.#option;
    if (typeof option === 'object' && !isRecord(option)) {
      const values = Object.hasOwn(option, request.family) ? option[request.family] : undefined;
      return values
        ? { tuning: request.whole(values), from: 'pinned' }
        : { tuning: request.standard, from: 'static' };
    }
    const known = this.#known!.get(request.key);
    if (!known) return { tuning: request.standard, from: 'static' };
    const { tuning, microseconds, staticMicroseconds } = known;
    const problem = request.refusal(tuning);
    if (problem === null)
      return {
        tuning,
        from: this.mode === 'pinned' ? 'pinned' : this.#raced.has(request.key) ? 'measured' : 'cached',
        ...(microseconds === undefined ? {} : { microseconds }),
        ...(staticMicroseconds === undefined ? {} : { staticMicroseconds }),
      };
    const what = `tuning: ${request.key} with ${wordsOf(tuning)}: ${problem}`;
    if (this.mode === 'pinned')
      throw new ConfigError(`init: ${what}. Fix: leave this choice out of the record.`);
    this.#host.note(`${what}; it is ignored.`);
    return { tuning: request.standard, from: 'static' };
  }

  #untried(request: TuningRequest): Tuning[] {
    const { tried = {} } = this.#known!.get(request.key) ?? {};
    return request
      .candidates()
      .filter(({ tuning, refused }) => refused === null && !Object.hasOwn(tried, wordsOf(tuning)))
      .map(({ tuning }) => tuning);
  }

  async #measure(requests: readonly TuningRequest[], { progress, shaders }: TuningContext): Promise<void> {
    const races: { request: TuningRequest; bench: Bench; standard: Runner }[] = [];
    try {
      progress?.(0, requests.length);
      for (const request of requests) {
        this.#raced.add(request.key);
        const bench = this.#host.bench(request.writes);
        // The static choices are compiled anyway: the budget begins after them.
        const trial = await this.#attempt(bench, request.command(request.standard));
        if (!trial) {
          bench.dispose();
          continue;
        }
        const standard: Runner = { tuning: request.standard, trial, samples: [await trial.sample()] };
        races.push({ request, bench, standard });
      }
      races.sort((p, q) => q.standard.samples[0] - p.standard.samples[0]);
      const deadline = this.#host.now() + this.#budgetMs;
      for (const [done, { request, bench, standard }] of races.entries()) {
        progress?.(done, races.length);
        const { compileMs } = standard.trial;
        // Another variant compiles about as long; what a kernel could save must be worth that.
        const late = (ms: number): boolean => this.#host.now() + ms >= deadline;
        const mostGainMs = (REPAY_RUNS * standard.samples[0]) / 1000;
        if (!late(compileMs) && mostGainMs > compileMs)
          this.#known!.set(request.key, await this.#race(request, bench, standard, late));
      }
      progress?.(races.length, races.length);
    } finally {
      for (const { bench, standard } of races) {
        standard.trial.dispose();
        bench.dispose();
      }
      // What was measured before a failure is worth keeping, too.
      const measured = requests.flatMap(({ key }) => {
        const known = this.#known!.get(key);
        return known ? [[key, known] as const] : [];
      });
      await this.#host.cache.save(shaders, new Map(measured));
    }
  }

  /** Variants against each other: whoever falls far behind leaves, the fastest in the end is chosen. */
  async #race(
    request: TuningRequest,
    bench: Bench,
    standard: Runner,
    late: (ms: number) => boolean,
  ): Promise<RecordedChoice> {
    const before = this.#known!.get(request.key);
    const tried: Record<string, number | null> = { ...before?.tried };
    const runners: Runner[] = [standard];
    let field = [standard];
    const seen = [request.command(standard.tuning)];
    const leave = (limit: number): void => {
      const best = Math.min(...field.map((one) => typical(one.samples)));
      field = field.filter((one) => one === standard || typical(one.samples) <= limit * best);
    };
    const earlier = before && request.refusal(before.tuning) === null ? [before.tuning] : [];
    try {
      for (const tuning of [...earlier, ...this.#untried(request)]) {
        const command = request.command(tuning);
        if (seen.some((one) => sameKernel(one, command))) {
          // Another spelling of what is in the race already; the static choice as a rule.
          tried[wordsOf(tuning)] ??= typical(standard.samples);
          continue;
        }
        if (late(standard.trial.compileMs)) continue;
        seen.push(command);
        const trial = await this.#attempt(bench, command);
        tried[wordsOf(tuning)] = null;
        if (!trial) continue;
        const runner: Runner = { tuning, trial, samples: [] };
        runners.push(runner);
        runner.samples.push(await trial.sample());
        tried[wordsOf(tuning)] = runner.samples[0];
        field.push(runner);
        leave(FAR_BEHIND[0]);
      }
      const begin = this.#host.now();
      for (const limit of FAR_BEHIND.slice(1)) {
        if (field.length === 1 || (late(0) && this.#host.now() - begin > ROUNDS_MS)) break;
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

  /** A variant that does not compile here, or has no room to be measured in, is out of the race, and no more. */
  async #attempt(bench: Bench, command: Command): Promise<Trial | null> {
    try {
      return await bench.prepare(command);
    } catch (error) {
      if (error instanceof DeviceLostError || error instanceof DisposedError) throw error;
      this.#host.note(`tuning: a variant of ${command.label} is left out: ${(error as Error).message}`);
      return null;
    }
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
