/**
 * How kernels are told to run, in plain data: what was chosen, where it comes from, and how it is written
 * down. What the words of a tuning mean is the kernel family's business.
 */
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
