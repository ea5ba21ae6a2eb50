/** The arithmetic behind docs/performance.md: what is quoted, what counts as met, what a floor is. */
import { describe, expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript
import { floorOf } from '../../bench/lib/floors.js';
// @ts-expect-error: plain JavaScript
import { fillSection, judgeTarget, latest } from '../../bench/lib/quote.js';
// @ts-expect-error: plain JavaScript
import { adapterKey } from '../../bench/lib/results.js';
// @ts-expect-error: plain JavaScript
import { sections } from '../../bench/lib/sections.js';
// @ts-expect-error: plain JavaScript
import { knee, line, ratios, spread } from '../../bench/lib/statistics.js';
// @ts-expect-error: plain JavaScript
import { markdownTable, perStep, short } from '../../bench/lib/table.js';
// @ts-expect-error: plain JavaScript
import { necessities, workloads } from '../../bench/lib/workloads.js';

describe('statistics', () => {
  it('takes the median of odd and even counts', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 });
    expect(() => spread([])).toThrow('no values');
  });

  it('takes ratios within a round: a slow round slows both', () => {
    expect(ratios([4, 40, 4], [2, 20, 2])).toEqual({ median: 2, min: 2, max: 2 });
  });

  it('finds slope and base of a line', () => {
    const { slope, base } = line([
      [0, 3],
      [10, 5],
      [20, 7],
    ]);
    expect(slope).toBeCloseTo(0.2);
    expect(base).toBeCloseTo(3);
  });

  it('finds where a cost has doubled', () => {
    const flatThenLinear = [
      [1, 1],
      [2, 1],
      [4, 1],
      [8, 4],
    ];
    expect(knee(flatThenLinear)).toBeCloseTo(4 * Math.SQRT2);
    expect(
      knee([
        [1, 1],
        [2, 1.5],
      ]),
    ).toBeNull();
  });
});

const ceilings = Object.fromEntries(
  Object.entries({
    emptyDispatchMicroseconds: 10,
    fmaGigaflops: 2,
    tileGigaflops: 1,
    loadVec4Gigabytes: 4,
    loadScalarGigabytes: 3,
  }).map(([name, value]) => [name, { median: value, min: value, max: value }]),
);

describe('floors', () => {
  it('counts what a step of W1 and W4 cannot do without', () => {
    const of = (id: string) => necessities(workloads.find((workload: { id: string }) => workload.id === id));
    // W1: forward and dW; pixels twice, 7850 parameters read, read and written, slots read and written.
    expect(of('W1')).toEqual({ flops: 2 * 2 * 32 * 784 * 10, bytes: 2 * 32 * 784 + 4 * 7850 * 5 });
    // W4: three products for all layers but the first; no slots.
    expect(of('W4').flops).toBe(2 * 20 * (2 * 784 * 20 + 3 * 20 * 20 + 3 * 20 * 10));
  });

  it('adds dispatches, multiply-adds and loads', () => {
    const w1 = workloads[0];
    const floor = floorOf(w1, 7, ceilings);
    expect(floor.dispatch).toBeCloseTo(0.07);
    expect(floor.fma).toBeCloseTo((4 * 32 * 7840) / 2e6);
    expect(floor.load).toBeCloseTo((2 * 32 * 784 + 20 * 7850) / 4e6);
    expect(floor.total).toBeCloseTo(floor.dispatch + floor.fma + floor.load);
    expect(floor.tile).toBeCloseTo(0.07 + (4 * 32 * 7840) / 1e6);
  });
});

const row = (given: object) => ({ part: 'steps', workload: 'W1', run: 'a', ...given });
const weft = row({ engine: 'weft', ratio: one(1), milliseconds: one(0.5), calls: { dispatches: 7.02 } });
function one(value: number) {
  return { median: value, min: value, max: value };
}

