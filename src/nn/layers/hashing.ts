/** `hashing`: words or numbers fall into bins by a hash, without a vocabulary. */
import { ConfigError } from '../../base/errors.ts';
import type { NdArray } from '../../data/nd-array.ts';
import { binOf } from '../../data/text/hash.ts';
import { wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { outputModeRow, saltRow } from './lookup.ts';
import { encoded, type HostValues, listed, Preparing } from './preparing.ts';

const rows = {
  /** How many bins there are, that of maskValue included. */
  numBins: needed<number>(wholeFrom(1)),
  /** The value for which bin 0 is kept; default null: none. */
  maskValue: option<string | number | null>(
    null,
    orNull((given, operation, name) => {
      if (typeof given === 'string' || typeof given === 'number') return given;
      throw new ConfigError(
        `${operation}: ${name} is ${describe(given)}; expected a word, a number, or null.`,
      );
    }),
  ),
  salt: saltRow,
  /** Bins ('int', default), or rows of them. */
  outputMode: outputModeRow(['int', 'one_hot', 'multi_hot', 'count']),
};

export type HashingOptions = OptionsOf<typeof rows>;

/** Bins by a hash: see {@link hashing}. */
export class Hashing extends layerOf('Hashing', rows, Preparing) {
  protected prepare(given: HostValues): NdArray<Int32Array | Float32Array> {
    let first: unknown = given;
    while (Array.isArray(first)) first = first[0];
    const kind = typeof first === 'string' ? 'string' : 'number';
    const { values, shape } = listed<string | number>(given, kind, this.name);
    const kept = this.maskValue !== null && this.numBins > 1 ? 1 : 0;
    const bins = values.map((value) => {
      if (kept && value === this.maskValue) return 0;
      const text = typeof value === 'number' ? String(Math.trunc(value)) : value;
      return kept + binOf(text, this.numBins - kept, this.salt);
    });
    return encoded(bins, shape, this.outputMode, this.numBins);
  }
}

/**
 * Words or whole numbers fall into `numBins` bins; two may share one. The bins are TensorFlow's: FarmHash, and SipHash with
 * a `salt`. It works on the host and stands before a model. As Keras's Hashing.
 *
 * ```ts
 * layers.hashing(3).apply([['A'], ['B']]);      // { data: Int32Array, shape: [2, 1] }
 * ```
 */
export const hashing = (first: number | HashingOptions, rest?: Omit<HashingOptions, 'numBins'>): Hashing =>
  new Hashing(typeof first === 'number' ? { ...rest, numBins: first } : first);
