/** How long a recording takes, kernel by kernel and as a whole, measured without leaving a trace in what it updates. */
import type { BufferRange } from './arena.ts';
import type { Measured } from './measured.ts';
import type { Recording } from './recorder.ts';

/** What a step takes. */
export interface StepTimes {
  /** One run of each of its commands, in microseconds. */
  readonly microseconds: readonly number[];
  /** How they were taken: by the GPU's own timestamps, or by the clock with a submit each. */
  readonly timedBy: 'timestamps' | 'clock';
  /** A whole step, replayed many times in one submit. */
  readonly stepMicroseconds: number;
}

/** Measuring takes about this long, or a few steps where one takes longer. */
const BUDGET_MS = 300;
const ROUNDS = 3;
/** Runs of a kernel in one pass: timestamps are coarse (65 µs on llvmpipe, 100 µs in Chromium). */
const REPEATS = 16;
/** Steps in one submit. */
const STEPS = 64;

/**
 * Runs the step for a while and measures. `updated`: what it overwrites; it is copied away before and back
 * afterwards, also when measuring fails, so that nobody can tell.
 */
export async function timeStep(
  engine: Measured,
  recording: Recording,
  updated: readonly BufferRange[],
): Promise<StepTimes> {
  const copies: { from: BufferRange; to: BufferRange }[] = [];
  try {
    for (const from of updated) copies.push({ from, to: engine.allocate(from.size, 'profile') });
    for (const { from, to } of copies) engine.copy(from, to);
    try {
      return await measure(engine, recording);
    } finally {
      if (!engine.lost) for (const { from, to } of copies) engine.copy(to, from);
    }
  } finally {
    for (const { to } of copies) engine.free(to);
  }
}

async function measure(engine: Measured, recording: Recording): Promise<StepTimes> {
  const timed = async (steps: number): Promise<number> => {
    const begin = performance.now();
    engine.run(recording, { times: steps });
    await engine.idle();
    return (performance.now() - begin) / steps;
  };
  await engine.warm(recording);
  await timed(1);
  const roughMs = Math.max(await timed(2), 0.01);
  const affordable = (share: number, most: number): number =>
    Math.max(1, Math.min(most, Math.floor((share * BUDGET_MS) / ROUNDS / roughMs)));

  const sums = recording.steps.map(() => 0);
  const repeats = affordable(0.6, REPEATS);
  let stepMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const times = await engine.profileRun(recording, repeats);
    times.forEach(({ microseconds }, i) => {
      sums[i] += microseconds;
    });
    stepMs = Math.min(stepMs, await timed(affordable(0.4, STEPS)));
  }
  return {
    microseconds: sums.map((sum) => sum / ROUNDS),
    timedBy: engine.profile.features.has('timestamp-query') ? 'timestamps' : 'clock',
    stepMicroseconds: 1000 * stepMs,
  };
}
