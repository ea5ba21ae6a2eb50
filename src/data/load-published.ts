/** From the four files of a published data set to checked images and labels. */

import { FormatError } from '../base/errors.ts';
import type { PublishedFile } from './download.ts';
import { sha256 } from './download.ts';
import { find, type PublishedOptions, type Surroundings, surroundings } from './find-published.ts';
import { parseIdx } from './idx.ts';
import { unpackArchive } from './keras-archive.ts';
import type { ImageDataset, LabelledImages } from './labelled-images.ts';
import { PUBLISHED, type PublishedDataset, type PublishedFiles } from './published.ts';

/** Loads a published data set; what is searched, and in which order, is said at `fashionMnist`. */
export async function loadPublished(
  dataset: PublishedDataset,
  options: PublishedOptions = {},
  around: Surroundings = surroundings(),
): Promise<ImageDataset> {
  const { source, files } = await find(inFiles(dataset), options, around);
  const read = (file: PublishedFile, rank: number) => {
    const { path, bytes } = files.get(file)!;
    return parseIdx(bytes, { file: path, rank, maxBytes: file.plain.bytes });
  };

  async function loadSplit(split: 'train' | 'test'): Promise<LabelledImages> {
    const fail = (file: PublishedFile, reason: string): never => {
      throw new FormatError(`${dataset.name}: ${files.get(file)!.path}, ${reason}`);
    };
    const labelsFile = dataset[split].labels;
    const { data: labels } = await read(labelsFile, 1);
    const impostor = await otherDataset(dataset, split, labels);
    if (impostor) fail(labelsFile, `byte 8: these are the labels of ${impostor}, not of ${dataset.name}.`);

    const imagesFile = dataset[split].images;
    const { data: images, shape } = await read(imagesFile, 3);
    const [count, height, width] = shape;
    if (count === 0) fail(imagesFile, 'byte 4: there are no images.');
    if (height !== dataset.height || width !== dataset.width) {
      const expected = `${dataset.height} × ${dataset.width}`;
      fail(imagesFile, `byte 8: images of ${height} × ${width}, expected ${expected}.`);
    }
    if (labels.length !== count) fail(labelsFile, `byte 4: ${labels.length} labels for ${count} images.`);
    const classes = dataset.classNames.length;
    const bad = labels.findIndex((label) => label >= classes);
    if (bad >= 0) {
      fail(
        labelsFile,
        `byte ${8 + bad}: item ${bad} has label ${labels[bad]}, expected 0 to ${classes - 1}.`,
      );
    }
    return { images, labels, count, height, width };
  }

  return {
    name: dataset.name,
    train: await loadSplit('train'),
    test: await loadSplit('test'),
    classNames: dataset.classNames,
    source,
    synthetic: false,
  };
}

/** The four files as they are searched, and how they come out of the one that Keras keeps. */
const inFiles = ({ archive, ...dataset }: PublishedDataset): PublishedFiles => ({
  ...dataset,
  files: [dataset.train.labels, dataset.train.images, dataset.test.labels, dataset.test.images],
  ...(archive && {
    archive: { ...archive, unpack: (bytes, path) => unpackArchive(bytes, path, dataset) },
  }),
});

/** The data sets share their file names; a folder of the wrong one would train without a word. */
async function otherDataset(
  dataset: PublishedDataset,
  split: 'train' | 'test',
  labels: Uint8Array,
): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined; // a page over plain http
  const file = new Uint8Array(8 + labels.length);
  const header = new DataView(file.buffer);
  header.setUint32(0, 0x0801);
  header.setUint32(4, labels.length);
  file.set(labels, 8);
  const hash = await sha256(file);
  return PUBLISHED.find((other) => other !== dataset && other[split].labels.plain.sha256 === hash)?.name;
}
