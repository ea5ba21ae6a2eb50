/** `datasets.cifar10` and `cifar100`: small pictures in colour, from Krizhevsky's binary archives. */
import { ConfigError, FormatError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import {
  find,
  type PublishedOptions,
  publishedOptions,
  type Surroundings,
  surroundings,
} from './find-published.ts';
import type { ImageDataset, LabelledImages } from './labelled-images.ts';
import { CIFAR10, CIFAR100, type PublishedFiles } from './published.ts';
import { readTarGz } from './tar.ts';

const SIZE = 32;
const PLANE = SIZE * SIZE;

/** What the archives hold: labels before each picture, and which of them counts. */
interface Layout {
  readonly labelBytes: number;
  readonly label: number;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** The file of names, a line each. */
  readonly names: string;
}

const ten: Layout = {
  labelBytes: 1,
  label: 0,
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
  names: 'batches.meta.txt',
};
export const hundred = (labelMode: 'fine' | 'coarse'): Layout => ({
  labelBytes: 2,
  label: labelMode === 'fine' ? 1 : 0,
  train: ['train.bin'],
  test: ['test.bin'],
  names: `${labelMode}_label_names.txt`,
});

/** 220 MB: more than either archive unpacks to. */
const MOST_BYTES = 220 * 1024 * 1024;

export async function loadCifar(
  dataset: PublishedFiles,
  layout: Layout,
  options: PublishedOptions,
  around: Surroundings = surroundings(),
): Promise<ImageDataset> {
  const { source, files } = await find(dataset, options, around);
  const [{ path, bytes }] = files.values();
  const parts = await readTarGz(bytes, path, MOST_BYTES);
  const part = (name: string): Uint8Array => {
    const found = [...parts].find(([file]) => file.split('/').at(-1) === name);
    if (!found) throw new FormatError(`${path}: there is no ${name} in it.`);
    return found[1];
  };
  const classNames = new TextDecoder().decode(part(layout.names)).split(/\s+/).filter(Boolean);
  const images = (names: readonly string[]): LabelledImages => {
    const record = layout.labelBytes + 3 * PLANE;
    const batches = names.map((name) => {
      const batch = part(name);
      if (batch.length === 0 || batch.length % record !== 0)
        throw new FormatError(
          `${path}, ${name}: ${batch.length} bytes; expected pictures of ${record} each.`,
        );
      return batch;
    });
    const count = batches.reduce((sum, { length }) => sum + length / record, 0);
    const pixels = new Uint8Array(count * 3 * PLANE);
    const labels = new Uint8Array(count);
    let i = 0;
    for (const [b, batch] of batches.entries())
      for (let at = 0; at < batch.length; at += record, i++) {
        labels[i] = batch[at + layout.label];
        if (labels[i] >= classNames.length)
          throw new FormatError(
            `${path}, ${names[b]}, byte ${at}: label ${labels[i]}, expected 0 to ${classNames.length - 1}.`,
          );
        const from = at + layout.labelBytes;
        // Red, green and blue stand one after the other there, and side by side here.
        for (let p = 0; p < PLANE; p++)
          for (let c = 0; c < 3; c++) pixels[(i * PLANE + p) * 3 + c] = batch[from + c * PLANE + p];
      }
    return { images: pixels, labels, count, height: SIZE, width: SIZE, channels: 3 };
  };
  return {
    name: dataset.name,
    train: images(layout.train),
    test: images(layout.test),
    classNames,
    source,
    synthetic: false,
  };
}

/**
 * CIFAR-10: 50,000 training and 10,000 test pictures in colour, of ten classes.
 *
 * images: [count, 32, 32, 3] u8; labels: [count] u8. The binary archive (170 MB), searched, downloaded, checked and kept as
 * `fashionMnist` is, in folders called `cifar-10`, and with the same errors.
 *
 * ```ts
 * const { train, test } = await datasets.cifar10();
 * const x = tensor(train.images, { shape: [train.count, 32, 32, 3] });
 * ```
 */
export async function cifar10(options?: PublishedOptions): Promise<ImageDataset> {
  return loadCifar(CIFAR10, ten, knownOptions<PublishedOptions>('cifar10', options, publishedOptions));
}

export interface Cifar100Options extends PublishedOptions {
  /** The hundred classes ('fine', default) or the twenty that they form ('coarse'). */
  readonly labelMode?: 'fine' | 'coarse';
}

/** CIFAR-100: as {@link cifar10}, of a hundred classes, or of twenty with `labelMode: 'coarse'`. */
export async function cifar100(given?: Cifar100Options): Promise<ImageDataset> {
  const { labelMode = 'fine', ...options } = knownOptions<Cifar100Options>('cifar100', given, [
    ...publishedOptions,
    'labelMode',
  ]);
  if (labelMode !== 'fine' && labelMode !== 'coarse')
    throw new ConfigError(
      `cifar100: labelMode is ${JSON.stringify(labelMode)}; expected 'fine' or 'coarse'.`,
    );
  return loadCifar(CIFAR100, hundred(labelMode), options);
}
