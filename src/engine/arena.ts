/**
 * Where values live. Three lifetimes: *persistent* (a heap of large blocks, from which parameters,
 * optimizer slots and data are cut), *step* (one shared buffer, laid out by a plan and overwritten by
 * every run) and *staging* (a pool for reading back).
 */
import { DisposedError, LimitError } from '../base/errors.ts';
import { ALIGNMENT, align } from './align.ts';
import type { Buffers } from './buffers.ts';
import { BufferUsage } from './gpu.ts';

/** A piece of a GPU buffer, in bytes; `offset` is a multiple of {@link ALIGNMENT}. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

const VALUES = BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyTarget;

/** Small values share blocks of this size; larger ones get a buffer of their own. */
const BLOCK_BYTES = 4 << 20;

interface Span {
  offset: number;
  size: number;
}

interface Block {
  readonly buffer: GPUBuffer;
  readonly size: number;
  /** Free spans by offset; no two of them touch. */
  readonly free: Span[];
}

/** Values of persistent lifetime. Small ones cost no buffer: they are cut from blocks. */
export class Heap {
  liveBytes = 0;
  readonly #buffers: Buffers;
  readonly #maxBindingBytes: number;
  readonly #blocks = new Set<Block>();
  readonly #live = new Map<BufferRange, Block>();

  constructor(buffers: Buffers, maxBindingBytes: number) {
    this.#buffers = buffers;
    this.#maxBindingBytes = maxBindingBytes;
  }

  get liveRanges(): number {
    return this.#live.size;
  }

  get blocks(): number {
    return this.#blocks.size;
  }

  isLive(range: BufferRange): boolean {
    return this.#live.has(range);
  }

  /** Cuts out a range. Throws LimitError or OutOfMemoryError, and then changes nothing. */
  allocate(sizeBytes: number, label: string): BufferRange {
    if (sizeBytes > this.#maxBindingBytes) {
      throw new LimitError(
        `allocate: '${label}' needs ${sizeBytes} bytes, but a kernel of this device sees at most ` +
          `${this.#maxBindingBytes} bytes of one tensor. Fix: split it, or keep the data as u8.`,
      );
    }
    const size = align(Math.max(sizeBytes, 1));
    const [block, span] = this.#findSpan(size) ?? this.#addBlock(size, label);
    const range = { buffer: block.buffer, offset: span.offset, size: sizeBytes };
    span.offset += size;
    span.size -= size;
    if (span.size === 0) block.free.splice(block.free.indexOf(span), 1);
    this.#live.set(range, block);
    this.liveBytes += sizeBytes;
    return range;
  }

  /** Gives a range back; false when it had been given back before. */
  free(range: BufferRange): boolean {
    const block = this.#live.get(range);
    if (!block) return false;
    this.#live.delete(range);
    this.liveBytes -= range.size;
    insertSpan(block.free, { offset: range.offset, size: align(Math.max(range.size, 1)) });
    // One empty block is kept, so that a loop that allocates and frees makes no buffers.
    const spare = block.size === BLOCK_BYTES && ![...this.#blocks].some((b) => b !== block && isEmpty(b));
    if (isEmpty(block) && !spare) this.#release(block);
    return true;
  }

  /** The smallest free span that fits: large spans stay whole for large values. */
  #findSpan(size: number): [Block, Span] | undefined {
    let best: [Block, Span] | undefined;
    for (const block of this.#blocks) {
      for (const span of block.free) {
        if (span.size >= size && (!best || span.size < best[1].size)) best = [block, span];
      }
    }
    return best;
  }

  #addBlock(size: number, label: string): [Block, Span] {
    if (size > this.#buffers.room) this.#releaseEmpty();
    const shared = size <= BLOCK_BYTES / 4 && this.#buffers.room >= BLOCK_BYTES;
    const blockSize = shared ? BLOCK_BYTES : size;
    const buffer = this.#buffers.create(blockSize, VALUES, shared ? 'heap' : label, () => this.#drop(block));
    const span = { offset: 0, size: blockSize };
    const block: Block = { buffer, size: blockSize, free: [span] };
    this.#blocks.add(block);
    return [block, span];
  }

  #releaseEmpty(): void {
    for (const block of this.#blocks) if (isEmpty(block)) this.#release(block);
  }

