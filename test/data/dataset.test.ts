import { describe, expect, test } from 'vitest';
import { ConfigError, ShapeError, ValueError } from '../../src/base/errors.ts';
import type { NdArray } from '../../src/data/nd-array.ts';
import { Dataset } from '../../src/data/pipeline/dataset.ts';

const counting = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
const numbers = (count: number) => Dataset.fromTensorSlices<number>(counting(count));
/** The same numbers from a generator: nothing is known about its rows. */
const generated = (count: number) => Dataset.fromGenerator(() => counting(count), { cardinality: count });
const sorted = (list: Iterable<number>) => [...list].sort((a, b) => a - b);

describe('slices', () => {
  test('of one array are numbers or arrays of the rest of the shape', async () => {
    expect(await numbers(3).toArray()).toEqual([0, 1, 2]);
    expect(await Dataset.fromTensorSlices([1.5, 2.5]).toArray()).toEqual([1.5, 2.5]);
    const rows = Dataset.fromTensorSlices({ data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2] });
    expect(await rows.toArray()).toEqual([
      { data: Uint8Array.of(1, 2), shape: [2] },
      { data: Uint8Array.of(3, 4), shape: [2] },
    ]);
  });

  test('of lists, names and labelled images keep their form, and batches their element types', async () => {
    const x = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] };
    const y = Uint8Array.of(7, 8, 9);
    const [first, last] = await Dataset.fromTensorSlices([x, y]).batch(2).toArray();
    expect(first).toEqual([
      { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      { data: Uint8Array.of(7, 8), shape: [2] },
    ]);
    expect(last).toEqual([
      { data: Float32Array.of(5, 6), shape: [1, 2] },
      { data: Uint8Array.of(9), shape: [1] },
    ]);
    expect(await Dataset.fromTensorSlices({ x, y }).take(1).toArray()).toEqual([
      { x: { data: Float32Array.of(1, 2), shape: [2] }, y: 7 },
    ]);
    const images = { images: new Uint8Array(8), labels: Uint8Array.of(1, 0), count: 2, height: 2, width: 2 };
    const [[image, label]] = (await Dataset.fromTensorSlices(images).toArray()) as [NdArray, number][];
    expect([image.shape, label]).toEqual([[2, 2], 1]);
  });

  test('of arrays whose numbers are elsewhere are fetched once, and only for a pass', async () => {
    let fetched = 0;
    const lazy = { shape: [3, 1], data: async () => Float32Array.of(++fetched, 5, 6) };
    const dataset = Dataset.fromTensorSlices([lazy, counting(3)])
      .skip(1)
      .batch(2);
    expect((dataset.rowPlan!.columns as unknown[])[0]).toBe(lazy);
    expect(fetched).toBe(0);
    const [[x, y]] = (await dataset.toArray()) as [NdArray, NdArray][];
    expect([x, y.data]).toEqual([{ data: Float32Array.of(5, 6), shape: [2, 1] }, Int32Array.of(1, 2)]);
    await dataset.toArray();
    expect(fetched).toBe(1);
  });

  test('of arrays with different numbers of rows are refused', () => {
    expect(() => Dataset.fromTensorSlices([counting(3), counting(2)])).toThrow('arrays of 3 and 2 rows');
    expect(() => Dataset.fromTensorSlices({})).toThrow(ShapeError);
    expect(() => Dataset.fromTensorSlices(['a', 'b'] as never)).toThrow(ValueError);
    expect(() => Dataset.fromTensorSlices({ data: new Uint8Array(3), shape: [2, 2] })).toThrow(ShapeError);
  });
});

