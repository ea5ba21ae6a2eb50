/** The data sets that are published, and where. */

import { DIGIT_CLASSES, FASHION_CLASSES } from './classes.ts';
import type { PublishedFile } from './download.ts';

/** Files that make a data set. */
export interface PublishedFiles {
  readonly name: string;
  /** Name of its folder in a cache. */
  readonly folder: string;
  readonly files: readonly PublishedFile[];
  /** All of it in one file, and how the files come out of it. */
  readonly archive?: {
    readonly file: PublishedFile;
    readonly mirror: string;
    unpack(bytes: Uint8Array, path: string): Promise<Map<PublishedFile, { path: string; bytes: Uint8Array }>>;
  };
  /** Base URLs, tried in this order. */
  readonly mirrors: readonly string[];
  /** How to get it without this library's download. */
  readonly advice: string;
}

/** Images as four IDX files. */
export interface PublishedDataset extends Omit<PublishedFiles, 'files' | 'archive'> {
  readonly classNames: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly train: { readonly images: PublishedFile; readonly labels: PublishedFile };
  readonly test: { readonly images: PublishedFile; readonly labels: PublishedFile };
  /** All of it in one npz file, as Keras keeps it. */
  readonly archive?: { readonly file: PublishedFile; readonly mirror: string };
}

const KERAS_MIRROR = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/';

/** One file, which is no gzip of another. */
const single = (name: string, bytes: number, sha256: string): PublishedFile => ({
  name,
  gzip: { bytes, sha256 },
  plain: { bytes, sha256 },
});

function file(
  name: string,
  gzip: [bytes: number, sha256: string],
  plain: [bytes: number, sha256: string],
): PublishedFile {
  return {
    name: `${name}.gz`,
    gzip: { bytes: gzip[0], sha256: gzip[1] },
    plain: { bytes: plain[0], sha256: plain[1] },
  };
}

/** Xiao, Rasul, Vollgraf: "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017. */
export const FASHION_MNIST: PublishedDataset = {
  name: 'Fashion-MNIST',
  folder: 'fashion-mnist',
  classNames: FASHION_CLASSES,
  height: 28,
  width: 28,
  train: {
    images: file(
      'train-images-idx3-ubyte',
      [26_421_856, 'b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7'],
      [47_040_016, 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888'],
    ),
    labels: file(
      'train-labels-idx1-ubyte',
      [29_491, '0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056'],
      [60_008, 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9'],
    ),
  },
  test: {
    images: file(
      't10k-images-idx3-ubyte',
      [4_422_079, 'cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa'],
      [7_840_016, '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b'],
    ),
    labels: file(
      't10k-labels-idx1-ubyte',
      [5_125, '8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05'],
      [10_008, '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'],
    ),
  },
  mirrors: [
    KERAS_MIRROR,
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  advice: 'On Debian and Ubuntu: apt-get install dataset-fashion-mnist',
};

/** LeCun, Cortes, Burges: the MNIST database of handwritten digits. */
export const MNIST: PublishedDataset = {
  name: 'MNIST',
  folder: 'mnist',
  classNames: DIGIT_CLASSES,
  height: 28,
  width: 28,
  train: {
    images: file(
      'train-images-idx3-ubyte',
      [9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'],
      [47_040_016, 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
    ),
    labels: file(
      'train-labels-idx1-ubyte',
      [28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'],
      [60_008, '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
    ),
  },
  test: {
    images: file(
      't10k-images-idx3-ubyte',
      [1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'],
      [7_840_016, '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
    ),
    labels: file(
      't10k-labels-idx1-ubyte',
      [4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'],
      [10_008, 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
    ),
  },
  archive: {
    // As keras/src/datasets/mnist.py has it.
    file: single('mnist.npz', 11_490_434, '731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1'),
    mirror: KERAS_MIRROR,
  },
  mirrors: [
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
  ],
  advice: 'Put the four files in a folder and name it',
};

export const PUBLISHED: readonly PublishedDataset[] = [FASHION_MNIST, MNIST];

/** Of Keras's own making: keras/src/datasets/imdb.py and reuters.py. */
export const IMDB: PublishedFiles = {
  name: 'IMDB',
  folder: 'imdb',
  files: [single('imdb.npz', 17_464_789, '69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f')],
  mirrors: [KERAS_MIRROR],
  advice: 'Put imdb.npz, as Keras has it, in a folder and name it: { dir }',
};
export const REUTERS: PublishedFiles = {
  name: 'Reuters',
  folder: 'reuters',
  files: [
    single('reuters.npz', 2_110_848, 'd6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916'),
  ],
  mirrors: [KERAS_MIRROR],
  advice: 'Put reuters.npz, as Keras has it, in a folder and name it: { dir }',
};

const KRIZHEVSKY = 'https://www.cs.toronto.edu/~kriz/';
/** Krizhevsky: "Learning multiple layers of features from tiny images", 2009; the binary versions. */
export const CIFAR10: PublishedFiles = {
  name: 'CIFAR-10',
  folder: 'cifar-10',
  files: [
    single(
      'cifar-10-binary.tar.gz',
      170_052_171,
      'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    ),
  ],
  mirrors: [KRIZHEVSKY],
  advice: 'Put cifar-10-binary.tar.gz in a folder and name it: { dir }',
};
export const CIFAR100: PublishedFiles = {
  name: 'CIFAR-100',
  folder: 'cifar-100',
  files: [
    single(
      'cifar-100-binary.tar.gz',
      168_513_733,
      '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
    ),
  ],
  mirrors: [KRIZHEVSKY],
  advice: 'Put cifar-100-binary.tar.gz in a folder and name it: { dir }',
};
