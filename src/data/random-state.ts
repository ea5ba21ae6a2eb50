/**
 * NumPy's legacy generator, `numpy.random.RandomState`, to the bit: splits and shuffles of published
 * notebooks come out the same here.
 *
 * Sources: numpy/random/src/mt19937/mt19937.c (Mersenne Twister of Matsumoto and Nishimura, seeded by
 * Knuth's recurrence), numpy/random/mtrand.pyx and src/legacy for `permutation`.
 */

import { counting } from '../base/counting.ts';
import { ValueError } from '../base/errors.ts';

const WORDS = 624;
const SHIFT = 397;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;
const MATRIX = 0x9908b0df;

export class RandomState {
  private readonly state = new Uint32Array(WORDS);
  private used = WORDS;

  /** `seed`: an integer from 0 to 2³² − 1. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new ValueError(`RandomState: seed is ${seed}, expected an integer from 0 to 2^32 − 1.`);
    }
    let word = seed >>> 0;
    for (let i = 0; i < WORDS; i++) {
      this.state[i] = word;
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
    }
  }

  /** The next 32 random bits. */
  uint32(): number {
    if (this.used === WORDS) this.twist();
    let word = this.state[this.used++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** An integer from 0 to `max`, both included: masked draws until one fits. */
  interval(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** An integer from `low` to `high` − 1, as `RandomState.randint(low, high)`; the two at most 2³² apart. */
  randint(low: number, high: number): number {
    if (!(Number.isInteger(low) && Number.isInteger(high) && low < high && high - low <= 2 ** 32)) {
      throw new ValueError(
        `RandomState: randint(${low}, ${high}), expected whole numbers, the lesser first.`,
      );
    }
    return low + this.interval(high - 1 - low);
  }

  /** 0 … n − 1 in random order, as `RandomState.permutation(n)`. */
  permutation(n: number): Uint32Array {
    return this.shuffle(counting(n));
  }

  /** Shuffles in place, as `RandomState.shuffle(x)` does with a one-dimensional array; gives it back. */
  shuffle<T extends { [i: number]: unknown; readonly length: number }>(list: T): T {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.interval(i);
      const kept = list[i];
      list[i] = list[j];
      list[j] = kept;
    }
    return list;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < WORDS; i++) {
      const joined = (state[i] & UPPER) | (state[(i + 1) % WORDS] & LOWER);
      state[i] = state[(i + SHIFT) % WORDS] ^ (joined >>> 1) ^ (joined & 1 ? MATRIX : 0);
    }
    this.used = 0;
  }
}