/** What each step does, on rows of arrays and on generated elements alike. */
const steps: Record<string, { of: (d: Dataset<number>) => Dataset<unknown>; gives: unknown[] }> = {
  'take 2': { of: (d) => d.take(2), gives: [0, 1] },
  'take more than there are': { of: (d) => d.take(9), gives: [0, 1, 2, 3, 4] },
  'take none': { of: (d) => d.take(0), gives: [] },
  'skip 3': { of: (d) => d.skip(3), gives: [3, 4] },
  'skip all': { of: (d) => d.skip(9), gives: [] },
  'skip, take': { of: (d) => d.skip(1).take(2), gives: [1, 2] },
  'repeat twice': { of: (d) => d.take(2).repeat(2), gives: [0, 1, 0, 1] },
  'repeat for ever, take': { of: (d) => d.take(2).repeat().take(5), gives: [0, 1, 0, 1, 0] },
  'repeat nothing for ever': { of: (d) => d.take(0).repeat(), gives: [] },
  concatenate: { of: (d) => d.take(2).concatenate(d.skip(3)), gives: [0, 1, 3, 4] },
  map: { of: (d) => d.map((x) => x * 2), gives: [0, 2, 4, 6, 8] },
  'asynchronous map': { of: (d) => d.map(async (x) => x + 1), gives: [1, 2, 3, 4, 5] },
  filter: { of: (d) => d.filter((x) => x % 2 === 0), gives: [0, 2, 4] },
  'asynchronous filter': { of: (d) => d.filter(async (x) => x > 2), gives: [3, 4] },
  prefetch: { of: (d) => d.prefetch(3), gives: [0, 1, 2, 3, 4] },
  zip: {
    of: (d) => Dataset.zip([d, d.skip(2)]),
    gives: [
      [0, 2],
      [1, 3],
      [2, 4],
    ],
  },
};
for (const [kind, make] of Object.entries({ 'rows of arrays': numbers, 'generated elements': generated })) {
  describe(`steps on ${kind}`, () => {
    for (const [name, { of, gives }] of Object.entries(steps)) {
      test(name, async () => {
        const dataset = of(make(5));
        expect(await dataset.toArray()).toEqual(gives);
        expect(await dataset.toArray()).toEqual(gives); // and again
        if (dataset.cardinality !== null) expect(dataset.cardinality).toBe(gives.length);
      });
    }

    test('batches, their number and a remainder that is dropped', async () => {
      const sizes = async (dataset: Dataset<unknown>) =>
        ((await dataset.toArray()) as NdArray[]).map(({ shape }) => shape[0]);
      expect(await sizes(make(5).batch(2))).toEqual([2, 2, 1]);
      expect(await sizes(make(5).batch(2, { dropRemainder: true }))).toEqual([2, 2]);
      expect(await sizes(make(5).batch(2).take(2))).toEqual([2, 2]);
      expect(await sizes(make(5).batch(2).skip(2))).toEqual([1]);
      expect([make(5).batch(2).cardinality, make(5).batch(2, { dropRemainder: true }).cardinality]).toEqual([
        3, 2,
      ]);
      expect(await sizes(make(5).batch(2).repeat(2))).toEqual([2, 2, 1, 2, 2, 1]);
    });
  });
}

describe('shuffle', () => {
  test('gives every element once, in an order that follows from seed and pass', async () => {
    const shuffled = () => numbers(100).shuffle(100, 42);
    const dataset = shuffled();
    const passes = [await dataset.toArray(), await dataset.toArray()];
    for (const pass of passes) expect(sorted(pass)).toEqual([...counting(100)]);
    expect(passes[0]).not.toEqual(passes[1]);
    expect(passes[0]).not.toEqual([...counting(100)]);
    const other = shuffled();
    expect([await other.toArray(), await other.toArray()]).toEqual(passes);
    expect(await numbers(100).shuffle(100, 43).toArray()).not.toEqual(passes[0]);
  });

  test('of rows and of generated elements is the same, whatever the buffer', async () => {
    for (const buffer of [1, 2, 7, 20, 1000]) {
      const both = [numbers(20), generated(20)].map((d) => d.shuffle(buffer, 5).shuffle(3, 5).take(17));
      const [rows, elements] = await Promise.all(both.map((d) => d.toArray()));
      expect(rows).toEqual(elements);
    }
    expect(await numbers(20).shuffle(1, 5).toArray()).toEqual([...counting(20)]);
  });

  test('looks no further ahead than its buffer', async () => {
    const order = await numbers(1000).shuffle(10, 1).toArray();
    order.forEach((value, i) => {
      expect(value).toBeLessThan(i + 10);
    });
  });

  test('parts of one shuffled pipeline share no row, and without reshuffling never change', async () => {
    const all = numbers(100).shuffle(100, 7, { reshuffleEachIteration: false });
    const [train, held] = [all.take(70), all.skip(70)];
    const first = await train.toArray();
    expect(sorted([...first, ...(await held.toArray())])).toEqual([...counting(100)]);
    expect(await train.toArray()).toEqual(first);
  });

  test('is another each time without a seed', async () => {
    const order = () => numbers(50).shuffle(50).toArray();
    expect(await order()).not.toEqual(await order());
  });

  test('draws anew in each repetition', async () => {
    for (const make of [numbers, generated]) {
      const twice = await make(30).shuffle(30, 3).repeat(2).toArray();
      expect(twice.slice(0, 30)).not.toEqual(twice.slice(30));
      expect(sorted(twice.slice(30))).toEqual([...counting(30)]);
    }
  });
});

