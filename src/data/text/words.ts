/** From a text to its words, as Keras's TextVectorization goes: standardize, split, join neighbours. */

/** Words of a text. */
export type Split = 'whitespace' | 'character' | null | ((text: string) => readonly string[]);

/** What a text becomes before it is split. */
export type Standardize =
  | 'lower_and_strip_punctuation'
  | 'lower'
  | 'strip_punctuation'
  | null
  | ((text: string) => string);

const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g;

/** Only A to Z become small, as in TensorFlow, which looks at bytes. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

export function standardized(text: string, how: Standardize): string {
  if (typeof how === 'function') return how(text);
  let y = text;
  if (how === 'lower' || how === 'lower_and_strip_punctuation') y = lower(y);
  if (how === 'strip_punctuation' || how === 'lower_and_strip_punctuation') y = y.replace(PUNCTUATION, '');
  return y;
}

export function wordsOf(text: string, how: Split): readonly string[] {
  if (typeof how === 'function') return how(text);
  if (how === 'character') return [...text];
  if (how === 'whitespace') return text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
  return [text];
}

/** Runs of so many words, joined by spaces: all of the first width, then all of the next. */
export function nGrams(words: readonly string[], widths: readonly number[]): string[] {
  return widths.flatMap((width) =>
    Array.from({ length: Math.max(0, words.length - width + 1) }, (_, i) =>
      words.slice(i, i + width).join(' '),
    ),
  );
}
