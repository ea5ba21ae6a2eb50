/** Tokenizers that need no training: of characters and of bytes. */
import { ConfigError, ValueError } from '../../base/errors.ts';

/** Text to token numbers and back. */
export interface Tokenizer {
  /** How many tokens there are: numbers go from 0 to this − 1. */
  readonly vocabularySize: number;
  encode(text: string): Int32Array;
  decode(ids: ArrayLike<number>): string;
}

/**
 * A token for each character that occurs in a text, in the order of their code points.
 *
 * encode throws ValueError, with the place, for a character that did not occur; decode for a number outside.
 *
 * ```ts
 * const tokenizer = data.charTokenizer('hello');
 * tokenizer.encode('hole');          // Int32Array [1, 3, 2, 0]: e, h, l, o are 0 to 3
 * ```
 */
export function charTokenizer(
  text: string | readonly string[],
): Tokenizer & { readonly characters: readonly string[] } {
  if (typeof text !== 'string' && !(Array.isArray(text) && text.every((one) => typeof one === 'string')))
    throw new ValueError('charTokenizer: expected a text, or a list of characters.');
  const characters = [...new Set(Array.isArray(text) ? text : text)].sort(
    (a, b) => a.codePointAt(0)! - b.codePointAt(0)!,
  );
  if (characters.length === 0)
    throw new ConfigError('charTokenizer: the text is empty; expected some characters.');
  const ids = new Map(characters.map((character, i) => [character, i]));
  return {
    characters,
    vocabularySize: characters.length,
    encode: (text) =>
      Int32Array.from([...text], (character, i) => {
        const id = ids.get(character);
        if (id !== undefined) return id;
        throw new ValueError(
          `charTokenizer: ${JSON.stringify(character)} at character ${i} does not occur in the text that it was made from.`,
        );
      }),
    decode: (numbers) =>
      Array.from(numbers, (id) => characters[inside(id, characters.length, 'charTokenizer')]).join(''),
  };
}

/**
 * A token for each byte of UTF-8: 256 tokens for any text. Bytes that are no text are decoded to U+FFFD.
 *
 * ```ts
 * data.byteTokenizer().encode('é');      // Int32Array [195, 169]
 * ```
 */
export function byteTokenizer(): Tokenizer {
  return {
    vocabularySize: 256,
    encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
    decode: (numbers) =>
      new TextDecoder().decode(Uint8Array.from(numbers, (id) => inside(id, 256, 'byteTokenizer'))),
  };
}

function inside(id: number, size: number, operation: string): number {
  if (Number.isInteger(id) && id >= 0 && id < size) return id;
  throw new ValueError(`${operation}: token ${id}; expected a whole number from 0 to ${size - 1}.`);
}