  #release(block: Block): void {
    this.#blocks.delete(block);
    this.#buffers.destroy(block.buffer);
  }

  /** The driver had no memory for the block after all: what was cut from it is gone. */
  #drop(block: Block): void {
    this.#blocks.delete(block);
    for (const [range, home] of this.#live) {
      if (home !== block) continue;
      this.#live.delete(range);
      this.liveBytes -= range.size;
    }
  }
}

const isEmpty = (block: Block): boolean => block.free.length === 1 && block.free[0].size === block.size;

/** Puts a span back in order and melts it with its neighbours. */
function insertSpan(free: Span[], span: Span): void {
  let at = free.findIndex((other) => other.offset > span.offset);
  if (at < 0) at = free.length;
  const before = free[at - 1];
  const after = free[at];
  const touchesBefore = before && before.offset + before.size === span.offset;
  const touchesAfter = after && span.offset + span.size === after.offset;
  if (touchesBefore) {
    before.size += span.size + (touchesAfter ? after.size : 0);
    if (touchesAfter) free.splice(at, 1);
  } else if (touchesAfter) {
    after.offset = span.offset;
    after.size += span.size;
  } else {
    free.splice(at, 0, span);
  }
}

/** One buffer for the intermediate values of all recordings: whoever runs overwrites it. */
export class StepArena {
  /** Counts replacements of the buffer, so that recordings know when to bind again. */
  generation = 0;
  #buffer: GPUBuffer | undefined;
  #size = 0;
  readonly #buffers: Buffers;
  readonly #all = new WeakSet<GPUBuffer>();

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
  }

  get size(): number {
    return this.#size;
  }

  get buffer(): GPUBuffer | undefined {
    return this.#buffer;
  }

  /** The buffer of a range today: ranges of the arena follow it when it grows. */
  current({ buffer }: BufferRange): GPUBuffer {
    if (!this.#all.has(buffer)) return buffer;
    if (!this.#buffer) throw new DisposedError('run: the step arena has no buffer; plan again.');
    return this.#buffer;
  }

  /** The buffer, replaced by a larger one when it holds fewer than `sizeBytes`. Contents are not kept. */
  reserve(sizeBytes: number): GPUBuffer {
    if (this.#buffer && sizeBytes <= this.#size) return this.#buffer;
    const size = align(Math.max(sizeBytes, ALIGNMENT));
    // The old one goes first, so that both need not fit the budget; work already submitted keeps it alive.
    if (this.#buffer) this.#buffers.destroy(this.#buffer);
    this.#buffer = undefined;
    this.#size = 0;
    this.generation++;
    this.#buffer = this.#buffers.create(size, VALUES, 'step arena', () => {
      this.#buffer = undefined;
      this.#size = 0;
    });
    this.#size = size;
    this.#all.add(this.#buffer);
    return this.#buffer;
  }
}

/** Mappable buffers for reading back, kept by power-of-two size. */
export class Staging {
  readonly #buffers: Buffers;
  readonly #idle = new Map<number, GPUBuffer[]>();

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
    buffers.keepers.push(() => {
      for (const buffer of [...this.#idle.values()].flat()) buffers.destroy(buffer);
      this.#idle.clear();
    });
  }

  take(sizeBytes: number): GPUBuffer {
    const size = sizeClass(sizeBytes);
    const usage = BufferUsage.mapRead | BufferUsage.copyTarget;
    return this.#idle.get(size)?.pop() ?? this.#buffers.create(size, usage, 'staging');
  }

  /** Takes an unmapped buffer back; beyond a few, or when large, it is destroyed. */
  give(buffer: GPUBuffer): void {
    const { size } = buffer;
    const idle = this.#idle.get(size) ?? [];
    this.#idle.set(size, idle);
    const keep = size <= 64 << 10 ? 16 : size <= LARGEST_CLASS ? 2 : 0;
    if (idle.length < keep) idle.push(buffer);
    else this.#buffers.destroy(buffer);
  }
}

/** Powers of two, so that buffers are used again; large ones exactly, since they are not kept. */
const LARGEST_CLASS = 16 << 20;
const sizeClass = (bytes: number): number =>
  bytes > LARGEST_CLASS ? align(bytes) : 2 ** Math.max(8, Math.ceil(Math.log2(bytes)));
