/** What the tuner chooses, with kernels that are only names and a clock that only the test turns. */
import { describe, expect, test } from 'vitest';
import { hash } from '../../src/base/hash.ts';
import type { TextStore } from '../../src/base/text-store.ts';
import { Chooser } from '../../src/engine/chooser.ts';
import { checkTuning, wordsOf } from '../../src/engine/foreign-tuning.ts';
import type { Command } from '../../src/engine/recorder.ts';
import { Tuner } from '../../src/engine/tuner.ts';
import type { Candidate, Tuning, TuningOption, TuningRequest } from '../../src/engine/tuning.ts';
import { TuningCache } from '../../src/engine/tuning-cache.ts';
import { ConfigError } from '../../src/index.ts';

const ADAPTER = 'a driver of 2026';
const SHADERS = 'texts of today';

/** Texts in memory, as two programs one after the other share them. */
function memoryStore(texts = new Map<string, string>()): TextStore & { texts: Map<string, string> } {
  return {
    texts,
    place: (name) => `memory/${name}`,
    read: async (name) => texts.get(name),
    write: async (name, text) => void texts.set(name, text),
  };
}

interface Speed {
  /** Microseconds of its samples, in turn; the last one stays. */
  readonly microseconds: number | readonly number[];
  readonly compileMs?: number;
  /** Does not compile. */
  readonly broken?: boolean;
}

/** A tuner whose measurements are a table: microseconds by the tuning's words. */
function tunerWith(
  option: TuningOption,
  speeds: Record<string, number | Speed> = {},
  { store = memoryStore(), budgetMs = 1000 }: { store?: TextStore; budgetMs?: number } = {},
) {
  let now = 0;
  const prepared: string[] = [];
  const sampled: string[] = [];
  const notes: string[] = [];
  let open = 0;
  const note = (text: string): void => void notes.push(text);
  const chooser = new Chooser(option, budgetMs, {
    cache: new TuningCache(store, ADAPTER, note),
    now: () => now,
    note,
    bench() {
      open++;
      return {
        async prepare({ shader }: Command) {
          const given = speeds[shader.key];
          const speed = typeof given === 'number' ? { microseconds: given } : given;
          if (!speed) throw new Error(`the test has no speed for '${shader.key}'`);
          prepared.push(shader.key);
          now += speed.compileMs ?? 10;
          if (speed.broken) throw new Error('line 3: unknown word');
          const samples = [speed.microseconds].flat();
          open++;
          return {
            compileMs: speed.compileMs ?? 10,
            async sample() {
              sampled.push(shader.key);
              now += 4;
              return samples.length > 1 ? samples.shift()! : samples[0];
            },
            dispose: () => void open--,
          };
        },
        dispose: () => void open--,
      };
    },
  });
  const tuner = new Tuner(ADAPTER, option, option === 'off' ? undefined : chooser);
  return { tuner, prepared, sampled, notes, leftOpen: () => open };
}

const variants = (...tiles: number[]): Candidate[] =>
  tiles.map((TILE) => ({ tuning: { TILE }, refused: null }));

/** A kernel of the family `toy`, whose static choice is TILE=1. Its command is known by the words of its tuning. */
const request = (candidates: readonly Candidate[], name = 'toy a:f32[3]'): TuningRequest => ({
  family: 'toy',
  key: name,
  standard: { TILE: 1 },
  whole: (values: Tuning) => ({ TILE: 1, ...values }),
  candidates: () => candidates,
  catalogue: () => candidates,
  command: async (tuning) =>
    ({
      label: name,
      shader: { key: `${name === 'toy a:f32[3]' ? '' : `${name} `}${wordsOf(tuning)}` },
      workgroups: [1, 1, 1],
    }) as unknown as Command,
  writes: [],
});

const measuring = { shaders: SHADERS, measure: true };

