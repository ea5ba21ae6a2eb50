/**
 * How kernels are told to run, in plain data: what was chosen, where it comes from, and how it is written
 * down. What the words of a tuning mean is the kernel family's business.
 */
import type { BufferRange } from './arena.ts';
import type { Command } from './recorder.ts';

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
  /** Microseconds of each variant that was measured, by its words (`wordsOf`); null: it did not compile. */
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

/** What knows better than the families' own rules. */
export interface Chooses {
  /** A choice for each kernel of a plan. */
  settle(requests: readonly TuningRequest[], context: TuningContext): Promise<readonly Settled[]>;
}

/** Choices as they are written down, in the order of their keys. */
export const recordOf = (
  adapter: string,
  shaders: string,
  choices: ReadonlyMap<string, RecordedChoice>,
): TuningRecord => ({
  format: 'weft-tuning',
  version: 1,
  adapter,
  shaders,
  choices: Object.fromEntries([...choices].sort(([p], [q]) => (p < q ? -1 : 1))),
});