describe('a pipeline of rows is said in terms of rows', () => {
  test('while it shuffles, takes, skips, repeats and batches', async () => {
    const x = { data: new Uint8Array(40), shape: [10, 4] };
    const plain = Dataset.fromTensorSlices([x, counting(10)])
      .skip(2)
      .take(6)
      .batch(4)
      .prefetch(2);
    expect(plain.rowPlan).toMatchObject({ count: 6, start: 2, batchSize: 4 });
    expect(plain.rowPlan!.columns).toEqual([x, { data: counting(10), shape: [10] }]);
    expect((plain.rowPlan!.columns as NdArray[])[0]).toBe(x); // not a copy

    const mixed = numbers(10).shuffle(10, 1).take(7).repeat(2).batch(5, { dropRemainder: true });
    const plan = mixed.rowPlan!;
    expect(plan).toMatchObject({ count: 10, start: null, batchSize: 5 });
    const batches = (await mixed.toArray()) as NdArray[];
    expect(batches.flatMap(({ data }) => [...data])).toEqual([...plan.order(0)]);
  });

  test('and no longer when it maps, filters, zips, repeats batches or makes its data', () => {
    const all = numbers(4);
    for (const other of [
      all.map((x) => x),
      all.filter(() => true),
      all.batch(3).repeat(2),
      all.batch(3).batch(2),
      all.repeat(),
      Dataset.zip([all, all]),
      generated(4),
    ]) {
      expect(other.rowPlan).toBeNull();
    }
  });
});

describe('batches of made elements', () => {
  test('take any form', async () => {
    const elements = [
      { x: { data: Float32Array.of(1, 2), shape: [2] }, y: 1, name: 'a', seen: true, raw: Uint8Array.of(3) },
      { x: { data: Float32Array.of(3, 4), shape: [2] }, y: 0, name: 'b', seen: false, raw: Uint8Array.of(4) },
    ];
    const [batch] = await Dataset.fromGenerator(() => elements)
      .batch(2)
      .toArray();
    expect(batch).toEqual({
      x: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      y: { data: Float32Array.of(1, 0), shape: [2] },
      name: ['a', 'b'],
      seen: { data: Float32Array.of(1, 0), shape: [2] },
      raw: { data: Uint8Array.of(3, 4), shape: [2, 1] },
    });
  });

  test('refuse elements of different shapes or forms', async () => {
    const batch = (...elements: unknown[]) =>
      Dataset.fromGenerator(() => elements)
        .batch(2)
        .toArray();
    await expect(batch(Float32Array.of(1), Float32Array.of(1, 2))).rejects.toThrow(ShapeError);
    await expect(batch([1, 2], [1])).rejects.toThrow(ShapeError);
    await expect(batch({ x: 1 }, { y: 1 })).rejects.toThrow(ShapeError);
  });
});

describe('generators', () => {
  test('are begun anew for each pass and closed when a pass is left early', async () => {
    let begun = 0;
    let closed = 0;
    async function* make() {
      begun++;
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed++;
      }
    }
    const dataset = Dataset.fromGenerator(make);
    expect(dataset.cardinality).toBeNull();
    expect(await dataset.take(2).toArray()).toEqual([0, 1]);
    for await (const value of dataset.prefetch(3).map((x) => x)) if (value === 4) break;
    expect(await Dataset.zip([dataset, numbers(2)]).toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect([begun, closed]).toEqual([3, 3]);
  });

  test('that fail say so to whoever reads, prefetched or not', async () => {
    const failing = Dataset.fromGenerator(function* () {
      yield 1;
      throw new Error('the disk is gone');
    });
    await expect(failing.toArray()).rejects.toThrow('the disk is gone');
    await expect(failing.prefetch(5).toArray()).rejects.toThrow('the disk is gone');
  });

  test('are made ahead by prefetch', async () => {
    let made = 0;
    const dataset = Dataset.fromGenerator(function* () {
      for (;;) yield made++;
    }).prefetch(4);
    for await (const value of dataset) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(made).toBeGreaterThanOrEqual(value + 4);
      if (value === 3) break;
    }
  });
});

test('numbers that make no sense are refused when the pipeline is made', () => {
  const all = numbers(3);
  expect(() => all.batch(0)).toThrow(ValueError);
  expect(() => all.take(1.5)).toThrow(ValueError);
  expect(() => all.shuffle(0)).toThrow(ValueError);
  expect(() => all.prefetch(-1)).toThrow(ConfigError);
  expect(() => Dataset.fromGenerator([1, 2] as never)).toThrow(ValueError);
  expect(() => Dataset.zip([])).toThrow(ValueError);
});

test('60,000 rows are shuffled and batched in a moment', async () => {
  const set = Dataset.fromTensorSlices([
    { data: new Uint8Array(60_000 * 16), shape: [60_000, 16] },
    counting(60_000),
  ]);
  const start = performance.now();
  let rows = 0;
  for await (const [x] of set.shuffle(10_000, 1).batch<[NdArray, NdArray]>(20)) rows += x.shape[0];
  expect(rows).toBe(60_000);
  expect(performance.now() - start).toBeLessThan(20_000);
});
