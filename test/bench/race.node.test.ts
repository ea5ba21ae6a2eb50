/** Engines take turns, a failing one leaves, and a process answers or is ended. */
import { expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript
import { EngineProcess } from '../../bench/lib/engine-process.js';
// @ts-expect-error: plain JavaScript
import { productInputs } from '../../bench/lib/product.js';
// @ts-expect-error: plain JavaScript
import { race, timing } from '../../bench/lib/race.js';

/** An engine that takes `perRun` milliseconds for each run, by its own account. */
function fake(perRun: number, heard: string[], name: string, failAt = Number.POSITIVE_INFINITY) {
  let rounds = 0;
  return {
    async ask(kind: string, { count = 0 }: { count?: number }) {
      heard.push(`${name} ${kind}`);
      if (kind !== 'round') return { name };
      if (++rounds >= failAt) throw new Error('lost its device');
      return { count, milliseconds: count * perRun };
    },
    async end() {},
  };
}

it('interleaves rounds, drops who fails and takes ratios within a round', async () => {
  const heard: string[] = [];
  const engines: Record<string, ReturnType<typeof fake>> = {
    weft: fake(2, heard, 'weft'),
    slow: fake(10, heard, 'slow'),
    broken: fake(10, heard, 'broken', 5),
  };
  const runners = await race({
    names: ['weft', 'slow', 'broken'],
    open: (name: string) => engines[name],
    kinds: { prepare: 'prepare', round: 'round', finish: 'finish' },
    request: {},
    rounds: 3,
    roundSeconds: 0.1,
    seconds: 60,
  });
  const [weft, slow, broken] = runners;
  expect(broken.failed).toBe('lost its device');
  expect([weft.rounds.length, slow.rounds.length]).toEqual([3, 3]);
  // At least half a round each, however slow.
  expect(weft.count * 2).toBeGreaterThanOrEqual(50);
  expect(timing(slow, runners).ratio.median).toBe(5);
  const timed = heard.filter((word) => /^(weft|slow) round/.test(word));
  expect(timed.slice(-4)).toEqual(['weft round', 'slow round', 'weft round', 'slow round']);
});

it('a process says what went wrong, and one that does not answer is ended', async () => {
  const child = new EngineProcess();
  await expect(child.ask('prepare', { engine: 'nobody', workload: 'W1' }, 60)).rejects.toThrow();
  const silent = new EngineProcess();
  await expect(silent.ask('ceilings', { seconds: 60 }, 0.2)).rejects.toThrow(
    'no answer to ceilings in 0.2 s',
  );
});

it('the check of a product accepts rounding and no mistake, transposed or not', () => {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
  ]) {
    const [m, k, n] = [5, 7, 3];
    const { a, b, check } = productInputs({ m, k, n, transposeA, transposeB });
    const at = (x: { values: Float32Array; shape: number[] }, i: number, j: number, transposed: boolean) =>
      transposed ? x.values[j * x.shape[1] + i] : x.values[i * x.shape[1] + j];
    const y = new Float32Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let p = 0; p < k; p++) y[i * n + j] += at(a, i, p, transposeA) * at(b, p, j, transposeB);
    check(y);
    y[m * n - 1] += 1e-4;
    expect(() => check(y)).toThrow('check: element 4,2');
  }
});
