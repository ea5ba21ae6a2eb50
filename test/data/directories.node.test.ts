/** Pictures and texts in folders, against what Keras 3.15.1 read from the same (fixtures/record_directories.py). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, FormatError, ShapeError, ValueError } from '../../src/base/errors.ts';
import type { NdArray } from '../../src/data/nd-array.ts';
import { imageDatasetFromDirectory, textDatasetFromDirectory } from '../../src/data/read-directory.ts';
import recorded from './fixtures/directories.json';
import { camel } from './support/camel.ts';

const root = mkdtempSync(join(tmpdir(), 'weft-folders-'));
const put = (folder: string, files: Record<string, string>): void => {
  for (const [name, base64] of Object.entries(files)) {
    const path = join(root, folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(base64, 'base64'));
  }
};
beforeAll(() => {
  put('images', recorded.images.files);
  put('texts', recorded.texts.files);
});
afterAll(() => rmSync(root, { recursive: true }));

type Part = NdArray | readonly string[];

/** `within`: how far numbers may be off; decoders of JPEG differ. */
function close(mine: Part, theirs: unknown, within: number): void {
  if (Array.isArray(theirs)) {
    expect(mine).toEqual(theirs);
    return;
  }
  const [a, b] = [mine as NdArray, theirs as { data: number[]; shape: number[] }];
  expect(a.shape).toEqual(b.shape);
  expect(Math.max(...Array.from(a.data, (value, i) => Math.abs(value - b.data[i])))).toBeLessThanOrEqual(
    within,
  );
}

const batchesOf = async (dataset: AsyncIterable<unknown>, bare: boolean): Promise<Part[][]> => {
  const all: Part[][] = [];
  for await (const batch of dataset) all.push(bare ? [batch as Part] : (batch as Part[]));
  return all;
};

test.each(recorded.images.cases.map((one) => [JSON.stringify(one.options), one] as const))(
  'pictures are read, resized and labelled as Keras does: %s',
  async (_, { options, paths, names, batches }) => {
    const dataset = await imageDatasetFromDirectory(join(root, 'images'), camel(options));
    expect([dataset.filePaths, dataset.classNames]).toEqual([paths, names]);
    const mine = await batchesOf(dataset, options.labels === null);
    expect(mine.length).toBe(batches.length);
    for (const [i, batch] of mine.entries())
      for (const [j, part] of batch.entries()) close(part, batches[i][j], j === 0 ? 1.01 : 0);
  },
);

test('texts are read and labelled as Keras does, and the parts are the same files', async () => {
  const folder = join(root, 'texts');
  for (const { options, paths, names, batches } of recorded.texts.cases) {
    const dataset = await textDatasetFromDirectory(folder, camel(options));
    expect([dataset.filePaths, dataset.classNames]).toEqual([paths, names]);
    const mine = await batchesOf(dataset, false);
    for (const [i, batch] of mine.entries())
      for (const [j, part] of batch.entries()) close(part, batches[i][j], 0);
  }
  for (const subset of ['training', 'validation'] as const) {
    const { filePaths } = await textDatasetFromDirectory(folder, { seed: 3, validationSplit: 0.25, subset });
    expect(filePaths).toEqual(recorded.texts[subset]);
  }
});

describe('refused with what to do', () => {
  const images = join(root, 'images');
  test.each<[string, () => Promise<unknown>, typeof ValueError | typeof ConfigError, RegExp]>([
    [
      'a folder that is not there',
      () => imageDatasetFromDirectory(join(root, 'no')),
      ValueError,
      /cannot be read/,
    ],
    [
      'a folder without pictures',
      () => imageDatasetFromDirectory(join(root, 'texts')),
      ValueError,
      /no file that ends in/,
    ],
    [
      'a class that is no folder',
      () => imageDatasetFromDirectory(images, { classNames: ['cow'] }),
      ConfigError,
      /"cow"; the folders are cat, dog, emu/,
    ],
    [
      'two classes of three',
      () => imageDatasetFromDirectory(images, { labelMode: 'binary' }),
      ConfigError,
      /two classes; there are 3/,
    ],
    [
      'labels for other files',
      () => imageDatasetFromDirectory(images, { labels: [1, 2] }),
      ValueError,
      /2 labels for 8 files/,
    ],
    [
      'a label that is no class',
      () => imageDatasetFromDirectory(images, { labels: [0, 1, 2, 0, -1, 0, 0, 0] }),
      ValueError,
      /label -1 of file 4/,
    ],
    [
      'what is no folder',
      () => imageDatasetFromDirectory(3 as never),
      ValueError,
      /expected a folder's path/,
    ],
    [
      'a part without its size',
      () => imageDatasetFromDirectory(images, { subset: 'training' }),
      ConfigError,
      /together, or neither/,
    ],
    [
      'parts that would not fit together',
      () => imageDatasetFromDirectory(images, { subset: 'training', validationSplit: 0.2 }),
      ConfigError,
      /Give a seed/,
    ],
    [
      'another way between pixels',
      () => imageDatasetFromDirectory(images, { interpolation: 'bicubic' as never }),
      ConfigError,
      /'bilinear' or 'nearest'/,
    ],
    ['an unknown option', () => imageDatasetFromDirectory(images, { size: 3 } as never), ConfigError, /size/],
  ])('%s', async (_, attempt, type, message) => {
    const error = (await attempt().catch((reason) => reason)) as Error;
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
  });

  test('pictures of several sizes in one batch, where none is given', async () => {
    const dataset = await imageDatasetFromDirectory(images, { imageSize: null, shuffle: false });
    await expect(batchesOf(dataset, false)).rejects.toThrow(ShapeError);
    await expect(batchesOf(dataset, false)).rejects.toThrow(
      /cat\/1\.png has shape \[5,5,3\].*Give imageSize/,
    );
  });

  test('a picture and a text that cannot be read: named, and passed over only when asked', async () => {
    put('broken', {
      'a/good.png': recorded.images.files['cat/0.png'],
      'b/bad.png': btoa('no picture'),
      'b/bad.txt': '/w==',
      'a/good.txt': btoa('fine'),
    });
    const folder = join(root, 'broken');
    const options = { shuffle: false, imageSize: [2, 2] } as const;
    await expect(batchesOf(await imageDatasetFromDirectory(folder, options), false)).rejects.toThrow(
      FormatError,
    );
    await expect(batchesOf(await imageDatasetFromDirectory(folder, options), false)).rejects.toThrow(
      /b\/bad\.png/,
    );
    const some = await imageDatasetFromDirectory(folder, { ...options, skipUnreadable: true });
    expect((await batchesOf(some, false)).map(([x]) => (x as NdArray).shape)).toEqual([[1, 2, 2, 3]]);
    expect(some.skipped).toEqual(['b/bad.png']);
    await expect(
      batchesOf(await textDatasetFromDirectory(folder, { shuffle: false }), false),
    ).rejects.toThrow(/b\/bad\.txt: it is no UTF-8/);
  });
});

test('files that a visitor gave are read like a folder', async () => {
  const files = Object.entries(recorded.texts.files).map(([name, base64]) => {
    const file = new File([Buffer.from(base64, 'base64')], name.split('/')[1]);
    return Object.defineProperty(file, 'webkitRelativePath', { value: `chosen/${name}` });
  });
  const dataset = await textDatasetFromDirectory(files, { shuffle: false });
  expect([dataset.filePaths, dataset.classNames]).toEqual([recorded.texts.cases[0].paths, ['neg', 'pos']]);
  const [[texts]] = await batchesOf(dataset, false);
  expect(texts).toEqual(recorded.texts.cases[0].batches[0][0]);
});
