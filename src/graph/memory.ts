/** Where the intermediate values of a step live: one arena, in which values that never meet share bytes. */
import { LimitError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Limits } from '../engine/profile.ts';
import { storedAs } from '../ops/define.ts';
import { byteSize } from '../ops/dtype.ts';
import { show } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { append } from './order.ts';

/** Binding offsets must be multiples of this on every adapter. */
const ALIGNMENT = 256;

/** The memory of a tensor: a range that exists already, or a part of the step arena. */
export interface Place {
  /** Bytes of the tensor itself. */
  readonly sizeBytes: number;
  /** Set from the start for variables, data and results; set by the plan's last act for the rest. */
  range: BufferRange | null;
  /** For the step arena: where in it, and the commands (first to last) that need it. */
  offset: number;
  first: number;
  last: number;
}

/** A new place for a tensor; throws LimitError when no binding could reach all of it. */
export function placeFor(tensor: Tensor, limits: Limits, range: BufferRange | null = null): Place {
  const sizeBytes = byteSize(storedAs(tensor), tensor.size);
  if (sizeBytes > limits.maxStorageBufferBindingSize)
    throw new LimitError(
      `${tensor.op?.name ?? 'tensor'}: a result of shape ${show(tensor.shape)} takes ${sizeBytes} bytes, but one binding of this device reaches ${limits.maxStorageBufferBindingSize}. Work in smaller pieces.`,
    );
  return { sizeBytes, range, offset: -1, first: Number.POSITIVE_INFINITY, last: -1 };
}

const padded = (place: Place): number => Math.ceil(Math.max(place.sizeBytes, 4) / ALIGNMENT) * ALIGNMENT;

/**
 * Gives every step place an offset: largest first, each at the lowest offset where nothing that lives at
 * the same time is in the way. `reuse: false` gives each its own bytes. Returns the arena's size.
 */
export function layOut(places: readonly Place[], reuse: boolean): number {
  let end = 0;
  const bySize = [...places].sort((a, b) => padded(b) - padded(a) || a.first - b.first);
  if (!reuse) {
    for (const place of bySize) {
      place.offset = end;
      end += padded(place);
    }
    return end;
  }
  const placed = new Lives(places);
  for (const place of bySize) {
    let offset = 0;
    for (const rival of placed.during(place)) {
      if (offset + padded(place) <= rival.offset) break;
      offset = Math.max(offset, rival.offset + padded(rival));
    }
    place.offset = offset;
    placed.add(place);
    end = Math.max(end, offset + padded(place));
  }
  return end;
}

/** Places by when they live: a tree over time, each place in the few nodes that together are its life. */
class Lives {
  readonly #leaves: number;
  /** Those that are kept here, by offset; and whether there is any here or below. */
  readonly #here: Place[][] = [];
  readonly #below: boolean[] = [];

  constructor(places: readonly Place[]) {
    const latest = places.reduce((most, { last }) => Math.max(most, last), 0);
    this.#leaves = 2 ** Math.ceil(Math.log2(latest + 1));
  }

  add(place: Place): void {
    const [from, to] = this.#span(place);
    for (let a = from + this.#leaves, b = to + this.#leaves + 1; a < b; a >>= 1, b >>= 1) {
      if (a & 1) this.#keep(a++, place);
      if (b & 1) this.#keep(--b, place);
    }
  }

  #keep(node: number, place: Place): void {
    this.#here[node] ??= [];
    this.#here[node].push(place);
    for (let up = node; up > 0 && !this.#below[up]; up >>= 1) this.#below[up] = true;
  }

  /** Those that live at any time when `place` does, by offset. */
  during(place: Place): Place[] {
    const [from, to] = this.#span(place);
    const found = new Set<Place>();
    const take = (node: number) => {
      for (const one of this.#here[node] ?? []) found.add(one);
    };
    const stack: number[] = [];
    for (let a = from + this.#leaves, b = to + this.#leaves + 1; a < b; a >>= 1, b >>= 1) {
      if (a & 1) stack.push(a++);
      if (b & 1) stack.push(--b);
    }
    for (const node of stack) for (let up = node >> 1; up > 0; up >>= 1) take(up);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (!this.#below[node]) continue;
      take(node);
      if (node < this.#leaves) stack.push(2 * node, 2 * node + 1);
    }
    return [...found].sort((a, b) => a.offset - b.offset);
  }

  /** What no command needs lives never; it is in nobody's way. */
  #span({ first, last }: Place): [number, number] {
    return first <= last ? [first, last] : [0, -1];
  }
}

/** One command's view of memory, for the verifier. */
export interface Access {
  readonly label: string;
  readonly reads: readonly Place[];
  readonly writes: readonly Place[];
}

/**
 * Checks a finished plan: whatever a command reads was written before and not overwritten since, no two
 * different places in one command overlap, and offsets are aligned. A failure is a bug of the planner.
 */
export function verify(commands: readonly Access[]): void {
  const bug = (label: string, what: string): never => {
    throw new Error(`the plan is wrong at ${label}: ${what} (please report this)`);
  };
  /** The step places that still hold what is their own: none overlaps another. */
  const valid = new Set<Place>();
  const byOffset: Place[] = [];
  for (const { label, reads, writes } of commands) {
    const own = [...new Set([...reads, ...writes])];
    for (const { range } of own)
      if (range && range.offset % ALIGNMENT !== 0) bug(label, `offset ${range.offset} is not aligned`);
    if (someOverlap(own)) bug(label, 'two operands overlap');
    for (const place of reads)
      if (place.offset >= 0 && !valid.has(place)) bug(label, 'it reads a value that is not there any more');
    for (const place of writes) {
      if (place.offset < 0) continue;
      valid.add(place);
      if (place.sizeBytes === 0) continue;
      let at = firstFrom(byOffset, place.offset);
      if (at > 0 && overlap(byOffset[at - 1], place)) at--;
      let end = at;
      while (end < byOffset.length && overlap(byOffset[end], place)) valid.delete(byOffset[end++]);
      byOffset.splice(at, end - at, place);
      valid.add(place);
    }
  }
}

/** Do two of them share bytes? Places of no bytes share none. */
function someOverlap(places: readonly Place[]): boolean {
  const buffers = new Map<GPUBuffer, Place[]>();
  for (const place of places) if (place.range!.size > 0) append(buffers, place.range!.buffer, place);
  for (const sharing of buffers.values()) {
    sharing.sort((a, b) => a.range!.offset - b.range!.offset);
    for (let i = 1; i < sharing.length; i++) if (overlap(sharing[i - 1], sharing[i])) return true;
  }
  return false;
}

/** The index of the first place at `offset` or beyond. */
function firstFrom(byOffset: readonly Place[], offset: number): number {
  let [low, high] = [0, byOffset.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byOffset[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function overlap(a: Place, b: Place): boolean {
  const [p, q] = [a.range!, b.range!];
  return p.buffer === q.buffer && p.offset < q.offset + q.size && q.offset < p.offset + p.size;
}
