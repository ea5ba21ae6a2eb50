/** The rows that a pass visits, as long as a pipeline only chooses and orders rows: one list for each pass. */

import { counting } from '../../base/counting.ts';
import { RandomSequence } from '../../base/random.ts';

/** An order of rows that is known before any data are touched. */
export interface RowOrder {
  readonly count: number;
  /** The first row where the rows of every pass are start, start + 1, …; null where they are not. */
  readonly start: number | null;
  /** How many shuffles there are; each draws numbers of its own. */
  readonly shuffles: number;
  /** The rows of a pass, from 0. */
  of(pass: number): Uint32Array;
}

/** Rows start, start + 1, …, start + count − 1. */
export const inOrder = (count: number, start = 0): RowOrder => ({
  count,
  start,
  shuffles: 0,
  of: () => counting(count, start),
});

/** Positions from … to − 1 of an order. */
export function cut(order: RowOrder, from: number, to: number): RowOrder {
  const first = Math.min(from, order.count);
  const count = Math.max(0, Math.min(to, order.count) - first);
  if (order.start !== null) return inOrder(count, order.start + first);
  return { ...order, count, of: (pass) => order.of(pass).subarray(first, first + count) };
}

/** One order after the other. */
export const chain = (first: RowOrder, second: RowOrder): RowOrder => ({
  count: first.count + second.count,
  start: null,
  shuffles: Math.max(first.shuffles, second.shuffles),
  of: (pass) => joined([first.of(pass), second.of(pass)]),
});

/** An order so many times; each time is a pass of its own to what is shuffled in it. */
export const repeated = (order: RowOrder, times: number): RowOrder => ({
  ...order,
  count: order.count * times,
  start: times === 1 ? order.start : null,
  of: (pass) => joined(Array.from({ length: times }, (_, i) => order.of(pass * times + i))),
});

export interface Shuffle {
  readonly bufferSize: number;
  readonly seed: number;
  /** Whether each pass has an order of its own. */
  readonly reshuffle: boolean;
}

/** An order shuffled through a buffer, as `shuffleThrough` does. */
export const shuffled = (order: RowOrder, shuffle: Shuffle): RowOrder => ({
  count: order.count,
  start: null,
  shuffles: order.shuffles + 1,
  of(pass) {
    const rows = order.of(pass).slice();
    const pick = picker(shuffle, order.shuffles, pass);
    const size = Math.min(shuffle.bufferSize, rows.length);
    // Position i is written when the buffer has let go of it: what it held moves into the picked one's place.
    const buffer = rows.slice(0, size);
    for (let i = 0; i < rows.length; i++) {
      const held = Math.min(size, rows.length - i);
      const picked = pick(held);
      const out = buffer[picked];
      buffer[picked] = i + size < rows.length ? rows[i + size] : buffer[held - 1];
      rows[i] = out;
    }
    return rows;
  },
});

/** Streams of the generator for shuffles, away from those of models (below 2²⁵). */
const FIRST_STREAM = 2 ** 30;

/** Draws positions in a buffer: a function of seed, place of the shuffle in the pipeline, and pass. */
export function picker({ seed, reshuffle }: Shuffle, place: number, pass: number): (held: number) => number {
  const random = new RandomSequence(seed, FIRST_STREAM + place, reshuffle ? pass : 0);
  return (held) => Math.floor((random.word() / 2 ** 32) * held);
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
