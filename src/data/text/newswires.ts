/** `datasets.imdb` and `datasets.reuters`: texts as lists of word numbers, as Keras publishes them. */
import { FormatError, ValueError } from '../../base/errors.ts';
import { knownOptions } from '../../base/options.ts';
import {
  find,
  type PublishedOptions,
  publishedOptions,
  type Surroundings,
  surroundings,
} from '../find-published.ts';
import { parseNpy, pickleIn } from '../npy.ts';
import { IMDB, type PublishedFiles, REUTERS } from '../published.ts';
import { RandomState } from '../random-state.ts';
import { readZip } from '../zip.ts';
import { pickledLists } from './pickled-lists.ts';

/** Texts as word numbers, with a class each. */
export interface Sequences {
  readonly sequences: readonly (readonly number[])[];
  readonly labels: Uint8Array;
  readonly count: number;
}

export interface TextDataset {
  readonly name: string;
  readonly train: Sequences;
  readonly test: Sequences;
  /** Where the data came from: a folder or a URL. */
  readonly source: string;
  readonly synthetic: false;
}

export interface SequenceOptions extends PublishedOptions {
  /** Words are kept up to this number; others become oovChar. Default null: all. */
  readonly numWords?: number | null;
  /** The most frequent words that become oovChar; default 0. */
  readonly skipTop?: number;
  /** Longer texts are left out; default null: none. */
  readonly maxlen?: number | null;
  /** Of the order; default 113. */
  readonly seed?: number;
  /** What each text begins with; default 1; null: nothing. */
  readonly startChar?: number | null;
  /** What stands for words that are left out; default 2; null: nothing does. */
  readonly oovChar?: number | null;
  /** Words count from here on; default 3. */
  readonly indexFrom?: number;
}

export interface ReutersOptions extends SequenceOptions {
  /** Share of the texts that is for testing; default 0.2. */
  readonly testSplit?: number;
}

const names = ['numWords', 'skipTop', 'maxlen', 'seed', 'startChar', 'oovChar', 'indexFrom'] as const;

type Texts = { readonly lists: number[][]; readonly labels: number[] };

async function arraysOf(
  dataset: PublishedFiles,
  options: PublishedOptions,
  around: Surroundings,
  wanted: readonly string[],
) {
  const { source, files } = await find(dataset, options, around);
  const [{ path, bytes }] = files.values();
  const entries = await readZip(bytes, path, 512 * 1024 * 1024);
  const part = (name: string): Uint8Array => {
    const found = entries.get(`${name}.npy`);
    if (!found) throw new FormatError(`${path}: there is no ${name}.npy in it.`);
    return found;
  };
  const texts = wanted.map((suffix): Texts => {
    const lists = pickledLists(pickleIn(part(`x${suffix}`), `${path}, x${suffix}.npy`).pickle, path);
    const { data } = parseNpy(part(`y${suffix}`), { file: `${path}, y${suffix}.npy` });
    if (data.length !== lists.length)
      throw new FormatError(`${path}: ${data.length} labels for ${lists.length} texts.`);
    return { lists, labels: [...data] };
  });
  return { source, texts };
}

/** In the order of NumPy's generator. */
function shuffled({ lists, labels }: Texts, random: RandomState): Texts {
  const order = random.permutation(lists.length);
  return { lists: Array.from(order, (i) => lists[i]), labels: Array.from(order, (i) => labels[i]) };
}

/** What Keras's options make of all texts together. */
function selected(texts: readonly Texts[], options: SequenceOptions, called: string): Texts[] {
  const { numWords = null, skipTop = 0, maxlen = null, startChar = 1, oovChar = 2, indexFrom = 3 } = options;
  const beginning = startChar === null ? [] : [startChar];
  const begun = texts.map(({ lists, labels }) => {
    const moved = lists.map((list) => [...beginning, ...list.map((word) => word + indexFrom)]);
    if (maxlen === null) return { lists: moved, labels };
    const kept = moved.map((list) => list.length < maxlen);
    if (!kept.includes(true))
      throw new ValueError(`${called}: no text is shorter than maxlen, ${maxlen}. Give more.`);
    return { lists: moved.filter((_, i) => kept[i]), labels: labels.filter((_, i) => kept[i]) };
  });
  const most =
    numWords ??
    begun.reduce(
      (most, { lists }) => lists.reduce((all, list) => list.reduce((a, b) => Math.max(a, b), all), most),
      0,
    );
  const isKept = (word: number): boolean => word >= skipTop && word < most;
  return begun.map(({ lists, labels }) => ({
    lists: lists.map((list) =>
      oovChar === null ? list.filter(isKept) : list.map((word) => (isKept(word) ? word : oovChar)),
    ),
    labels,
  }));
}

const asSequences = ({ lists, labels }: Texts): Sequences => ({
  sequences: lists,
  labels: Uint8Array.from(labels),
  count: lists.length,
});

/** Both, wherever they are searched. */
export async function loadTexts(
  name: 'imdb' | 'reuters',
  given: ReutersOptions | undefined,
  around: Surroundings = surroundings(),
): Promise<TextDataset> {
  const known = [...publishedOptions, ...names, ...(name === 'reuters' ? (['testSplit'] as const) : [])];
  const options = knownOptions<ReutersOptions>(name, given, known);
  const { testSplit = 0.2, seed = 113 } = options;
  if (!(testSplit >= 0 && testSplit <= 1))
    throw new ValueError(`reuters: testSplit is ${testSplit}; expected a share, from 0 to 1.`);
  const random = new RandomState(seed);
  const dataset = name === 'imdb' ? IMDB : REUTERS;
  const { source, texts } = await arraysOf(
    dataset,
    options,
    around,
    name === 'imdb' ? ['_train', '_test'] : [''],
  );
  let parts = selected(
    texts.map((one) => shuffled(one, random)),
    options,
    name,
  );
  if (name === 'reuters') {
    const [{ lists, labels }] = parts;
    const cut = Math.trunc(lists.length * (1 - testSplit));
    parts = [
      { lists: lists.slice(0, cut), labels: labels.slice(0, cut) },
      { lists: lists.slice(cut), labels: labels.slice(cut) },
    ];
  }
  const [train, test] = parts.map(asSequences);
  return { name: dataset.name, train, test, source, synthetic: false };
}

/**
 * IMDB: 25,000 reviews of films to train on and 25,000 to test on, each a list of word numbers, most frequent first; label 1
 * for a good one. Keras's `imdb.npz`, searched, downloaded (17 MB), checked and kept as `fashionMnist` is, also where Keras
 * keeps it. Words are numbered as Keras numbers them: 0 for padding, 1 for the beginning, 2 for words left out.
 *
 * ```ts
 * const { train, test } = await datasets.imdb({ numWords: 500 });
 * const x = data.padSequences(train.sequences, { maxlen: 100 });      // { data, shape: [25000, 100] }
 * ```
 */
export const imdb = (options?: SequenceOptions): Promise<TextDataset> => loadTexts('imdb', options);

/**
 * Reuters: 11,228 newswires of 46 topics, each a list of word numbers; otherwise as {@link imdb}, `reuters.npz` (2 MB).
 *
 * ```ts
 * const { train } = await datasets.reuters({ numWords: 1000, testSplit: 0.2 });
 * ```
 */
export const reuters = (options?: ReutersOptions): Promise<TextDataset> => loadTexts('reuters', options);
