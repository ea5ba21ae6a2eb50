/** Save, kill, load, go on: in processes of their own, on the built package. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { generator } from '../../reference/random.ts';
import { isLong } from '../../support/long.ts';

const train = (file: string, epochs: number, killAt?: string): Promise<string> =>
  run('train-and-save', [file, String(epochs)], killAt);

/** Runs the script and resolves to its output; kills it, without a warning, some time after it says `killAt`. */
function run(
  script: string,
  given: readonly string[],
  killAt?: string | RegExp,
  delayMs = 0,
): Promise<string> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve(`test/nn/saving/${script}.js`), ...given]);
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
      if (killAt && output.search(killAt) >= 0) setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    child.stderr.on('data', (text) => {
      output += text;
    });
    child.on('close', () => done(output));
  });
}

const EPOCHS = 40;

test('a run that was killed goes on from its file to the same bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const whole = await train(join(folder, 'whole.keras'), EPOCHS);
  const [, expected] = whole.match(/weights ([0-9a-f]{64}) from 0/)!;
  const file = join(folder, 'part.keras');
  // Far more epochs than it will live to see.
  const killed = await train(file, 100_000, 'saved 1');
  expect(killed).not.toContain('weights');
  const [, after, from] = (await train(file, EPOCHS)).match(/weights ([0-9a-f]{64}) from (\d+)/) ?? [];
  // The kill arrives some epochs late, but not that many.
  expect(Number(from)).toBeGreaterThanOrEqual(2);
  expect(Number(from)).toBeLessThan(EPOCHS);
  expect(after).toBe(expected);
});

test('F27: with a backup, the same program goes on after two kills to the bytes of an unbroken run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const start = (name: string, seed: number, killAt?: string) =>
    run('train-with-backup', [join(folder, name), '12', String(seed)], killAt);
  const outcome = /outcome ([0-9a-f]{64})/;
  const [, expected] = (await start('whole', 42)).match(outcome)!;
  expect(await start('part', 42, 'epoch 2')).not.toMatch(outcome);
  // Another seed each time: what the backup says goes.
  expect(await start('part', 1, 'epoch 6')).not.toMatch(outcome);
  const last = await start('part', 2);
  expect(last).not.toContain('epoch 2');
  expect(last.match(outcome)?.[1]).toBe(expected);
});

if (isLong)
  test('F27: killed at 20 random moments of a training, it ends with the bytes of an unbroken run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const start = (name: string, seed: number, ...kill: [RegExp?, number?]) =>
      run('train-with-backup', [join(folder, name), '200', String(seed)], ...kill);
    const outcome = /outcome ([0-9a-f]{64})/;
    const [, expected] = (await start('whole', 42)).match(outcome)!;
    const random = generator(27);
    // After the second epoch of each life: between two backups less than an epoch is lost, so that each gets further.
    for (let kill = 1; kill <= 20; kill++)
      expect(
        await start('part', kill === 1 ? 42 : kill, /epoch.*\nepoch/, random.between(0, 150)),
      ).not.toMatch(outcome);
    const last = await start('part', 99);
    expect(last).not.toContain('epoch 0\n');
    expect(last.match(outcome)?.[1]).toBe(expected);
  }, 600_000);