describe('off', () => {
  test('is the family’s own choice and measures nothing', async () => {
    const { tuner, prepared } = tunerWith('off');
    expect(await tuner.choose([request(variants(1, 2))], measuring)).toEqual([
      { tuning: { TILE: 1 }, from: 'static' },
    ]);
    expect(prepared).toEqual([]);
    expect(tuner.choices()).toMatchObject([{ key: 'toy a:f32[3]', family: 'toy', from: 'static' }]);
  });
});

describe('full', () => {
  test('chooses the fastest and says how fast', async () => {
    const { tuner, leftOpen } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 60, 'TILE=4': 80 });
    const [choice] = await tuner.choose([request(variants(1, 2, 4))], measuring);
    expect(choice).toEqual({
      tuning: { TILE: 2 },
      from: 'measured',
      microseconds: 60,
      staticMicroseconds: 100,
    });
    expect(leftOpen()).toBe(0);
  });

  test('keeps the static choice unless another is 5 % faster', async () => {
    const slightly = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 96 });
    expect((await slightly.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 1 });
    const clearly = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 94 });
    expect((await clearly.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 2 });
  });

  test('trusts the second shortest sample: others on the machine make many longer, luck makes one shorter', async () => {
    const lucky = { microseconds: [20, 110, 110, 110, 110, 110, 110] };
    const one = tunerWith('full', { 'TILE=1': 100, 'TILE=2': lucky });
    expect((await one.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 1 });
    const disturbed = { microseconds: [300, 50, 300, 300, 50, 300, 300] };
    const other = tunerWith('full', { 'TILE=1': disturbed, 'TILE=2': 70 });
    expect((await other.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 1 });
  });

  test('drops at once who is far behind, and the rest in turns', async () => {
    const { tuner, sampled } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 300, 'TILE=4': 97 });
    await tuner.choose([request(variants(2, 4))], measuring);
    const times = (key: string): number => sampled.filter((one) => one === key).length;
    expect(times('TILE=2')).toBe(1);
    expect(times('TILE=4')).toBeGreaterThan(3);
    expect(times('TILE=1')).toBe(times('TILE=4'));
    // In turns, there and back: 1 4 4 1 1 4 4 1 …
    expect(sampled.slice(-4)).toEqual(['TILE=1', 'TILE=4', 'TILE=4', 'TILE=1']);
  });

  test('does not choose what takes longer to compile than it wins back', async () => {
    const slow = { microseconds: 90, compileMs: 500 };
    const { tuner } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': slow });
    // 10 µs of 20,000 runs are 200 ms.
    expect((await tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 1 });
    const fast = { microseconds: 50, compileMs: 500 };
    const other = tunerWith('full', { 'TILE=1': 100, 'TILE=2': fast });
    expect((await other.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 2 });
  });

  test('lets be what compiles longer than it runs in 20,000 runs', async () => {
    const { tuner, prepared } = tunerWith('full', { 'TILE=1': { microseconds: 10, compileMs: 300 } });
    expect((await tuner.choose([request(variants(2))], measuring))[0].from).toBe('static');
    expect(prepared).toEqual(['TILE=1']);
  });

  test('never measures what the device refuses', async () => {
    const refused = { tuning: { TILE: 8 }, refused: '512 lanes per workgroup, the device has 256' };
    const { tuner, prepared } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50 });
    await tuner.choose([request([refused, ...variants(2)])], measuring);
    expect(prepared).toEqual(['TILE=1', 'TILE=2']);
  });

  test('leaves out, with a note, what does not compile', async () => {
    const { tuner, notes, leftOpen } = tunerWith('full', {
      'TILE=1': 100,
      'TILE=2': { microseconds: 1, broken: true },
      'TILE=4': 50,
    });
    expect((await tuner.choose([request(variants(2, 4))], measuring))[0].tuning).toEqual({ TILE: 4 });
    expect(notes).toEqual([expect.stringMatching(/left out: line 3: unknown word/)]);
    expect(leftOpen()).toBe(0);
  });

  test('leaves be what there is no memory to measure', async () => {
    const { tuner, notes, leftOpen } = tunerWith('full', {
      'TILE=1': { microseconds: 1, broken: true },
      'b TILE=1': 100,
      'b TILE=2': 50,
    });
    const choices = await tuner.choose([request(variants(2)), request(variants(2), 'b')], measuring);
    expect(choices.map(({ tuning, from }) => [tuning.TILE, from])).toEqual([
      [1, 'static'],
      [2, 'measured'],
    ]);
    expect(notes).toHaveLength(1);
    expect(leftOpen()).toBe(0);
  });

  test('measures what only differs in spelling once', async () => {
    const { tuner, prepared } = tunerWith('full', { 'TILE=1': 100 });
    await tuner.choose([request(variants(1))], measuring);
    expect(prepared).toEqual(['TILE=1']);
  });

  test('asks each question once, whoever asks', async () => {
    const { tuner, prepared } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50 });
    const choices = await tuner.choose([request(variants(2)), request(variants(2))], measuring);
    expect(choices.map(({ tuning }) => tuning)).toEqual([{ TILE: 2 }, { TILE: 2 }]);
    await tuner.choose([request(variants(2))], measuring);
    expect(prepared).toEqual(['TILE=1', 'TILE=2']);
  });

  test('measures nothing for what runs once', async () => {
    const { tuner, prepared } = tunerWith('full');
    const [choice] = await tuner.choose([request(variants(2))], { ...measuring, measure: false });
    expect(choice.from).toBe('static');
    expect(prepared).toEqual([]);
  });

  test('tells how many kernels are measured', async () => {
    const { tuner } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50, 'b TILE=1': 10, 'b TILE=2': 5 });
    const heard: string[] = [];
    await tuner.choose([request(variants(2)), request(variants(2), 'b')], {
      ...measuring,
      progress: (done, total) => void heard.push(`${done}/${total}`),
    });
    expect(heard).toEqual(['0/2', '0/2', '1/2', '2/2']);
  });

  test('spends its budget on the slowest kernels; the next program goes on where this one stopped', async () => {
    const store = memoryStore();
    const slow = (microseconds: number): Speed => ({ microseconds, compileMs: 60 });
    const speeds = {
      'TILE=1': slow(100),
      'TILE=2': slow(90),
      'TILE=4': slow(50),
      'b TILE=1': slow(1000),
      'b TILE=2': slow(500),
      'b TILE=4': slow(400),
    };
    const all = [request(variants(2, 4)), request(variants(2, 4), 'b')];
    const first = tunerWith('full', speeds, { store, budgetMs: 150 });
    const choices = await first.tuner.choose(all, measuring);
    expect(first.prepared).toEqual(['TILE=1', 'b TILE=1', 'b TILE=2', 'b TILE=4']);
    expect(choices.map(({ tuning, from }) => [tuning.TILE, from])).toEqual([
      [1, 'static'],
      [4, 'measured'],
    ]);
    // The same program does not spend a second budget on it.
    await first.tuner.choose(all, measuring);
    expect(first.prepared).toHaveLength(4);

    const second = tunerWith('full', speeds, { store, budgetMs: 150 });
    const next = await second.tuner.choose(all, measuring);
    expect(second.prepared).toEqual(['TILE=1', 'TILE=2', 'TILE=4']);
    expect(next.map(({ tuning, from }) => [tuning.TILE, from])).toEqual([
      [4, 'measured'],
      [4, 'cached'],
    ]);
  });

  test('within one kernel, too', async () => {
    const store = memoryStore();
    const speeds = { 'TILE=1': 100, 'TILE=2': { microseconds: 80, compileMs: 2000 }, 'TILE=4': 50 };
    const first = tunerWith('full', speeds, { store, budgetMs: 100 });
    expect((await first.tuner.choose([request(variants(2, 4))], measuring))[0].tuning).toEqual({ TILE: 1 });
    expect(first.prepared).toEqual(['TILE=1', 'TILE=2']);
    const second = tunerWith('full', speeds, { store, budgetMs: 100 });
    expect((await second.tuner.choose([request(variants(2, 4))], measuring))[0].tuning).toEqual({ TILE: 4 });
    expect(second.prepared).toEqual(['TILE=1', 'TILE=4']);
  });
});

