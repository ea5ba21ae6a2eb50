/** How long the kernels of a plan take, measured without leaving a trace in what they update. */
import type { BufferRange } from '../engine/arena.ts';
import { adapterName } from '../engine/profile.ts';
import type { PlannedKernel } from './explain.ts';
import type { Plan } from './plan.ts';

/** A kernel of a plan and its time. */
export interface TimedKernel extends PlannedKernel {
  /** Of one run; null where it was not measured. */
  readonly microseconds: number | null;
  /** Its part of the sum over all kernels, from 0 to 1; null where it was not measured. */
  readonly share: number | null;
}

/** A step as it was planned, and as it ran. */
export interface StepProfile {
  /** What it ran on. */
  readonly adapter: string;
  readonly kernels: readonly TimedKernel[];
  /** Bytes for intermediate values; values that never meet share them. */
  readonly arenaBytes: number;
  /** How the kernels' times were taken: by the GPU's own timestamps, or by the clock with a submit each. */
  readonly timedBy: 'timestamps' | 'clock' | null;
  /** A whole step, replayed many times in one submit; null where it was not measured. */
  readonly stepMicroseconds: number | null;
}

/** Measuring takes about this long, or a few steps where one takes longer. */
const BUDGET_MS = 300;
const ROUNDS = 3;
/** Runs of a kernel in one pass: timestamps are coarse (65 µs on llvmpipe, 100 µs in Chromium). */
const REPEATS = 16;
/** Steps in one submit. */
const STEPS = 64;

/** The plan's kernels, not measured. */
export const withoutTimes = ({ engine, kernels, arenaBytes }: Plan): StepProfile => ({
  adapter: adapterName(engine.profile),
  kernels: kernels.map((kernel) => ({ ...kernel, microseconds: null, share: null })),
  arenaBytes,
  timedBy: null,
  stepMicroseconds: null,
});

/**
 * Runs the plan for a while and measures. `updated`: what the plan overwrites; it is copied away before and
 * back afterwards, also when measuring fails, so that nobody can tell. Must run inside `serial`.
 */
export async function timePlan(plan: Plan, updated: readonly BufferRange[]): Promise<StepProfile> {
  const { engine } = plan;
  const copies: { from: BufferRange; to: BufferRange }[] = [];
  try {
    for (const from of updated) copies.push({ from, to: engine.allocate(from.size, 'profile') });
    for (const { from, to } of copies) engine.copy(from, to);
    try {
      return await measure(plan);
    } finally {
      if (!engine.lost) for (const { from, to } of copies) engine.copy(to, from);
    }
  } finally {
    for (const { to } of copies) engine.free(to);
  }
}

async function measure(plan: Plan): Promise<StepProfile> {
  const { engine, recording, kernels, arenaBytes } = plan;
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

  const sums = kernels.map(() => 0);
  const repeats = affordable(0.6, REPEATS);
  let stepMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const times = await engine.profileRun(recording, repeats);
    times.forEach(({ microseconds }, i) => {
      sums[i] += microseconds;
    });
    stepMs = Math.min(stepMs, await timed(affordable(0.4, STEPS)));
  }
  const total = sums.reduce((sum, one) => sum + one, 0);
  return {
    adapter: adapterName(engine.profile),
    kernels: kernels.map((kernel, i) => ({
      ...kernel,
      microseconds: sums[i] / ROUNDS,
      share: total > 0 ? sums[i] / total : 0,
    })),
    arenaBytes,
    timedBy: engine.profile.features.has('timestamp-query') ? 'timestamps' : 'clock',
    stepMicroseconds: 1000 * stepMs,
  };
}
