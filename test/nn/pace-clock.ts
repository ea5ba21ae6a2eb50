/** A pace on a clock of our own. */
import type { Pace } from '../../src/nn/training/pace.ts';

/** Steps in a submit in the long run, where each step takes so many milliseconds. */
export function settled(make: (now: () => number) => Pace, stepMs: number): number {
  let now = 0;
  const pace = make(() => now);
  let steps = 0;
  for (let submit = 0; submit < 40; submit++) {
    steps = pace.next(100_000);
    now += steps * stepMs;
    pace.done(steps);
  }
  return steps;
}