describe('cached', () => {
  test('takes what an earlier program measured, and never measures', async () => {
    const store = memoryStore();
    const speeds = { 'TILE=1': 100, 'TILE=2': 50 };
    await tunerWith('full', speeds, { store }).tuner.choose([request(variants(2))], measuring);
    const { tuner, prepared } = tunerWith('cached', {}, { store });
    const choices = await tuner.choose([request(variants(2)), request(variants(2), 'b')], measuring);
    expect(choices).toMatchObject([
      { tuning: { TILE: 2 }, from: 'cached', microseconds: 50, staticMicroseconds: 100 },
      { tuning: { TILE: 1 }, from: 'static' },
    ]);
    expect(prepared).toEqual([]);
  });

  test('adds to the file what another program has written meanwhile', async () => {
    const store = memoryStore();
    const one = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50 }, { store });
    const two = tunerWith('full', { 'b TILE=1': 100, 'b TILE=2': 50 }, { store });
    await two.tuner.choose([], measuring);
    await one.tuner.choose([request(variants(2))], measuring);
    await two.tuner.choose([request(variants(2), 'b')], measuring);
    const { tuner } = tunerWith('cached', {}, { store });
    const choices = await tuner.choose([request(variants(2)), request(variants(2), 'b')], measuring);
    expect(choices.map(({ from }) => from)).toEqual(['cached', 'cached']);
  });

  const name = `${hash(ADAPTER)}.json`;
  const record = {
    format: 'weft-tuning',
    version: 1,
    adapter: ADAPTER,
    shaders: SHADERS,
    choices: { 'toy a:f32[3]': { tuning: { TILE: 2 } } },
  };
  const withText = (text: string) => tunerWith('cached', {}, { store: memoryStore(new Map([[name, text]])) });

  test('a whole file is taken', async () => {
    const { tuner, notes } = withText(JSON.stringify(record));
    expect((await tuner.choose([request(variants(2))], measuring))[0].from).toBe('cached');
    expect(notes).toEqual([]);
  });

  test.each([
    ['cut off', JSON.stringify(record).slice(0, 100)],
    ['empty', ''],
    ['something else', '[1, 2]'],
    ['null', 'null'],
    ['of a later version', JSON.stringify({ ...record, version: 2 })],
    ['of another adapter', JSON.stringify({ ...record, adapter: 'another' })],
    ['of other shaders', JSON.stringify({ ...record, shaders: 'older' })],
    ['without choices', JSON.stringify({ ...record, choices: undefined })],
    ['with choices of another kind', JSON.stringify({ ...record, choices: { 'toy a:f32[3]': 7 } })],
    ['with a tuning that is a list', JSON.stringify({ ...record, choices: { x: { tuning: [1] } } })],
    [
      'with times that are none',
      JSON.stringify({ ...record, choices: { x: { tuning: {}, tried: { y: 'z' } } } }),
    ],
  ])('a file that is %s is ignored with a note', async (_what, text) => {
    const { tuner, notes } = withText(text);
    expect((await tuner.choose([request(variants(2))], measuring))[0]).toEqual({
      tuning: { TILE: 1 },
      from: 'static',
    });
    expect(notes).toEqual([expect.stringContaining(`memory/${name}`)]);
  });

  test('a choice that is no variant of ours, or that is refused here, is ignored with a note', async () => {
    const evil = { TILE: '4; } fn main() {' };
    const text = JSON.stringify({ ...record, choices: { 'toy a:f32[3]': { tuning: evil } } });
    const foreign = withText(text);
    expect((await foreign.tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 1 });
    expect(foreign.notes).toEqual([expect.stringMatching(/no variant of toy; it is ignored/)]);

    const refused = withText(JSON.stringify(record));
    const candidates = [{ tuning: { TILE: 2 }, refused: 'no subgroups' }];
    expect((await refused.tuner.choose([request(candidates)], measuring))[0].tuning).toEqual({ TILE: 1 });
    expect(refused.notes).toEqual([expect.stringMatching(/no subgroups; it is ignored/)]);
  });

  test('a store that fails costs a note, not the program', async () => {
    const broken: TextStore = {
      place: () => 'a full disk',
      read: () => Promise.reject(new Error('EIO')),
      write: () => Promise.reject(new Error('ENOSPC')),
    };
    const { tuner, notes } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50 }, { store: broken });
    expect((await tuner.choose([request(variants(2))], measuring))[0].tuning).toEqual({ TILE: 2 });
    expect(notes).toEqual([
      expect.stringMatching(/a full disk.*EIO/),
      expect.stringMatching(/a full disk.*ENOSPC/),
    ]);
  });
});

