/** Texts as numbers, padding, windows over time and small pictures, against Keras 3.15.1 (fixtures/record_text_data.py). */
import { describe, expect, test } from 'vitest';
import { ConfigError, FormatError, ShapeError, ValueError } from '../../src/base/errors.ts';
import { cifar100, hundred, loadCifar } from '../../src/data/cifar.ts';
import { pickleIn } from '../../src/data/npy.ts';
import type { Dataset } from '../../src/data/pipeline/dataset.ts';
import { CIFAR10, CIFAR100 } from '../../src/data/published.ts';
import { readTar } from '../../src/data/tar.ts';
import { loadTexts, type ReutersOptions } from '../../src/data/text/newswires.ts';
import { padSequences } from '../../src/data/text/pad-sequences.ts';
import { pickledLists } from '../../src/data/text/pickled-lists.ts';
import { byteTokenizer, charTokenizer } from '../../src/data/text/tokenizers.ts';
import { timeseriesDatasetFromArray } from '../../src/data/timeseries.ts';
import { readZip } from '../../src/data/zip.ts';
import recorded from './fixtures/text-data.json';
import { camel } from './support/camel.ts';
import { gzip } from './support/idx-files.ts';
import { MemoryFiles, surroundings } from './support/small-dataset.ts';

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const nowhere = () => Promise.reject(new Error('no network'));

describe.each(['imdb', 'reuters'] as const)('%s', (name) => {
  const disk = new MemoryFiles();
  disk.files.set(`/texts/${name}.npz`, bytesOf(recorded[name].file));
  const load = (options: ReutersOptions) =>
    loadTexts(name, { dir: '/texts', ...options }, surroundings(disk, nowhere as never, {}));

  test('gives the word numbers, the order and the parts that Keras gives', async () => {
    for (const { options, y } of recorded[name].cases) {
      const { train, test: held } = await load(camel(options));
      expect([train.sequences, [...train.labels], held.sequences, [...held.labels]]).toEqual(y);
    }
  });

  test('says what is wrong with a file, and with maxlen', async () => {
    await expect(load({ maxlen: 1 })).rejects.toThrow(/no text is shorter than maxlen, 1/);
    disk.files.set(`/broken/${name}.npz`, bytesOf(recorded[name].file).slice(0, 300));
    await expect(load({ dir: '/broken' })).rejects.toThrow(FormatError);
    await expect(load({ dir: '/empty' })).rejects.toThrow(new RegExp(`lacks ${name}.npz. Put it there`));
  });
});

test('a pickle that would do anything else than make lists of numbers is refused', async () => {
  const entries = new Map(await readZip(bytesOf(recorded.reuters.file), 'x', 1e6));
  const { pickle } = pickleIn(entries.get('x.npy')!, 'x');
  expect(pickledLists(pickle, 'x')).toHaveLength(13);
  expect(() => pickledLists(Uint8Array.of(0x80, 2, 0x2e), 'f')).toThrow(/f, byte 3/);
  // cos\nsystem\n(S'ls'\ntR.
  const attack = new TextEncoder().encode("cos\nsystem\n(S'ls'\ntR.");
  expect(() => pickledLists(attack, 'f')).toThrow(/code 83/);
  for (let at = 0; at < pickle.length; at += 7) {
    const broken = pickle.slice();
    broken[at] ^= 0x55;
    try {
      pickledLists(broken, 'f');
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
    expect(() => pickledLists(pickle.subarray(0, at), 'f')).toThrow(FormatError);
  }
});

test('padSequences fills and cuts as Keras does', () => {
  for (const { x, options, y, shape } of recorded.padded) {
    const { dtype, ...rest } = options as { dtype?: string };
    const padded = padSequences(x as number[][], { ...rest, ...(dtype && { dtype: 'f32' as const }) });
    expect([[...padded.data], padded.shape]).toEqual([y, shape]);
  }
  expect(() => padSequences([[1, [2]]] as never)).toThrow(ShapeError);
  expect(() => padSequences([[0.5]])).toThrow(/dtype: 'f32'/);
  expect(() => padSequences([3] as never)).toThrow(/sequence 0 is number/);
  expect(() => padSequences([[1]], { padding: 'left' as never })).toThrow(ValueError);
});

test('timeseriesDatasetFromArray has the windows of Keras', async () => {
  const series = Float32Array.from({ length: 20 }, (_, i) => i);
  const nested = ({ data, shape }: { data: ArrayLike<number>; shape: number[] }): unknown =>
    shape.length < 2
      ? Array.from(data)
      : Array.from({ length: shape[0] }, (_, i) => Array.from(data).slice(i * shape[1], (i + 1) * shape[1]));
  for (const { options, targets, y } of recorded.windows) {
    const dataset = timeseriesDatasetFromArray(series, targets, camel(options)) as Dataset<unknown>;
    const found: unknown[] = [];
    for await (const batch of dataset)
      found.push(
        (Array.isArray(batch) ? batch : [batch]).map((part) =>
          typeof part === 'number' ? part : nested(part),
        ),
      );
    expect(found).toEqual(y);
  }
  const order = async (dataset: Dataset) => {
    const all: number[] = [];
    for await (const batch of dataset) all.push(...((batch as [unknown, { data: number[] }])[1].data ?? []));
    return all;
  };
  const shuffled = timeseriesDatasetFromArray(series, series, { sequenceLength: 2, shuffle: true, seed: 3 });
  const [first, second] = [await order(shuffled), await order(shuffled)];
  expect(first).not.toEqual(second);
  expect(first.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, i) => i));
  expect(() => timeseriesDatasetFromArray(series, null, { sequenceLength: 30 })).toThrow(
    /sequenceLength is 30/,
  );
  expect(() => timeseriesDatasetFromArray(series, null, { sequenceLength: 9, samplingRate: 4 })).toThrow(
    /reaches over 33 steps/,
  );
});

