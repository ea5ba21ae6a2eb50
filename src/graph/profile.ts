/** A step as it was planned, and as it ran. */
import { adapterName } from '../engine/profile.ts';
import type { StepTimes } from '../engine/step-timing.ts';
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

/** The plan's kernels with their times, if those were measured. */
export function profileOf({ engine, kernels, arenaBytes }: Plan, times: StepTimes | null): StepProfile {
  const total = times?.microseconds.reduce((sum, one) => sum + one, 0) ?? 0;
  return {
    adapter: adapterName(engine.profile),
    kernels: kernels.map((kernel, i) => {
      const microseconds = times?.microseconds[i] ?? null;
      return { ...kernel, microseconds, share: microseconds && microseconds / total };
    }),
    arenaBytes,
    timedBy: times?.timedBy ?? null,
    stepMicroseconds: times?.stepMicroseconds ?? null,
  };
}
