/** What a kernel can be told about how to run, in plain data. What the words mean is its family's business. */

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