test('tokenizers give back the text that they took', () => {
  const text = 'Call me Ishmael. Étoile, 🐋!';
  for (const tokenizer of [charTokenizer(text), byteTokenizer()]) {
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(Math.max(...ids)).toBeLessThan(tokenizer.vocabularySize);
    expect(() => tokenizer.decode([tokenizer.vocabularySize])).toThrow(ValueError);
  }
  expect(() => charTokenizer('ab').encode('abc')).toThrow(/"c" at character 2/);
  expect(() => charTokenizer('')).toThrow(/empty/);
  expect(() => charTokenizer(3 as never)).toThrow(/expected a text/);
});

/** A tar archive of these files, as `tar c` writes it. */
function tar(files: Record<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const [name, content] of Object.entries(files)) {
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(124, content.length.toString(8).padStart(11, '0'));
    put(148, ' '.repeat(8));
    put(156, '0');
    put(257, 'ustar');
    put(
      148,
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
    );
    const padded = new Uint8Array(512 * Math.ceil(content.length / 512));
    padded.set(content);
    blocks.push(header, padded);
  }
  blocks.push(new Uint8Array(1024));
  const all = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

test('cifar100 has two sets of labels', async () => {
  const record = (coarse: number, fine: number) =>
    Uint8Array.of(coarse, fine, ...new Uint8Array(3072).fill(fine));
  const content = {
    'x/train.bin': record(1, 2),
    'x/test.bin': record(0, 1),
    'x/fine_label_names.txt': new TextEncoder().encode('a\nb\nc\n'),
    'x/coarse_label_names.txt': new TextEncoder().encode('p\nq\n'),
  };
  const disk = new MemoryFiles();
  disk.files.set('/data/cifar-100-binary.tar.gz', await gzip(tar(content)));
  const load = (mode: 'fine' | 'coarse') =>
    loadCifar(CIFAR100, hundred(mode), { dir: '/data' }, surroundings(disk, nowhere as never, {}));
  const [fine, coarse] = [await load('fine'), await load('coarse')];
  expect([[...fine.train.labels], fine.classNames, fine.test.images[0]]).toEqual([[2], ['a', 'b', 'c'], 1]);
  expect([[...coarse.train.labels], coarse.classNames, coarse.train.images[9]]).toEqual([[1], ['p', 'q'], 2]);
  await expect(cifar100({ labelMode: 'both' as never })).rejects.toThrow(ConfigError);
});

describe('cifar10', () => {
  const layout = {
    labelBytes: 1,
    label: 0,
    train: ['a.bin', 'b.bin'],
    test: ['c.bin'],
    names: 'names.txt',
  };
  const picture = (label: number, seed: number): Uint8Array =>
    Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (i * seed) % 251));
  const files = {
    'x/a.bin': Uint8Array.of(...picture(1, 3), ...picture(0, 5)),
    'x/b.bin': picture(1, 7),
    'x/c.bin': picture(0, 11),
    'x/names.txt': new TextEncoder().encode('cat\ndog\n\n'),
  };
  const load = async (content: Record<string, Uint8Array>) => {
    const disk = new MemoryFiles();
    disk.files.set('/data/cifar-10-binary.tar.gz', await gzip(tar(content)));
    return loadCifar(CIFAR10, layout, { dir: '/data' }, surroundings(disk, nowhere as never, {}));
  };

  test('has pictures with their colours side by side, and the names of the classes', async () => {
    const { train, test: held, classNames } = await load(files);
    expect([classNames, [...train.labels], [...held.labels]]).toEqual([['cat', 'dog'], [1, 0, 1], [0]]);
    expect([train.count, train.height, train.width, train.channels]).toEqual([3, 32, 32, 3]);
    const at = (row: number, column: number) => [
      ...train.images.subarray(3072 + (row * 32 + column) * 3).subarray(0, 3),
    ];
    expect(at(2, 9)).toEqual([0, 1, 2].map((c) => ((1 + c * 1024 + 2 * 32 + 9) * 5) % 251));
  });

  test('says what is wrong with an archive', async () => {
    await expect(load({ ...files, 'x/a.bin': new Uint8Array(9) })).rejects.toThrow(/a\.bin: 9 bytes/);
    await expect(load({ ...files, 'x/c.bin': picture(7, 1) })).rejects.toThrow(/label 7, expected 0 to 1/);
    const { 'x/b.bin': _, ...rest } = files;
    await expect(load(rest)).rejects.toThrow(/no b\.bin/);
    const archive = tar(files);
    archive[130] = 0x37;
    expect(() => readTar(archive, 'f')).toThrow(/sum/);
    expect(() => readTar(tar(files).subarray(0, 700), 'f')).toThrow(/ends before/);
  });
});
