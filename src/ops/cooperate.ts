/** When a workgroup shares the line of elements that an output is made from. */

/** Lanes that share one output. */
export const WORKGROUP = 64;

/** From this length on sharing pays: two elements for every lane. */
export const COOPERATE_FROM = 2 * WORKGROUP;

/** Lanes share a long line of neighbours. */
export const cooperates = ({ length, inner }: { length: number; inner: number }): boolean =>
  inner === 1 && length >= COOPERATE_FROM;
