/**
 * Which variant each kernel runs in: its family's own rule says so, unless there is a chooser that knows better.
 * It knows commands and microseconds, no mathematics.
 */
import type { BufferRange } from './arena.ts';
import type { Chooser } from './chooser.ts';
import type { Command } from './recorder.ts';
import {
  type Candidate,
  type Choice,
  type RecordedChoice,
  recordOf,
  type Tuning,
  type TuningOption,
  type TuningRecord,
} from './tuning.ts';

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
  /** Every variant of the family. */
  catalogue(): readonly Candidate[];
  /** Why this device cannot run a variant that is neither but has the form of one, or null. */
  refusal?(tuning: Tuning): string | null;
  /** The kernel in a variant, as it is going to run. Its text may have to be loaded. */
  command(tuning: Tuning): Promise<Command>;
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

/** A choice with all that is to be written down of it. */
export type Settled = Choice & RecordedChoice;

export class Tuner {
  readonly mode: 'off' | 'cached' | 'full' | 'pinned';
  readonly #adapter: string;
  readonly #chooser: Chooser | undefined;
  /** Everything chosen so far, by key. */
  readonly #chosen = new Map<string, Settled & { readonly family: string }>();
  #shaders = '';

  /** `adapter`: with its driver, in words. `chooser`: of every option but `'off'`. */
  constructor(adapter: string, option: TuningOption = 'off', chooser?: Chooser) {
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
