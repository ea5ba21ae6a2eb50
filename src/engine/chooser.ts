/**
 * Knows better than a family's own rule: what the user pinned, what was measured earlier on this adapter, or what is
 * measured now.
 */
import { ConfigError } from '../base/errors.ts';
import { textStore } from '../base/text-store.ts';
import type { BufferRange } from './arena.ts';
import { openBench } from './bench.ts';
import { isRecord, refusalOf, wordsOf } from './foreign-tuning.ts';
import type { Measured } from './measured.ts';
import { attempt, type Bench, type Contest, REPAY_RUNS, race, untried } from './race.ts';
import type { RecordedChoice, Settled, TuningContext, TuningOption, TuningRequest } from './tuning.ts';
import { TuningCache } from './tuning-cache.ts';

/** What choosing needs of the engine; a test gives a fake. */
export interface ChooserHost {
  readonly cache: TuningCache;
  /** A place to measure; `writes` is what must not be touched. */
  bench(writes: readonly BufferRange[]): Bench;
  now(): number;
  /** Hears what the user should know but need not act on. */
  note(text: string): void;
}

const DEFAULT_BUDGET_MS = 4000;

export class Chooser {
  readonly #option: TuningOption;
  readonly #budgetMs: number;
  readonly #host: ChooserHost;
  /** What is known from a record, the cache or a measurement, by key. */
  #known: Map<string, RecordedChoice> | undefined;
  /** Kernels that had their turn in this program, also where the budget did not suffice; another one goes on. */
  readonly #raced = new Set<string>();

  constructor(option: TuningOption, budgetMs = DEFAULT_BUDGET_MS, host: ChooserHost) {
    this.#option = option;
    this.#budgetMs = budgetMs;
    this.#host = host;
  }

  /**
   * A choice for each kernel of a plan. What is measured shares one budget, the slowest kernels first.
   *
   * Throws ConfigError for a pinned tuning that is none of the kernel's, or that this device cannot run.
   */
  async settle(requests: readonly TuningRequest[], context: TuningContext): Promise<Settled[]> {
    this.#known ??= await this.#load(context.shaders);
    if (this.#option === 'full' && context.measure) {
      const open = new Map<string, TuningRequest>();
      for (const request of requests)
        if (!this.#raced.has(request.key) && untried(request, this.#known.get(request.key)).length > 0)
          open.set(request.key, request);
      if (open.size > 0) await this.#measure([...open.values()], context);
    }
    return requests.map((request) => this.#settled(request));
  }

  async #load(shaders: string): Promise<Map<string, RecordedChoice>> {
    const option = this.#option;
    if (typeof option === 'string') return new Map(await this.#host.cache.load(shaders));
    if (!isRecord(option)) return new Map();
    if (option.shaders !== shaders)
      this.#host.note('tuning: the record given to init was made with other kernels; results may differ.');
    return new Map(Object.entries(option.choices));
  }

  /** What is known about a kernel now. */
  #settled(request: TuningRequest): Settled {
    const option = this.#option;
    const pinned = typeof option === 'object';
    if (pinned && !isRecord(option) && Object.hasOwn(option, request.family)) {
      const tuning = request.whole(option[request.family]);
      const problem = refusalOf(request, tuning);
      if (problem === null) return { tuning, from: 'pinned' };
      throw new ConfigError(
        `init: tuning.${request.family} with ${wordsOf(tuning)}: ${problem}. Fix: pin what engine.tuning.choices() lists.`,
      );
    }
    const known = this.#known!.get(request.key);
    if (!known) return { tuning: request.standard, from: 'static' };
    const problem = refusalOf(request, known.tuning);
    if (problem === null)
      return { ...known, from: pinned ? 'pinned' : this.#raced.has(request.key) ? 'measured' : 'cached' };
    const what = `tuning: ${request.key} with ${wordsOf(known.tuning)}: ${problem}`;
    if (pinned) throw new ConfigError(`init: ${what}. Fix: leave this choice out of the record.`);
    this.#host.note(`${what}; it is ignored.`);
    return { tuning: request.standard, from: 'static' };
  }

  async #measure(requests: readonly TuningRequest[], { progress, shaders }: TuningContext): Promise<void> {
    const { now, note } = this.#host;
    const contests: Contest[] = [];
    try {
      progress?.(0, requests.length);
      for (const request of requests) {
        this.#raced.add(request.key);
        const bench = this.#host.bench(request.writes);
        // The static choices are compiled anyway: the budget begins after them.
        const trial = await attempt(bench, await request.command(request.standard), note);
        if (!trial) {
          bench.dispose();
          continue;
        }
        const standard = { tuning: request.standard, trial, samples: [await trial.sample()] };
        contests.push({ request, bench, standard });
      }
      contests.sort((p, q) => q.standard.samples[0] - p.standard.samples[0]);
      const deadline = now() + this.#budgetMs;
      const late = (ms: number): boolean => now() + ms >= deadline;
      for (const [done, contest] of contests.entries()) {
        progress?.(done, contests.length);
        const { key } = contest.request;
        const { trial, samples } = contest.standard;
        const mostGainMs = (REPAY_RUNS * samples[0]) / 1000;
        // Another variant compiles about as long; what a kernel could save must be worth that.
        if (!late(trial.compileMs) && mostGainMs > trial.compileMs)
          this.#known!.set(key, await race(contest, this.#known!.get(key), { now, late, note }));
      }
      progress?.(contests.length, contests.length);
    } finally {
      for (const { bench, standard } of contests) {
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
}

/** The chooser of an engine that was opened with another `tuning` than `'off'`. */
export function openChooser(
  engine: Measured,
  adapter: string,
  { tuning, tuningBudgetMs }: { tuning?: TuningOption; tuningBudgetMs?: number },
): Chooser {
  const note = (text: string): void => console.warn(text);
  return new Chooser(tuning!, tuningBudgetMs, {
    cache: new TuningCache(textStore('tuning'), adapter, note),
    bench: (writes) => openBench(engine, writes),
    now: () => performance.now(),
    note,
  });
}
