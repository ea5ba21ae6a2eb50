/**
 * F56 Damaged files of every format, in a process of its own with little memory: what comes is their content or a
 * WeftError, soon. `model.keras!config.json` is damaged inside the archive, whose checksums are then made anew.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isLong } from '../../support/long.ts';

const COUNT = Number(process.env.WEFT_MUTATIONS ?? (isLong ? 20_000 : 30));

interface Outcome {
  readonly format: string;
  /** Read as if nothing had happened, as where a number of a weight changed. */
  readonly loaded: number;
  /** Errors by their codes. */
  readonly codes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly slowestSeed: number;
  /** Resident memory beyond that of a process that has read 200 of them. */
  readonly grownMiB: number;
  readonly seconds: number;
}

const models = [
  'model.keras',
  'model.keras!config.json',
  'model.keras!model.weights.h5',
  'network-two.keras!config.json',
  'network-nested.keras!config.json',
  'model.h5',
  'model.json',
];
const weights = ['weights.h5', 'safetensors', 'backup.weft'];
const tables = ['npy', 'npz', 'idx', 'idx.gz', 'csv'];
const formats = [...models, ...weights, ...tables];

async function damage(asked: readonly string[]): Promise<void> {
  const script = fileURLToPath(new URL('mutate.js', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--max-old-space-size=256', script, asked.join(), '1', String(COUNT)],
    { timeout: 1_100_000, killSignal: 'SIGKILL' },
  ).catch((error) => ({ stdout: String(error.stdout) }));
  if (isLong) console.log(stdout.trim());
  const outcomes: Outcome[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const one of outcomes) {
    expect(one).toHaveProperty('loaded');
    const refused = Object.values(one.codes).reduce((sum, times) => sum + times, 0);
    expect(one.loaded + refused).toBe(COUNT);
    expect(refused, one.format).toBeGreaterThan(COUNT / 4);
    expect(one.slowestMs, `${one.format}, seed ${one.slowestSeed}`).toBeLessThan(2000);
    expect(one.grownMiB, one.format).toBeLessThan(64);
  }
  expect(outcomes.map(({ format }) => format)).toEqual(asked);
}

// A process for each where there is time; else one for all.
test.each(isLong ? formats : [formats.join()])(
  `F56 ${COUNT} files with damaged bytes are read or refused, and nothing worse: %s`,
  (asked) => damage(asked.split(',')),
  1_200_000,
);
