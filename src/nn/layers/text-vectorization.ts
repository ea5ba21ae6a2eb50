/** `textVectorization`: texts become ids of their words, or rows of how often each occurs. */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import type { NdArray } from '../../data/nd-array.ts';
import { nGrams, type Split, type Standardize, standardized, wordsOf } from '../../data/text/words.ts';
import { flag, oneOf, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { option, orNull } from '../options.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { idfWeightsRow, outputModeRow, StringLookup, vocabularyRow } from './lookup.ts';
import { eachHostPart, type HostValues, listed, type OutputMode, Preparing } from './preparing.ts';

/** Reads one of some words, null, or a function. */
const wordOrFunction =
  <T>(words: readonly T[]) =>
  (given: unknown, operation: string, name: string): T =>
    typeof given === 'function' || given === null ? (given as T) : oneOf(given, operation, name, words);

const rows = {
  /** The most words, '' and '[UNK]' included; default null: any number. */
  maxTokens: option<number | null>(null, orNull(wholeFrom(2))),
  /** What happens to a text first; null: nothing; or a function of it. Default 'lower_and_strip_punctuation'. */
  standardize: option<Standardize>(
    'lower_and_strip_punctuation',
    wordOrFunction<Standardize>(['lower_and_strip_punctuation', 'lower', 'strip_punctuation']),
  ),
  /** Where it is cut: at 'whitespace' (default), into each 'character', not at all (null), or a function that cuts it. */
  split: option<Split>('whitespace', wordOrFunction<Split>(['whitespace', 'character'])),
  /** Runs of words that count too: n for all up to n, or a list of lengths; default null: single words. */
  ngrams: option<number | readonly number[] | null>(
    null,
    orNull((given, operation, name) =>
      Array.isArray(given)
        ? given.map((one) => wholeFrom(1)(one, operation, name))
        : wholeFrom(1)(given, operation, name),
    ),
  ),
  /** Ids ('int', default), or a row for each text: 'multi_hot', 'count' or 'tf_idf'. */
  outputMode: outputModeRow(['int', 'multi_hot', 'count', 'tf_idf']),
  /** Ids of each text: longer ones are cut, shorter ones end in 0; default null: those of the longest. */
  outputSequenceLength: option<number | null>(null, orNull(wholeFrom(1))),
  /** Whether rows have maxTokens places, however many words there are; default false. */
  padToMaxTokens: option(false, flag),
  vocabulary: vocabularyRow('string'),
  idfWeights: idfWeightsRow,
};

export type TextVectorizationOptions = OptionsOf<typeof rows>;

/** Texts as numbers: see {@link textVectorization}. */
export class TextVectorization extends layerOf('TextVectorization', rows, Preparing) {
  readonly lookup: StringLookup;

  constructor(options?: TextVectorizationOptions) {
    super(options);
    const { maxTokens, outputMode, padToMaxTokens, vocabulary, idfWeights, outputSequenceLength } = this;
    if (outputSequenceLength !== null && outputMode !== 'int')
      throw new ConfigError(
        `${this.name}: outputSequenceLength is for ids; with outputMode '${outputMode}' a text is one row.`,
      );
    this.lookup = new StringLookup({
      name: `${this.name}_lookup`,
      maxTokens,
      outputMode: outputMode as OutputMode,
      padToMaxTokens,
      vocabulary,
      idfWeights,
      maskToken: '',
    });
  }

  /** The lookup is a part of this layer and no layer inside. */
  override get layers(): readonly [] {
    return [];
  }

  /** The words of each text. A shape of [n, 1] is a list of n texts. */
  private documents(given: HostValues): { readonly words: string[][]; readonly single: boolean } {
    const { values, shape } = listed<string>(given, 'string', this.name);
    if (shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
      throw new ShapeError(
        `${this.name}: got texts of shape [${shape}]; expected one text, a list, or lists of one text each.`,
      );
    const widths =
      this.ngrams === null ? null : Array.isArray(this.ngrams) ? this.ngrams : upTo(this.ngrams as number);
    const words = values.map((text) => {
      const cut = wordsOf(standardized(text, this.standardize), this.split);
      if (!Array.isArray(cut) || !cut.every((word) => typeof word === 'string'))
        throw new ConfigError(`${this.name}: split gave ${describe(cut)}; expected a list of words.`);
      return widths ? nGrams(cut, widths as number[]) : [...cut];
    });
    return { words, single: shape.length === 0 };
  }

  protected prepare(given: HostValues): NdArray<Int32Array | Float32Array> {
    if (this.split === null && this.ngrams === null) {
      const { values, shape } = listed<string>(given, 'string', this.name);
      return this.lookup.encode(
        values.map((text) => standardized(text, this.standardize)),
        shape,
      );
    }
    const { words, single } = this.documents(given);
    const rows = this.outputMode === 'int' ? this.idsOf(words) : this.rowsOf(words);
    return single ? { data: rows.data, shape: rows.shape.slice(1) } : rows;
  }

  private idsOf(documents: readonly string[][]): NdArray<Int32Array> {
    const length =
      this.outputSequenceLength ?? documents.reduce((most, words) => Math.max(most, words.length), 0);
    const data = new Int32Array(documents.length * length);
    for (const [i, words] of documents.entries()) {
      const cut = words.slice(0, length);
      data.set(this.lookup.encode(cut, [cut.length]).data, i * length);
    }
    return { data, shape: [documents.length, length] };
  }

  private rowsOf(documents: readonly string[][]): NdArray<Float32Array> {
    const rows = documents.map((words) => this.lookup.encode(words, [words.length]).data);
    const depth = rows[0]?.length ?? 0;
    const data = new Float32Array(documents.length * depth);
    for (const [i, row] of rows.entries()) data.set(row, i * depth);
    return { data, shape: [documents.length, depth] };
  }

  /**
   * Finds the vocabulary of texts: an array of them, or a dataset whose elements, or the first part of them, are texts or
   * lists of texts. Forgets what was found before. StateError where the vocabulary was given.
   */
  async adapt(data: unknown): Promise<void> {
    const counts = this.lookup.counts();
    await eachHostPart(data, (part) => {
      for (const words of this.documents(part).words) counts.add(words);
    });
    this.lookup.learn(counts);
  }

  /** The words in the order of their ids. */
  getVocabulary(options?: { includeSpecialTokens?: boolean }): string[] {
    return this.lookup.getVocabulary(options) as string[];
  }

  /** How many ids there are. */
  get vocabularySize(): number {
    return this.lookup.vocabularySize;
  }

  /** Takes these words, in the order of their ids; see `stringLookup`. */
  setVocabulary(vocabulary: readonly string[], idfWeights: readonly number[] | null = null): void {
    this.lookup.setVocabulary(vocabulary, idfWeights);
  }

  override getConfig(): Record<string, unknown> {
    const { vocabulary, idfWeights } = this.lookup;
    return { ...super.getConfig(), vocabulary, idfWeights };
  }
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/**
 * Texts become numbers: small letters, no punctuation, cut at spaces; each word its id, 0 for no word and 1 for an unknown one.
 *
 * ```ts
 * const vectorize = layers.textVectorization({ maxTokens: 1000, outputSequenceLength: 100 });
 * await vectorize.adapt(texts);
 * const x = vectorize.apply(['A good film!']);      // { data: Int32Array, shape: [1, 100] }
 * await model.fit(vectorize.apply(texts), labels);
 * ```
 *
 * With `outputMode` 'multi_hot', 'count' or 'tf_idf' each text is a row with a place for every word, the first for unknown
 * ones. It works on the host and stands before a model. As Keras's TextVectorization, to the order of the vocabulary.
 */
export const textVectorization = (options?: TextVectorizationOptions): TextVectorization =>
  new TextVectorization(options);