describe('quoting', () => {
  it('takes the last run of each workload and never a quick look', () => {
    const rows = [
      row({ run: 'a', engine: 'weft', n: 1 }),
      row({ run: 'b', engine: 'weft', n: 2 }),
      row({ run: 'b', engine: 'jax', n: 3 }),
      row({ run: 'c', engine: 'weft', quick: true }),
      { run: 'd', workload: 'W1', engine: 'weft' },
      row({ run: 'a', workload: 'W2', n: 4 }),
    ];
    expect(latest(rows).map((one: { n?: number }) => one.n)).toEqual([2, 3, 4]);
    expect(latest([...latest(rows), ...structuredClone(rows)])).toEqual(latest(rows));
  });

  it('judges targets by the closest peer', () => {
    const target = {
      adapter: 'x',
      part: 'steps',
      workload: 'W1',
      against: ['tfjs-wasm', 'jax-wasm'],
      least: 3,
    };
    const peers = [
      row({ engine: 'tfjs-wasm', name: 'A', ratio: one(9) }),
      row({ engine: 'jax-wasm', name: 'B', ratio: one(2) }),
    ];
    expect(judgeTarget(target, [weft, ...peers])).toMatchObject({ state: 'missed', value: 2, peer: 'B' });
    expect(judgeTarget({ ...target, least: 2 }, [weft, ...peers]).state).toBe('met');
    expect(judgeTarget(target, [weft, peers[0]]).state).toBe('not measured');
    expect(judgeTarget(target, [weft, peers[0], { ...peers[1], failed: 'no' }]).state).toBe('not measured');
  });

  it('says what ratio the floor itself would have', () => {
    const target = { adapter: 'x', part: 'steps', workload: 'W1', against: ['jax'], least: 8 };
    const rows = [weft, row({ engine: 'jax', ratio: one(4) }), { part: 'ceilings', ceilings }];
    const { atFloor, floor } = judgeTarget(target, rows);
    expect(floor).toBeCloseTo(floorOf(workloads[0], 7, ceilings).tile);
    expect(atFloor).toBeCloseTo((4 * 0.5) / floor);
  });

  it('knows the floor of a product', () => {
    const product = { part: 'matmul', product: '512×512×512', milliseconds: one(500) };
    const rows = [
      { ...product, engine: 'weft', ratio: one(1) },
      { ...product, engine: 'jax', ratio: one(2) },
      { part: 'ceilings', ceilings },
    ];
    const target = { adapter: 'x', part: 'matmul', product: '512×512×512', against: ['jax'], least: 3 };
    const judged = judgeTarget(target, rows);
    expect(judged).toMatchObject({ state: 'missed', value: 2, own: 500 });
    expect(judged.floor).toBeCloseTo((2 * 512 ** 3) / 1e6);
  });

  it('fills a section and keeps what is around it', () => {
    const page = 'a\n<!-- bench: t -->\nold\n<!-- end: t -->\nb';
    const filled = fillSection(page, 't', 'new');
    expect(filled).toBe('a\n<!-- bench: t -->\n\nnew\n\n<!-- end: t -->\nb');
    expect(fillSection(filled, 't', 'new')).toBe(filled);
    expect(() => fillSection(page, 'u', '')).toThrow("no markers '<!-- bench: u -->'");
  });

  it('says of everything that is not measured how to measure it', () => {
    for (const [name, write] of Object.entries(sections as Record<string, (a: unknown[]) => string>)) {
      expect(write([]), name).toMatch(/not measured|Not measured yet: `node bench/);
    }
  });
});

describe('words', () => {
  it('names adapters as files', () => {
    const named = (name: string, where = 'Node') =>
      adapterKey({ adapter: { name, architecture: '' }, where });
    expect(named('llvmpipe: Mesa 25.0.7 (LLVM 15)')).toBe('llvmpipe');
    expect(named('SwiftShader driver 5.0.0', 'Chromium')).toBe('swiftshader-chromium');
    expect(named('NVIDIA H100 (80 GB)')).toBe('nvidia-h100-80-gb');
  });

  it('writes numbers with as many digits as they deserve', () => {
    expect([0.0123, 0.257, 1.577, 17.49, 1234.5].map(short)).toEqual([
      '0.012',
      '0.26',
      '1.58',
      '17.5',
      '1,235',
    ]);
    expect([0.031, 7.02, 126.4].map(perStep)).toEqual(['0.03', '7.0', '126']);
    expect(markdownTable(['a', 'b'], [[1, 2]])).toBe('| a | b |\n|---|---|\n| 1 | 2 |');
    expect(markdownTable(['x'], [['a | b']])).toContain('a \\| b');
  });
});
