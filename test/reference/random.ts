/**
 * Seeded numbers for tests: mulberry32 (Tommy Ettinger, public domain), which shares nothing with the
 * engine's own generator, so that no test compares Weft with itself.
 */
export interface Generator {
  /** A number in [0, 1). */
  uniform(): number;
  /** A number in [low, high), rounded to f32 so that both sides of a test see the same value. */
  between(low: number, high: number): number;
  /** A whole number in [0, count). */
  below(count: number): number;
  /** One of the list. */
  pick<T>(list: readonly T[]): T;
  /** `size` numbers of `between`. */
  array(size: number, low: number, high: number): Float32Array;
}

export function generator(seed: number): Generator {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => Math.fround(low + (high - low) * uniform());
  const below = (count: number) => Math.floor(count * uniform());
  return {
    uniform,
    between,
    below,
    pick: (list) => list[below(list.length)],
    array: (size, low, high) => Float32Array.from({ length: size }, () => between(low, high)),
  };
}
