/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011; checked against the known answers of their Random123 library).
 *
 * Every number is a pure function of (seed, stream, step, element): there is no state to save or to
 * share, any element can be drawn first, and a shader draws the same numbers as this file.
 *
 *   key     = (seed, stream)            stream: what the numbers are for (dropout, shuffle, …)
 *   counter = (element, step, 0, 0)
 *   uniform = top 24 bits of a word / 2²⁴, exact in f32 and always below 1
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // the golden ratio
const WEYL_1 = 0xbb67ae85; // √3 − 1
const ROUNDS = 10;

/** High 32 bits of a 32 × 32 bit product, from four 16-bit products. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + (Math.imul(aLow, bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) >>> 0;
}

/** Philox 4x32-10: four random words for a counter of four words and a key of two, written to `out`. */
export function philox(
  out: Uint32Array,
  [c0, c1, c2, c3]: readonly [number, number, number, number],
  [k0, k1]: readonly [number, number],
): void {
  let x0 = c0 >>> 0;
  let x1 = c1 >>> 0;
  let x2 = c2 >>> 0;
  let x3 = c3 >>> 0;
  let key0 = k0 >>> 0;
  let key1 = k1 >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0);
    const high1 = multiplyHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2);
    x0 = (high1 ^ x1 ^ key0) >>> 0;
    x1 = low1 >>> 0;
    x2 = (high0 ^ x3 ^ key1) >>> 0;
    x3 = low0 >>> 0;
    key0 = (key0 + WEYL_0) >>> 0;
    key1 = (key1 + WEYL_1) >>> 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** A word's top 24 bits as a number in [0, 1). */
export const toUniform = (word: number): number => (word >>> 8) / 0x1000000;

const scratch = new Uint32Array(4);

/** The uniform number in [0, 1) that belongs to (seed, stream, step, element): word 0 of its block. */
export function uniform(seed: number, stream: number, step: number, element: number): number {
  philox(scratch, [element, step, 0, 0], [seed, stream]);
  return toUniform(scratch[0]);
}

/** The numbers of one (seed, stream, step), drawn one after the other, four to a Philox block. */
export class RandomSequence {
  private readonly key: [number, number];
  private readonly counter: [number, number, number, number];
  private readonly block = new Uint32Array(4);
  private used = 4;

  constructor(seed: number, stream: number, step = 0) {
    this.key = [seed, stream];
    this.counter = [0, step, 0, 0];
  }

  /** Goes to the first number of another step of the same seed and stream. */
  restart(step: number): void {
    this.counter[0] = 0;
    this.counter[1] = step;
    this.used = 4;
  }

  /** The next 32 random bits. */
  word(): number {
    if (this.used === 4) {
      philox(this.block, this.counter, this.key);
      this.counter[0]++;
      this.used = 0;
    }
    return this.block[this.used++];
  }

  /** A number in [0, 1). */
  uniform(): number {
    return toUniform(this.word());
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer in [0, count); `count` far below 2²⁴. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }
}
