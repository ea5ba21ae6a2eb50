/** Where the intermediate values of a step live: one arena, in which values that never meet share bytes. */
import { LimitError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Limits } from '../engine/profile.ts';
import { storedAs } from '../ops/define.ts';
import { byteSize } from '../ops/dtype.ts';
import { show } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';

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
    const rivals = placed
      .filter((other) => !reuse || (other.first <= place.last && place.first <= other.last))
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const rival of rivals) {
      if (offset + padded(place) <= rival.offset) break;
      offset = Math.max(offset, rival.offset + padded(rival));
    }
    place.offset = offset;
    placed.push(place);
    end = Math.max(end, offset + padded(place));
  }
  return end;
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
  /** For each step place: is what it holds still its own? */
  const valid = new Set<Place>();
  const all = new Set(commands.flatMap(({ reads, writes }) => [...reads, ...writes]));
  for (const { label, reads, writes } of commands) {
    const own = [...new Set([...reads, ...writes])];
    for (const place of own) {
      if (place.range && place.range.offset % ALIGNMENT !== 0)
        bug(label, `offset ${place.range.offset} is not aligned`);
      for (const other of own)
        if (place !== other && overlap(place, other)) bug(label, 'two operands overlap');
    }
    for (const place of reads)
      if (place.offset >= 0 && !valid.has(place)) bug(label, 'it reads a value that is not there any more');
    for (const place of writes) {
      for (const other of all)
        if (other !== place && other.offset >= 0 && overlap(place, other)) valid.delete(other);
      valid.add(place);
    }
  }
}

function overlap(a: Place, b: Place): boolean {
  const [p, q] = [a.range!, b.range!];
  return p.buffer === q.buffer && p.offset < q.offset + q.size && q.offset < p.offset + p.size;
}
