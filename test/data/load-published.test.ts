import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DownloadError, FormatError, UnsupportedError, ValueError } from '../../src/base/errors.ts';
import type { PublishedOptions } from '../../src/data/find-published.ts';
import { loadPublished } from '../../src/data/load-published.ts';
import { FASHION_MNIST, MNIST } from '../../src/data/published.ts';
import { encodeIdx, gzip } from './support/idx-files.ts';
import {
  MemoryFiles,
  network,
  type SmallDataset,
  smallDataset,
  surroundings,
} from './support/small-dataset.ts';

const CACHE = '/home/user/.cache/weft/datasets/small';
const MIRRORS = ['https://first.test/data', 'https://second.test'];

let small: SmallDataset;
let disk: MemoryFiles;
beforeAll(async () => {
  small = await smallDataset();
});
beforeEach(() => {
  disk = new MemoryFiles();
});

/** Loads the small data set from the disk, with the mirrors given on line and some variables set. */
function load(options: PublishedOptions = {}, online: string[] = [], variables: Record<string, string> = {}) {
  const { fetch, requests } = network(small, online);
  const loaded = loadPublished(small.dataset, options, surroundings(disk, fetch, variables));
  return { loaded, requests };
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error('it was loaded')),
    (error) => error,
  );

describe('the search', () => {
  test('gives images, labels and where they came from', async () => {
    disk.put('/data', small);
    const { train, test: held, ...about } = await load({ dir: '/data' }).loaded;
    expect(about).toEqual({
      name: 'Small',
      classNames: ['zero', 'one', 'two'],
      source: '/data',
      synthetic: false,
    });
    expect([train.count, train.height, train.width, train.images.length]).toEqual([5, 28, 28, 5 * 784]);
    expect([...train.labels]).toEqual([0, 1, 2, 1, 0]);
    expect([held.count, held.images[0], ...held.labels]).toEqual([2, (2 * 784 - 1) % 251, 2, 1]);
  });

  test('takes each place only when the ones before it have nothing', async () => {
    const places = [
      '/given/small',
      '/given',
      CACHE,
      '/usr/share/datasets/small',
      '/home/user/.keras/datasets/small',
    ];
    const variables = { WEFT_DATA: '/given' };
    for (const place of places.toReversed()) {
      disk.put(place, small);
      const { loaded, requests } = load({}, MIRRORS, variables);
      expect((await loaded).source).toBe(place);
      expect(requests).toEqual([]);
    }
  });

  test('follows XDG_CACHE_HOME', async () => {
    disk.put('/xdg/weft/datasets/small', small);
    const { loaded } = load({}, [], { XDG_CACHE_HOME: '/xdg' });
    expect((await loaded).source).toBe('/xdg/weft/datasets/small');
  });

  test('passes by a folder that lacks a file', async () => {
    disk.put('/usr/share/datasets/small', small, ['test-labels.gz']);
    disk.put('/home/user/.keras/datasets/small', small);
    expect((await load().loaded).source).toBe('/home/user/.keras/datasets/small');
  });
});

describe('a folder that was named', () => {
  test('may hold the files in a folder of the data set, or unpacked', async () => {
    for (const [name, bytes] of small.contents) {
      if (!name.endsWith('.gz')) disk.files.set(`/data/small/${name}`, bytes);
    }
    expect((await load({ dir: '/data' }).loaded).source).toBe('/data/small');
  });

  test('is not replaced by another when it lacks files', async () => {
    disk.put('/data', small, ['train-images.gz', 'test-labels.gz']);
    disk.put('/usr/share/datasets/small', small);
    const error = await failure(load({ dir: '/data' }, MIRRORS).loaded);
    expect(error).toBeInstanceOf(ValueError);
    expect(error.message).toBe(
      'Small: the folder /data lacks train-images.gz, test-labels.gz. Put the files there, gzipped or plain.',
    );
  });

  test('cannot be named in a page', async () => {
    const page = surroundings(undefined, network(small, []).fetch);
    expect(await failure(loadPublished(small.dataset, { dir: '/data' }, page))).toBeInstanceOf(
      UnsupportedError,
    );
  });
});