describe('a record', () => {
  test('is what toJSON gave, and pins its choices', async () => {
    const { tuner } = tunerWith('full', { 'TILE=1': 100, 'TILE=2': 50 });
    await tuner.choose([request(variants(2))], measuring);
    const record = JSON.parse(JSON.stringify(tuner));
    expect(record).toEqual({
      format: 'weft-tuning',
      version: 1,
      adapter: ADAPTER,
      shaders: SHADERS,
      choices: {
        'toy a:f32[3]': {
          tuning: { TILE: 2 },
          microseconds: 50,
          staticMicroseconds: 100,
          tried: { 'TILE=1': 100, 'TILE=2': 50 },
        },
      },
    });
    const pinned = tunerWith(record);
    expect((await pinned.tuner.choose([request(variants(2))], measuring))[0]).toMatchObject({
      tuning: { TILE: 2 },
      from: 'pinned',
    });
    expect(pinned.notes).toEqual([]);
    expect(pinned.prepared).toEqual([]);
  });

  test('of static choices pins those, also where the rule would choose otherwise', async () => {
    const { tuner } = tunerWith('off');
    await tuner.choose([request(variants(1, 2))], measuring);
    const elsewhere = { ...request(variants(1, 2)), standard: { TILE: 2 } };
    const pinned = tunerWith(JSON.parse(JSON.stringify(tuner)));
    expect((await pinned.tuner.choose([elsewhere], measuring))[0].tuning).toEqual({ TILE: 1 });
  });

  test('that this device cannot run is an error that says why', async () => {
    const record = {
      format: 'weft-tuning',
      version: 1,
      adapter: ADAPTER,
      shaders: SHADERS,
      choices: { 'toy a:f32[3]': { tuning: { TILE: 8 } } },
    } as const;
    const refused = [{ tuning: { TILE: 8 }, refused: 'the device has no subgroups' }];
    const error = await tunerWith(record)
      .tuner.choose([request(refused)], measuring)
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/toy a:f32\[3\] with TILE=8: the device has no subgroups/);
  });

  test('made with other kernels is told of', async () => {
    const record = { format: 'weft-tuning', version: 1, adapter: '', shaders: 'older', choices: {} } as const;
    const { tuner, notes } = tunerWith(record);
    await tuner.choose([request(variants(2))], measuring);
    expect(notes).toEqual([expect.stringMatching(/other kernels/)]);
  });

  test('by family pins all kernels of it', async () => {
    const { tuner } = tunerWith({ toy: { TILE: 4 } });
    const choices = await tuner.choose([request(variants(4)), request(variants(4), 'b')], measuring);
    expect(choices).toEqual([
      { tuning: { TILE: 4 }, from: 'pinned' },
      { tuning: { TILE: 4 }, from: 'pinned' },
    ]);
  });

  test('by family is refused when the family has no such variant', async () => {
    const { tuner } = tunerWith({ toy: { TILE: 5 } });
    await expect(tuner.choose([request(variants(4))], measuring)).rejects.toThrow(
      /^init: tuning\.toy with TILE=5: no variant of toy\. Fix: /,
    );
  });
});

test.each([
  'fast',
  7,
  null,
  [],
  { matmul: 3 },
  { matmul: { TILE: null } },
  { format: 'weft-tuning' },
  { format: 'other', choices: {} },
])('init refuses tuning: %j', (option) => {
  expect(() => checkTuning(option)).toThrow(ConfigError);
});
