import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DownloadError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/data/download.ts';
import { fashionMnist } from '../../src/data/fashion-mnist.ts';
import { parseIdx } from '../../src/data/idx.ts';
import type { LabelledImages } from '../../src/data/labelled-images.ts';
import { mnist } from '../../src/data/mnist.ts';
import { FASHION_MNIST } from '../../src/data/published.ts';

const DEBIAN = '/usr/share/datasets/fashion-mnist';
const DIGITS = '../shared/data/mnist';

const perClass = ({ labels }: LabelledImages) => {
  const counts = new Array(10).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
};

describe.skipIf(!existsSync(DEBIAN))("Debian's Fashion-MNIST", () => {
  test('has 6,000 and 1,000 images of each class', async () => {
    const { train, test: held, source, synthetic } = await fashionMnist({ dir: DEBIAN });
    expect([source, synthetic]).toEqual([DEBIAN, false]);
    expect([train.count, held.count]).toEqual([60_000, 10_000]);
    expect(perClass(train)).toEqual(new Array(10).fill(6_000));
    expect(perClass(held)).toEqual(new Array(10).fill(1_000));
    expect(FASHION_MNIST.classNames[train.labels[0]]).toBe('Ankle boot');
  });

  test('matches the published checksums, gzipped and unpacked', async () => {
    const { readFile } = await import('node:fs/promises');
    for (const file of [FASHION_MNIST.test.images, FASHION_MNIST.train.labels]) {
      const bytes = await readFile(`${DEBIAN}/${file.name}`);
      expect({ bytes: bytes.length, sha256: await sha256(bytes) }).toEqual(file.gzip);
      const { data } = await parseIdx(bytes);
      expect(file.plain.bytes - data.length).toBeLessThanOrEqual(16);
    }
  });

  test('is not taken for digits', async () => {
    await expect(mnist({ dir: DEBIAN })).rejects.toThrow('labels of Fashion-MNIST, not of MNIST');
  });
});

describe.skipIf(!existsSync(DIGITS))('MNIST', () => {
  test('has 60,000 and 10,000 digits', async () => {
    const { train, test: held, classNames } = await mnist({ dir: DIGITS });
    expect([train.count, held.count]).toEqual([60_000, 10_000]);
    expect(perClass(held)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(classNames[train.labels[0]]).toBe('5');
  });

  test('is not taken for garments', async () => {
    await expect(fashionMnist({ dir: DIGITS })).rejects.toThrow('labels of MNIST, not of Fashion-MNIST');
  });
});

test('without data and network, garments are drawn when they were asked for, and only then', async () => {
  // A cache and a home with nothing in them, and a server that is not there.
  const saved = { ...process.env };
  Object.assign(process.env, { WEFT_DATA: '/nowhere', XDG_CACHE_HOME: '/nowhere', HOME: '/nowhere' });
  try {
    const offline = { url: 'http://127.0.0.1:1/' };
    if (!existsSync(DEBIAN)) await expect(fashionMnist(offline)).rejects.toBeInstanceOf(DownloadError);
    const set = await fashionMnist({ ...offline, fallback: 'synthetic', garments: { train: 10, test: 10 } });
    expect(set.synthetic).toBe(!existsSync(DEBIAN));
    await expect(fashionMnist({ dir: '/nowhere', fallback: 'synthetic' })).rejects.toThrow('/nowhere lacks');
    await expect(mnist({ ...offline, download: false })).rejects.toBeInstanceOf(DownloadError);
  } finally {
    Object.assign(process.env, saved);
  }
});