describe('contents', () => {
  const refused = async (name: string, plain: Uint8Array) => {
    disk.put('/data', small);
    disk.files.set(`/data/${name}.gz`, await gzip(plain));
    const error = await failure(load({ dir: '/data' }).loaded);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(`/data/${name}.gz, `);
    return error.message;
  };
  const labels = (...values: number[]) => encodeIdx([values.length], Uint8Array.from(values));

  test('a label outside the classes is named with its position and value', async () => {
    const message = await refused('train-labels', labels(0, 1, 2, 3, 0));
    expect(message).toContain('byte 11: item 3 has label 3, expected 0 to 2');
  });

  test('labels and images must be as many, and images of the right size', async () => {
    expect(await refused('train-labels', labels(0, 1))).toContain('2 labels for 5 images');
    expect(await refused('train-images', encodeIdx([5, 4, 4], new Uint8Array(80)))).toContain(
      'images of 4 × 4, expected 28 × 28',
    );
    disk.files.set('/data/train-labels.gz', await gzip(labels()));
    expect(await refused('train-labels', labels(0, 1, 2, 1, 0, 0))).toContain('6 labels');
  });

  test('a file that cannot be unpacked, or is far too large, is refused', async () => {
    disk.put('/data', small);
    disk.files.set('/data/train-labels.gz', small.contents.get('train-labels.gz')!.slice(0, 20));
    expect((await failure(load({ dir: '/data' }).loaded)).message).toContain(
      '/data/train-labels.gz, the gzip stream',
    );
    disk.files.set('/data/train-labels.gz', new Uint8Array(200_000));
    expect((await failure(load({ dir: '/data' }).loaded)).message).toContain(
      '200000 bytes, expected at most',
    );
  });
});

describe('the download', () => {
  test('takes each file from the first mirror that has it, and keeps it for the next time', async () => {
    const { loaded, requests } = load({}, ['https://second.test']);
    expect((await loaded).train.count).toBe(5);
    expect(requests).toHaveLength(8);
    expect(requests[0]).toMatch('https://first.test/data/t');
    expect([...disk.files.keys()].sort()).toEqual(small.names.map((name) => `${CACHE}/${name}`).sort());
    expect((await load().loaded).source).toBe(CACHE);
  });

  test('fetches only what the cache lacks', async () => {
    disk.put(CACHE, small, ['test-images.gz']);
    const { loaded, requests } = load({}, MIRRORS);
    expect((await loaded).test.count).toBe(2);
    expect(requests).toEqual(['https://first.test/data/test-images.gz']);
  });

  test('replaces a cached file that was damaged later', async () => {
    disk.put(CACHE, small);
    disk.files.get(`${CACHE}/train-images.gz`)![100] ^= 1;
    const { loaded, requests } = load({}, MIRRORS);
    await loaded;
    expect(requests).toEqual(['https://first.test/data/train-images.gz']);
    expect(disk.files.get(`${CACHE}/train-images.gz`)).toEqual(small.contents.get('train-images.gz'));
  });

  test('says what was damaged when there is no replacement, and leaves no bad file', async () => {
    disk.put(CACHE, small);
    disk.files.get(`${CACHE}/train-images.gz`)![100] ^= 1;
    const error = await failure(load().loaded);
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toContain(`damaged and deleted: ${CACHE}/train-images.gz`);
    expect(disk.files.has(`${CACHE}/train-images.gz`)).toBe(false);
  });

  test('names every URL tried and how else to get the data', async () => {
    const { message } = await failure(load().loaded);
    expect(message).toContain('https://first.test/data/train-labels.gz: the server answered 404 Not Found');
    expect(message).toContain('https://second.test/train-labels.gz');
    expect(message).toContain(small.dataset.train.labels.gzip.sha256);
    expect(message).toContain('Ask a friend.');
  });

  test('does not happen when it is turned off', async () => {
    const { loaded, requests } = load({ download: false }, MIRRORS);
    expect(await failure(loaded)).toBeInstanceOf(DownloadError);
    expect(requests).toEqual([]);
  });

  test('works without a place to keep it', async () => {
    disk.full = true;
    expect((await load({}, MIRRORS).loaded).train.count).toBe(5);
    expect(disk.files.size).toBe(0);
  });

  test('in a page fetches from the URL given, also where the server unpacks the files on the way', async () => {
    const contents = new Map(small.names.map((name) => [name, small.contents.get(name.slice(0, -3))!]));
    for (const served of [small, { ...small, contents }]) {
      const { fetch, requests } = network(served, ['https://page.test/assets']);
      const page = surroundings(undefined, fetch);
      const set = await loadPublished(small.dataset, { url: 'https://page.test/assets' }, page);
      expect([...set.train.labels]).toEqual([0, 1, 2, 1, 0]);
      expect(set.source).toBe('https://page.test/assets/');
      expect(requests).toHaveLength(4);
    }
  });

  test('tells its progress', async () => {
    const seen: [string, number, number][] = [];
    const onProgress = ({
      file,
      receivedBytes,
      totalBytes,
    }: {
      file: string;
      receivedBytes: number;
      totalBytes: number;
    }) => seen.push([file, receivedBytes, totalBytes]);
    await load({ onProgress }, MIRRORS).loaded;
    const {
      name,
      gzip: { bytes },
    } = small.dataset.test.images;
    expect(seen).toContainEqual([name, 0, bytes]);
    expect(seen).toContainEqual([name, bytes, bytes]);
  });
});

test('the published checksums are whole', () => {
  for (const { train, test: held } of [FASHION_MNIST, MNIST]) {
    for (const { gzip: packed, plain } of [train.images, train.labels, held.images, held.labels]) {
      expect(packed.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(plain.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(packed.bytes).toBeLessThan(plain.bytes);
    }
  }
});
