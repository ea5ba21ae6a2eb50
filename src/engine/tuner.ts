/**
 * Which variant each kernel runs in: its family's own rule says so, unless there is a chooser that knows better.
 * It knows commands and microseconds, no mathematics.
 */
import {
  type Choice,
  type Chooses,
  recordOf,
  type Settled,
  type TuningContext,
  type TuningOption,
  type TuningRecord,
  type TuningRequest,
} from './tuning.ts';

export class Tuner {
  readonly mode: 'off' | 'cached' | 'full' | 'pinned';
  readonly #adapter: string;
  readonly #chooser: Chooses | undefined;
  /** Everything chosen so far, by key. */
  readonly #chosen = new Map<string, Settled & { readonly family: string }>();
  #shaders = '';

  /** `adapter`: with its driver, in words. `chooser`: of every option but `'off'`. */
  constructor(adapter: string, option: TuningOption = 'off', chooser?: Chooses) {
    this.mode = typeof option === 'string' ? option : 'pinned';
    this.#adapter = adapter;
    this.#chooser = chooser;
  }

  /** What every kernel so far runs with, and why. */
  choices(): ({ readonly key: string; readonly family: string } & Choice)[] {
    return [...this.#chosen].map(([key, { tried: _, ...choice }]) => ({ key, ...choice }));
  }

  /** The choices so far, to be printed, kept, and given to `init({ tuning })`: the same variants, the same bits. */
  toJSON(): TuningRecord {
    const chosen = [...this.#chosen].map(
      ([key, { family: _, from: __, ...choice }]) => [key, choice] as const,
    );
    return recordOf(this.#adapter, this.#shaders, new Map(chosen));
  }

  /** A choice for each kernel of a plan. */
  async choose(requests: readonly TuningRequest[], context: TuningContext): Promise<Choice[]> {
    this.#shaders = context.shaders;
    const settled: readonly Settled[] = this.#chooser
      ? await this.#chooser.settle(requests, context)
      : requests.map(({ standard }) => ({ tuning: standard, from: 'static' }));
    // What runs once is not listed, or a long program's list would grow for ever.
    if (context.measure)
      requests.forEach(({ key, family }, i) => {
        this.#chosen.set(key, { ...settled[i], family });
      });
    return settled.map(({ tried: _, ...choice }) => choice);
  }
}
