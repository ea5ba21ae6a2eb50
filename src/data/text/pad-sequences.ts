import { ShapeError, ValueError } from '../../base/errors.ts';
import { knownOptions } from '../../base/options.ts';
import type { NdArray } from '../nd-array.ts';

/** Numbers of one step: one, or several. */
type Step = number | readonly number[];

export interface PadOptions {
  /** Steps of each sequence; default: those of the longest. */
  readonly maxlen?: number | null;
  /** Default 'i32'. */
  readonly dtype?: 'i32' | 'f32';
  /** Where short ones are filled: before ('pre', default) or after. */
  readonly padding?: 'pre' | 'post';
  /** Where long ones are cut: at their beginning ('pre', default) or end. */
  readonly truncating?: 'pre' | 'post';
  /** What they are filled with; default 0. */
  readonly value?: number;
}

/**
 * Sequences of several lengths as one array, as Keras's `pad_sequences`.
 *
 * sequences: n lists of numbers, or of lists of numbers → [n, maxlen] or [n, maxlen, features]. Throws ShapeError for steps of
 * several sizes, ValueError for what is no list of numbers.
 *
 * ```ts
 * data.padSequences([[1], [2, 3], [4, 5, 6]], { maxlen: 2 });      // { data: [0, 1, 2, 3, 5, 6], shape: [3, 2] }
 * ```
 */
export function padSequences(
  sequences: readonly (readonly Step[] | Int32Array | Uint8Array | Float32Array)[],
  given?: PadOptions,
): NdArray<Int32Array | Float32Array> {
  const options = knownOptions<PadOptions>('padSequences', given, [
    'maxlen',
    'dtype',
    'padding',
    'truncating',
    'value',
  ]);
  const { dtype = 'i32', padding = 'pre', truncating = 'pre', value = 0 } = options;
  for (const [name, word] of Object.entries({ padding, truncating }))
    if (word !== 'pre' && word !== 'post')
      throw new ValueError(`padSequences: ${name} is ${JSON.stringify(word)}; expected 'pre' or 'post'.`);
  if (dtype !== 'i32' && dtype !== 'f32')
    throw new ValueError(`padSequences: dtype is ${JSON.stringify(dtype)}; expected 'i32' or 'f32'.`);
  if (!Array.isArray(sequences))
    throw new ValueError('padSequences: expected a list of sequences, each a list of numbers.');
  const lists = sequences.map((sequence, i) => {
    if (Array.isArray(sequence)) return sequence as readonly Step[];
    if (ArrayBuffer.isView(sequence)) return Array.from(sequence as unknown as ArrayLike<number>);
    throw new ValueError(`padSequences: sequence ${i} is ${typeof sequence}; expected a list of numbers.`);
  });
  const steps = options.maxlen ?? lists.reduce((most, { length }) => Math.max(most, length), 0);
  if (!Number.isSafeInteger(steps) || steps < 0)
    throw new ValueError(`padSequences: maxlen is ${steps}; expected a whole number.`);
  const first = lists.find(({ length }) => length > 0)?.[0];
  const features = Array.isArray(first) ? first.length : null;
  const width = features ?? 1;
  const Numbers = dtype === 'i32' ? Int32Array : Float32Array;
  const data = new Numbers(lists.length * steps * width).fill(value);
  for (const [i, list] of lists.entries()) {
    const from = truncating === 'pre' ? Math.max(0, list.length - steps) : 0;
    const count = Math.min(list.length, steps);
    const to = padding === 'pre' ? steps - count : 0;
    for (let t = 0; t < count; t++) {
      const step = list[from + t];
      const numbers = Array.isArray(step) ? step : [step];
      if (Array.isArray(step) !== (features !== null) || numbers.length !== width)
        throw new ShapeError(
          `padSequences: sequence ${i}, step ${from + t} has ${Array.isArray(step) ? `${step.length} numbers` : 'one number'}; expected ${features === null ? 'one number' : `${features}`}.`,
        );
      const bad = numbers.find(
        (one) => typeof one !== 'number' || (dtype === 'i32' && !Number.isSafeInteger(one)),
      );
      if (bad !== undefined)
        throw new ValueError(
          `padSequences: sequence ${i}, step ${from + t} is ${JSON.stringify(bad)}; expected ${dtype === 'i32' ? "whole numbers, or dtype: 'f32'" : 'numbers'}.`,
        );
      data.set(numbers as number[], (i * steps + to + t) * width);
    }
  }
  return { data, shape: features === null ? [lists.length, steps] : [lists.length, steps, features] };
}
