/** A data set that Keras keeps in one npz file, in all the places where it may be. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { DownloadError, FormatError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/data/download.ts';
import type { PublishedOptions } from '../../src/data/find-published.ts';
import type { ImageDataset } from '../../src/data/labelled-images.ts';
import { loadPublished } from '../../src/data/load-published.ts';
import type { NdArray } from '../../src/data/nd-array.ts';
import { encodeNpz } from '../../src/data/npz.ts';
import type { PublishedDataset } from '../../src/data/published.ts';
import { counting } from './support/idx-files.ts';
import {
  MemoryFiles,
  network,
  type SmallDataset,
  smallDataset,
  surroundings,
} from './support/small-dataset.ts';

const CACHE = '/home/user/.cache/weft/datasets/small';
const ARRAYS: Record<string, NdArray> = {
  x_train: { data: counting(5 * 784), shape: [5, 28, 28] },
  y_train: { data: Uint8Array.of(0, 1, 2, 1, 0), shape: [5] },
  x_test: { data: counting(2 * 784).reverse(), shape: [2, 28, 28] },
  y_test: { data: Uint8Array.of(2, 1), shape: [2] },
};

let small: SmallDataset;
let dataset: PublishedDataset;
let npz: Uint8Array<ArrayBuffer>;
let disk: MemoryFiles;
beforeAll(async () => {
  small = await smallDataset();
  npz = (await encodeNpz(ARRAYS)) as Uint8Array<ArrayBuffer>;
  const plain = { bytes: npz.length, sha256: await sha256(npz) };
  dataset = {
    ...small.dataset,
    archive: { file: { name: 'small.npz', gzip: plain, plain }, mirror: 'https://third.test/' },
  };
  small = { ...small, contents: new Map([...small.contents, ['small.npz', npz]]) };
});
beforeEach(() => {
  disk = new MemoryFiles();
});

function load(options: PublishedOptions = {}, online: string[] = []) {
  const { fetch, requests } = network(small, online);
  return { loaded: loadPublished(dataset, options, surroundings(disk, fetch)), requests };
}

const check = ({ train, test: held }: ImageDataset): void => {
  expect([train.images, train.labels]).toEqual([ARRAYS.x_train.data, ARRAYS.y_train.data]);
  expect([held.images, held.labels]).toEqual([ARRAYS.x_test.data, ARRAYS.y_test.data]);
};

test('it is found in a folder that is named, in the cache and where Keras keeps it', async () => {
  for (const path of ['/given/small.npz', '/given/small/small.npz']) {
    disk.files.clear();
    disk.files.set(path, npz);
    const set = await load({ dir: '/given' }).loaded;
    check(set);
    expect(set.source).toBe(path);
  }
  for (const folder of ['/home/user/.keras/datasets', CACHE]) {
    disk.files.clear();
    disk.files.set(`${folder}/small.npz`, npz);
    const { loaded, requests } = load();
    check(await loaded);
    expect(requests).toEqual([]);
  }
});

test('it is fetched when the four files are not to be had, and kept', async () => {
  const { loaded, requests } = load({}, ['https://third.test/']);
  check(await loaded);
  expect(requests.at(-1)).toBe('https://third.test/small.npz');
  expect(disk.files.get(`${CACHE}/small.npz`)).toEqual(npz);
  check(await load().loaded);
});

test('a copy in the cache that is damaged is deleted', async () => {
  disk.files.set(`${CACHE}/small.npz`, npz.slice().fill(0, 200, 210));
  await expect(load().loaded).rejects.toThrow(DownloadError);
  expect(disk.files.size).toBe(0);
});

test('an archive without an array, or with another kind of numbers, is refused by name', async () => {
  const { y_test, ...three } = ARRAYS;
  disk.files.set('/given/small.npz', await encodeNpz(three));
  await expect(load({ dir: '/given' }).loaded).rejects.toThrow('/given/small.npz: there is no y_test.npy');
  const floats = { ...three, y_test: { data: Float32Array.of(2, 1), shape: [2] } };
  disk.files.set('/given/small.npz', await encodeNpz(floats));
  await expect(load({ dir: '/given' }).loaded).rejects.toThrow('small.npz, y_test.npy: Float32Array');
  disk.files.set('/given/small.npz', await encodeNpz({ ...ARRAYS, y_test: { ...y_test, shape: [1, 2] } }));
  await expect(load({ dir: '/given' }).loaded).rejects.toThrow(FormatError);
});
