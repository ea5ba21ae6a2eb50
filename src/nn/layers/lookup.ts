/** `stringLookup` and `integerLookup`: words or whole numbers become ids by a vocabulary, and back. */
import { ConfigError, StateError, ValueError } from '../../base/errors.ts';
import type { NdArray } from '../../data/nd-array.ts';
import { Counts } from '../../data/text/counts.ts';
import { binOf } from '../../data/text/hash.ts';
import { flag, oneOf, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { option, orNull, type Row } from '../options.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { eachHostPart, encoded, type HostValues, listed, type OutputMode, Preparing } from './preparing.ts';

/** Words of Keras's older versions. */
const OLDER: Readonly<Record<string, OutputMode>> = { binary: 'multi_hot', 'tf-idf': 'tf_idf' };

export const outputModeRow = (modes: readonly OutputMode[]): Row<OutputMode> =>
  option<OutputMode>(modes[0], (given, operation, name) =>
    oneOf(OLDER[given as string] ?? given, operation, name, modes),
  );

/** One number, or two, that make other bins of the same words. */
export const saltRow = option<number | readonly number[] | null, readonly [number, number] | null>(
  null,
  orNull((given, operation, name) => {
    const pair = Array.isArray(given) ? given : [given, given];
    if (pair.length === 2 && pair.every(Number.isSafeInteger)) return pair as unknown as [number, number];
    throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected a whole number, or two.`);
  }),
);

const listOrNull = (kind: 'string' | 'number') =>
  orNull((given: unknown, operation: string, name: string) => {
    if (Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === kind))
      return given as readonly (string | number)[];
    if (Array.isArray(given) && given.length === 0)
      throw new ConfigError(
        `${operation}: ${name} is empty; give its words, or leave it out and call adapt.`,
      );
    throw new ConfigError(
      `${operation}: ${name} is ${describe(given)}; expected a list of ${kind === 'string' ? 'words' : 'numbers'}, or null.`,
    );
  });

/** The weights of words for 'tf_idf', one for each of the vocabulary. */
export const idfWeightsRow = option<readonly number[] | null>(
  null,
  listOrNull('number') as (...args: [unknown, string, string]) => readonly number[] | null,
);

/** The vocabulary, where it is known: words in the order of their ids; default null: `adapt` finds it. */
export const vocabularyRow = (kind: 'string' | 'number') =>
  option<readonly (string | number)[] | null>(null, listOrNull(kind));

const rowsFor = (kind: 'string' | 'number', oovToken: string | number) => ({
  /** The most words, those of its own included; default null: any number. */
  maxTokens: option<number | null>(null, orNull(wholeFrom(2))),
  /** How many ids there are for words that are not in the vocabulary; default 1. With 0 such a word is an error. */
  numOovIndices: option(1, wholeFrom(0)),
  /** What stands for no word, id 0; default null: nothing does. */
  maskToken: option<string | number | null>(null, orNull(tokenOf(kind))),
  /** What stands for words that are not in the vocabulary. */
  oovToken: option<string | number | null>(oovToken, orNull(tokenOf(kind))),
  vocabulary: vocabularyRow(kind),
  idfWeights: idfWeightsRow,
  /** Whether ids become words again; default false. */
  invert: option(false, flag),
  /** What comes out: ids ('int', default) or rows. */
  outputMode: outputModeRow(['int', 'one_hot', 'multi_hot', 'count', 'tf_idf']),
  /** Whether rows have maxTokens places, however many words there are; default false. */
  padToMaxTokens: option(false, flag),
  salt: saltRow,
});

function tokenOf(kind: 'string' | 'number') {
  return (given: unknown, operation: string, name: string): string | number => {
    if (typeof given === kind) return given as string | number;
    throw new ConfigError(
      `${operation}: ${name} is ${describe(given)}; expected ${kind === 'string' ? 'text' : 'a whole number'}.`,
    );
  };
}

/** Words, or whole numbers, and their ids. */
abstract class Lookup extends Preparing {
  declare readonly maxTokens: number | null;
  declare readonly numOovIndices: number;
  declare readonly maskToken: string | number | null;
  declare readonly oovToken: string | number | null;
  declare readonly vocabulary: readonly (string | number)[] | null;
  declare readonly idfWeights: readonly number[] | null;
  declare readonly invert: boolean;
  declare readonly outputMode: OutputMode;
  declare readonly padToMaxTokens: boolean;
  declare readonly salt: readonly [number, number] | null;
  protected abstract readonly kind: 'string' | 'number';
  /** The words without those that stand for others, in the order of their ids; null before they are known. */
  private ids: ReadonlyMap<string | number, number> | null = null;
  /** For 'tf_idf', a weight for each id. */
  private idf: readonly number[] | null = null;
  /** Whether the vocabulary was given, so that adapt would lose it. */
  private given = false;

  /** Which bin of `numOovIndices` an unknown one falls into. */
  protected abstract binFor(token: string | number): number;

  /** The end of making one: takes the vocabulary that was given. */
  protected begin(): void {
    const { vocabulary, idfWeights } = this;
    if (this.invert && this.outputMode !== 'int')
      throw new ConfigError(`${this.name}: invert gives words; outputMode must be 'int'.`);
    if (this.padToMaxTokens && this.maxTokens === null)
      throw new ConfigError(`${this.name}: padToMaxTokens pads rows to maxTokens; give maxTokens.`);
    if (vocabulary) this.setVocabulary(vocabulary, idfWeights);
    else if (idfWeights)
      throw new ConfigError(`${this.name}: idfWeights are those of a vocabulary; give it too.`);
  }

  private get oovStart(): number {
    return this.maskToken !== null && this.outputMode === 'int' ? 1 : 0;
  }

  private get tokenStart(): number {
    return this.oovStart + this.numOovIndices;
  }

  /** What stands before the words: the mask, and what is unknown. */
  private get special(): readonly (string | number | null)[] {
    return [...Array(this.oovStart).fill(this.maskToken), ...Array(this.numOovIndices).fill(this.oovToken)];
  }

  /**
   * Takes these words, in the order of their ids; `idfWeights`, for 'tf_idf', has a number for each. The words that stand
   * for no word and for unknown ones may be first, or left out. ConfigError for doubles, for too many, and for none.
   */
  setVocabulary(vocabulary: readonly (string | number)[], idfWeights: readonly number[] | null = null): void {
    const { special, name } = this;
    if (vocabulary.length === 0) throw new ConfigError(`${name}: the vocabulary is empty.`);
    const complete = special.length > 0 && special.every((token, i) => vocabulary[i] === token);
    const words = complete ? vocabulary.slice(special.length) : vocabulary;
    const before = new Set<string | number>();
    const double = words.find((word) => before.size === before.add(word).size);
    if (double !== undefined)
      throw new ConfigError(
        `${name}: the vocabulary has ${describe(double)} twice; expected each word once.`,
      );
    const reserved = [this.maskToken, this.invert ? this.oovToken : null].find(
      (token) => token !== null && words.includes(token),
    );
    if (reserved !== undefined)
      throw new ConfigError(
        `${name}: the vocabulary has ${describe(reserved)} among its words, which stands for no word; leave it out, or let ${special.map(describe).join(', ')} be first.`,
      );
    if (this.maxTokens !== null && special.length + words.length > this.maxTokens)
      throw new ConfigError(
        `${name}: the vocabulary has ${special.length + words.length} words, those of its own included; expected at most maxTokens, ${this.maxTokens}.`,
      );
    if ((this.outputMode === 'tf_idf') !== (idfWeights !== null))
      throw new ConfigError(
        `${name}: outputMode is '${this.outputMode}'; ${idfWeights ? 'idfWeights are for' : 'idfWeights must be given with'} 'tf_idf'.`,
      );
    if (idfWeights && idfWeights.length !== vocabulary.length)
      throw new ConfigError(
        `${name}: ${idfWeights.length} idfWeights for ${vocabulary.length} words; expected one for each.`,
      );
    this.take(words);
    this.given = true;
    Object.assign(this, { vocabulary: [...vocabulary], idfWeights: idfWeights && [...idfWeights] });
    this.idf = complete ? idfWeights : this.withSpecial(idfWeights);
  }

  private take(words: readonly (string | number)[]): void {
    this.ids = new Map(words.map((word, i) => [word, this.tokenStart + i]));
  }

  /** Weights of words, and before them their mean for what stands for others. */
  private withSpecial(weights: readonly number[] | null): readonly number[] | null {
    if (!weights) return null;
    const mean = weights.reduce((sum, one) => sum + one, 0) / weights.length;
    return [...this.special.map(() => mean), ...weights];
  }

  /** The words in the order of their ids; with `includeSpecialTokens: false` only those that were learned. */
  getVocabulary({ includeSpecialTokens = true } = {}): (string | number)[] {
    const words = [...(this.ids?.keys() ?? [])];
    return includeSpecialTokens ? [...(this.special as (string | number)[]), ...words] : words;
  }

  /** How many ids there are. */
  get vocabularySize(): number {
    return this.tokenStart + (this.ids?.size ?? 0);
  }

  /**
   * Finds the vocabulary of data: the most frequent words first; of equally frequent ones the last in the alphabet, as in
   * Keras. Data: an array, or a dataset whose elements, or the first part of them, are such. Forgets what was found before.
   * StateError where the vocabulary was given.
   */
  async adapt(data: unknown): Promise<void> {
    const counts = this.counts();
    await eachHostPart(data, (part) => {
      const { values, shape } = listed<string | number>(part, this.kind, `${this.name}: adapt`);
      const length = shape.length < 2 ? 1 : shape[shape.length - 1];
      for (let i = 0; i < values.length; i += length) counts.add(values.slice(i, i + length));
    });
    this.learn(counts);
  }

  /** Counts to be filled and learned from. */
  counts(): Counts<string | number> {
    if (this.given)
      throw new StateError(
        `${this.name}: adapt finds the vocabulary, which was given. Leave it out, or do not adapt.`,
      );
    return new Counts();
  }

  learn(counts: Counts<string | number>): void {
    if (counts.isEmpty) throw new ValueError(`${this.name}: adapt was given no words.`);
    const most = this.maxTokens === null ? undefined : this.maxTokens - this.tokenStart;
    const words = counts.ranked([this.maskToken, this.oovToken], most);
    const weights =
      this.outputMode === 'tf_idf' ? words.map((word) => Math.fround(counts.inverseFrequency(word))) : null;
    this.take(words);
    // Options say what is known, and so do files.
    Object.assign(this, { vocabulary: words, idfWeights: weights });
    this.idf = this.withSpecial(weights);
  }

  /** The id of a word; in rows a mask is −1, which counts for nothing. */
  private idOf(token: string | number): number {
    if (token === this.maskToken) return this.outputMode === 'int' ? 0 : -1;
    const id = this.ids!.get(token);
    if (id !== undefined) return id;
    if (this.numOovIndices === 0)
      throw new ValueError(
        `${this.name}: ${describe(token)} is not in the vocabulary, and numOovIndices is 0. Allow unknown ones: numOovIndices: 1.`,
      );
    return this.oovStart + (this.numOovIndices === 1 ? 0 : this.binFor(token));
  }

  private checkLearned(): void {
    if (this.ids === null)
      throw new StateError(`${this.name}: there is no vocabulary yet. Give it, or call adapt first.`);
  }

  protected prepare(given: HostValues): NdArray<Int32Array | Float32Array> {
    this.checkLearned();
    if (this.invert) return this.inverted(given) as never;
    const { values, shape } = listed<string | number>(given, this.kind, this.name);
    return this.encode(values, shape);
  }

  /** Ids or rows of words in a shape. */
  encode(values: readonly (string | number)[], shape: readonly number[]): NdArray<Int32Array | Float32Array> {
    this.checkLearned();
    const depth = this.padToMaxTokens ? this.maxTokens! : this.vocabularySize;
    return encoded(
      values.map((token) => this.idOf(token)),
      shape,
      this.outputMode,
      depth,
      this.idf,
    );
  }

  /** Words for ids, in the same lists. */
  private inverted(given: HostValues): unknown {
    const { values, shape } = listed<number>(given, 'number', this.name);
    const all = this.getVocabulary();
    const words = values.map((id) => all[id] ?? (this.oovToken as string | number));
    const nest = (from: number, depth: number): unknown => {
      if (depth === shape.length) return words[from];
      const step = shape.slice(depth + 1).reduce((product, size) => product * size, 1);
      return Array.from({ length: shape[depth] }, (_, i) => nest(from + i * step, depth + 1));
    };
    return nest(0, 0);
  }
}

const stringRows = rowsFor('string', '[UNK]');
export type StringLookupOptions = OptionsOf<typeof stringRows>;

/** Words and their ids: see {@link stringLookup}. */
export class StringLookup extends layerOf('StringLookup', stringRows, Lookup) {
  protected override readonly kind = 'string';

  constructor(options?: StringLookupOptions) {
    super(options);
    this.begin();
  }

  protected override binFor(token: string | number): number {
    return binOf(String(token), this.numOovIndices, this.salt);
  }
}

const integerRows = {
  ...rowsFor('number', -1),
  /** How unknown ones find one of several ids: by their remainder ('floormod', default) or by the hash of their digits. */
  oovMethod: option<'floormod' | 'farmhash'>('floormod', (given, operation, name) =>
    oneOf(given, operation, name, ['floormod', 'farmhash'] as const),
  ),
};
export type IntegerLookupOptions = OptionsOf<typeof integerRows>;

/** Whole numbers and their ids: see {@link integerLookup}. */
export class IntegerLookup extends layerOf('IntegerLookup', integerRows, Lookup) {
  protected override readonly kind = 'number';

  constructor(options?: IntegerLookupOptions) {
    super(options);
    if (this.salt && this.oovMethod !== 'farmhash')
      throw new ConfigError(`${this.name}: salt makes other hashes; give oovMethod: 'farmhash' with it.`);
    this.begin();
  }

  protected override binFor(token: string | number): number {
    const n = this.numOovIndices;
    if (this.oovMethod === 'farmhash') return binOf(String(token), n, this.salt);
    return ((Number(token) % n) + n) % n;
  }
}

/**
 * Words become ids by a vocabulary, given or found by `adapt`; `invert: true` goes back.
 *
 * ```ts
 * const ids = layers.stringLookup({ vocabulary: ['cat', 'dog'] });
 * ids.apply([['dog', 'cow']]);           // { data: [2, 0], shape: [1, 2] }; 0 is '[UNK]'
 * ```
 *
 * With rows as outputs ('one_hot', 'multi_hot', 'count', 'tf_idf') each has a place for every id. Throws ValueError for an
 * unknown word where `numOovIndices` is 0, StateError before there is a vocabulary. As Keras's StringLookup.
 */
export const stringLookup = (options?: StringLookupOptions): StringLookup => new StringLookup(options);

/** Whole numbers become ids by a vocabulary; otherwise as {@link stringLookup}. As Keras's IntegerLookup. */
export const integerLookup = (options?: IntegerLookupOptions): IntegerLookup => new IntegerLookup(options);
