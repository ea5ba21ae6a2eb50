/** A training that goes on for long: memory and the time of a step stay what they were, and the process ends by itself. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isLong } from '../support/long.ts';

const STEPS = isLong ? 50_000 : 1000;

interface Tenth {
  readonly tensors: number;
  readonly liveBytes: number;
  readonly allocatedBytes: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly msPerStep: number;
  readonly cpuMsPerStep: number;
}

test(`${STEPS} steps with validation, checkpoints and readings: memory is flat, and steps do not get slower`, async () => {
  const script = fileURLToPath(new URL('soak.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, String(STEPS)], {
    timeout: 1_100_000,
  });
  if (isLong) console.log(stdout.trim());
  const { steps, tenths, loss, first } = JSON.parse(stdout) as {
    steps: number;
    tenths: Tenth[];
    loss: number;
    first: number;
  };
  expect(steps).toBe(STEPS);
  expect(loss).toBeLessThan(first / 2);
  expect(tenths.length).toBeGreaterThanOrEqual(10);
  // The first tenth compiles, and fills pools.
  const [, early, ...later] = tenths;
  for (const { tensors, liveBytes, allocatedBytes } of later)
    expect({ tensors, liveBytes, allocatedBytes }).toEqual({
      tensors: early.tensors,
      liveBytes: early.liveBytes,
      allocatedBytes: early.allocatedBytes,
    });
  const last = tenths.at(-1)!;
  expect(last.heapMiB - early.heapMiB).toBeLessThan(8);
  expect(last.rssMiB - early.rssMiB).toBeLessThan(48);
  // Others may use the machine: the processor's time, and the quieter half of the tenths.
  const median = (some: readonly Tenth[]) =>
    some.map(({ cpuMsPerStep }) => cpuMsPerStep).sort((a, b) => a - b)[Math.floor((some.length - 1) / 2)];
  expect(median(tenths.slice(6))).toBeLessThan(1.5 * median(tenths.slice(1, 5)));
}, 1_200_000);
