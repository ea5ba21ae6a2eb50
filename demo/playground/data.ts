/** Pictures to learn from: drawn here, or found in files of the user, whatever those claim to be. */
import { datasets, data as parsers } from 'weft-gpu';
import { Refusal } from './failure.ts';
import { CLASSES, type DataSource, MAX_FILE_BYTES, PIXELS, SIDE } from './protocol.ts';

/** Labelled pictures of 28 × 28 bytes, 0 is background. */
export interface Pictures {
  readonly source: DataSource;
  readonly name: string;
  readonly classNames: readonly string[];
  /** [count, PIXELS] */
  readonly images: Uint8Array;
  /** [count] */
  readonly labels: Uint8Array;
  readonly count: number;
}

/** A file by name, unread until its size was looked at. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Drawn in a third of a second. */
const GARMENTS = 20_000;
/** Fewer teach nothing. */
const LEAST = 20;

const DIGITS = Array.from({ length: CLASSES }, (_, i) => String(i));

export function drawGarments(): Pictures {
  const { train, classNames } = datasets.garments({ train: GARMENTS, test: 1 });
  const { images, labels, count } = train;
  return { source: 'garments', name: 'Synthetic garments', classNames, images, labels, count };
}

/** Published data sets by the sha256 of their labels as an IDX file: training, then test. */
const PUBLISHED: Readonly<Record<string, DataSource>> = {
  bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9: 'fashion_mnist',
  '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34': 'fashion_mnist',
  '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5': 'mnist',
  ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2: 'mnist',
};

const NAMES: Partial<Record<DataSource, string>> = { fashion_mnist: 'Fashion-MNIST', mnist: 'MNIST' };

/** Names of the ten classes of a source. */
export function classNamesOf(source: DataSource): readonly string[] {
  const isFashion = source === 'garments' || source === 'fashion_mnist';
  return isFashion ? datasets.garments({ train: CLASSES, test: 1 }).classNames : DIGITS;
}

/** The user's files, read one by one. Refuses large ones before reading them. */
export async function readFiles(files: readonly File[]): Promise<NamedBytes[]> {
  for (const { name, size } of files) {
    if (size > MAX_FILE_BYTES)
      throw new Refusal(
        'TOO_LARGE',
        `${name} has ${megabytes(size)} MB; at most ${megabytes(MAX_FILE_BYTES)} MB are read.`,
        'Take a smaller file.',
      );
  }
  const read: NamedBytes[] = [];
  for (const file of files) {
    const bytes = await file.arrayBuffer().catch((cause: Error) => {
      throw new Refusal('LOAD', `${file.name} cannot be read: ${cause.message}`, 'Is it still there?');
    });
    read.push({ name: file.name, bytes: new Uint8Array(bytes) });
  }
  return read;
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/**
 * Finds pictures and labels in IDX files, gzipped or not, and in `.npz` archives; of several pairs the largest.
 *
 * Throws Weft's FormatError, with file and place, for a damaged file, and Refusal for whole files of something else.
 */
export async function picturesFrom(files: readonly NamedBytes[]): Promise<Pictures> {
  return picturesIn((await Promise.all(files.map(arraysIn))).flat());
}

/** The same for arrays that were read already. */
export async function picturesIn(arrays: readonly NamedArray[]): Promise<Pictures> {
  const images = arrays.flatMap(asImages);
  const labels = arrays.filter(({ shape, data }) => shape[0] === data.length);
  const [pair] = images
    .flatMap((image) =>
      labels.filter(({ data }) => data.length === image.count).map((label) => ({ image, label })),
    )
    .sort((a, b) => b.image.count - a.image.count || rank(a.image.name) - rank(b.image.name));
  if (!pair) throw noPair(arrays, images);
  const { image, label } = pair;
  const checked = checkLabels(label);
  if (image.count < LEAST)
    throw new Refusal('NOT_PICTURES', `${image.name} holds ${image.count} pictures.`, `Give ${LEAST}.`);
  const source = await recognise(checked);
  return {
    source,
    name: NAMES[source] ?? image.name,
    classNames: classNamesOf(source),
    images: image.pixels,
    labels: checked,
    count: image.count,
  };
}

/** An array and where it was found: 'mnist.npz, x_train'. */
export interface NamedArray {
  readonly name: string;
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** Of equally many, those for training first. */
const rank = (name: string): number => (/train/i.test(name) ? 0 : 1);

/** The arrays in a file, by its contents and not by its name. */
export async function arraysIn({ name, bytes }: NamedBytes): Promise<NamedArray[]> {
  const isArchive = bytes[0] === 0x50 && bytes[1] === 0x4b;
  if (!isArchive) return [{ name, ...(await parsers.parseIdx(bytes, { file: name })) }];
  const arrays = await parsers.parseNpz(bytes, { file: name, maxBytes: 2 * MAX_FILE_BYTES });
  return Object.entries(arrays).map(([entry, array]) => ({ name: `${name}, ${entry}`, ...array }));
}

interface Images {
  readonly name: string;
  readonly pixels: Uint8Array;
  readonly count: number;
}

/** [n, 28, 28], [n, 28, 28, 1] or [n, 784] bytes. */
function asImages({ name, data, shape }: NamedArray): Images[] {
  const [count, ...sizes] = shape;
  const size = sizes.reduce((product, one) => product * one, 1);
  const isSquare = sizes.length > 1 && sizes[0] !== SIDE;
  if (sizes.length === 0 || size !== PIXELS || isSquare || !(data instanceof Uint8Array)) return [];
  return [{ name, pixels: data, count }];
}

function checkLabels({ name, data }: NamedArray): Uint8Array {
  const labels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const label = data[i];
    if (!Number.isInteger(label) || label < 0 || label >= CLASSES)
      throw new Refusal(
        'NOT_PICTURES',
        `${name}: item ${i} has label ${label}; this page knows classes 0 to ${CLASSES - 1}.`,
        'Take labels of ten classes.',
      );
    labels[i] = label;
  }
  return labels;
}

const sizeOf = ({ shape }: NamedArray): string => shape.join(' × ');

function noPair(arrays: readonly NamedArray[], images: readonly Images[]): Refusal {
  const found = arrays.map((array) => `${array.name}: ${sizeOf(array)}`).join('; ') || 'nothing';
  const lacks = images.length > 0 ? 'as many labels as pictures' : `pictures of ${SIDE} × ${SIDE} bytes`;
  return new Refusal(
    'NOT_PICTURES',
    `There are no ${lacks}. Found ${found}.`,
    'Drop one file of images and one of labels together, as IDX (.gz or not), or one .npz with both.',
  );
}

/** Which published data set has these labels. */
async function recognise(labels: Uint8Array): Promise<DataSource> {
  if (!crypto.subtle) return 'file'; // a page over plain http
  const idx = new Uint8Array(8 + labels.length);
  const header = new DataView(idx.buffer);
  header.setUint32(0, 0x0801);
  header.setUint32(4, labels.length);
  idx.set(labels, 8);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', idx));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return PUBLISHED[hex] ?? 'file';
}
