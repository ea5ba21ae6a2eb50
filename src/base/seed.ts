/**
 * Where random numbers of the process stand: a seed, and how many models, layers and draws have taken numbers of their
 * own from it. So two models differ, two draws differ, and a program that is run again gets the same numbers.
 */
import { ValueError } from './errors.ts';

/** Streams of draws that nobody keyed, above all others: this for single ones, then one for each place in a captured step. */
export const FIRST_DRAW = 2 ** 31;

let seed: number | null = null;
const taken = { model: 0, layer: 0, draw: 0 };

/**
 * Lets everything random begin anew from a seed, as in a new process: weights of models, shuffles, dropout and draws
 * (Keras's `keras.utils.set_random_seed`). `from`: a whole number below 2³²; ValueError for anything else.
 *
 * ```ts
 * setRandomSeed(42);
 * const model = sequential([layers.dense(10, { inputShape: [784] })]); // the same weights each time
 * ```
 */
export function setRandomSeed(from: number): void {
  if (!Number.isInteger(from) || from < 0 || from >= 2 ** 32)
    throw new ValueError(
      `setRandomSeed: seed is ${String(from)}; expected a whole number from 0 to 4294967295.`,
    );
  seed = from;
  taken.model = taken.layer = taken.draw = 0;
}

/** The seed that was asked for, or that of the default engine; before there is one, a random one. */
export function seedInUse(): number {
  seed ??= crypto.getRandomValues(new Uint32Array(1))[0];
  return seed;
}

/** 0, 1, 2, …: the how-manieth model, layer outside any model, or draw. */
export const nextOf = (kind: keyof typeof taken): number => taken[kind]++;
