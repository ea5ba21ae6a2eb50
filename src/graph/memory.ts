/** Where the intermediate values of a step live: one arena, in which values that never meet share bytes. */
import { LimitError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Limits } from '../engine/profile.ts';
import { storedAs } from '../ops/define.ts';
import { byteSize } from '../ops/dtype.ts';
import { show } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { append, firstFrom } from './order.ts';

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
  const placed: Place[] = [];
  let end = 0;
  const bySize = [...places].sort((a, b) => padded(b) - padded(a) || a.first - b.first);
  for (const place of bySize) {
    const size = padded(place);
    place.offset = 0;
    for (const other of placed) {
      if (place.offset + size <= other.offset) break;
      if (!reuse || (other.first <= place.last && place.first <= other.last))
        place.offset = Math.max(place.offset, other.offset + padded(other));
    }
    placed.splice(firstFrom(placed, place.offset, offsetOf), 0, place);
    end = Math.max(end, place.offset + size);
  }
  return end;
}

const offsetOf = ({ offset }: Place): number => offset;

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
      let at = firstFrom(byOffset, place.offset, offsetOf);
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

function overlap(a: Place, b: Place): boolean {
  const [p, q] = [a.range!, b.range!];
  return p.buffer === q.buffer && p.offset < q.offset + q.size && q.offset < p.offset + p.size;
}
