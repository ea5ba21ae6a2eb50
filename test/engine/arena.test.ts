import { describe, expect, test } from 'vitest';
import { LimitError, OutOfMemoryError, type WeftError } from '../../src/base/errors.ts';
import { ALIGNMENT } from '../../src/engine/align.ts';
import { type BufferRange, Heap, Staging, StepArena } from '../../src/engine/arena.ts';
import { Buffers } from '../../src/engine/buffers.ts';

/** A device that only counts, and that runs out of memory when told to. */
function stubDevice() {
  const state = { alive: 0, outOfMemory: false };
  const device = {
    pushErrorScope() {},
    popErrorScope: async () => (state.outOfMemory ? { message: 'out of memory' } : null),
    createBuffer({ size }: GPUBufferDescriptor) {
      state.alive++;
      return { size, destroy: () => state.alive-- };
    },
  };
  return { device: device as unknown as GPUDevice, state };
}

function makeHeap({ maxBytes = Number.POSITIVE_INFINITY, maxBufferSize = 2 ** 30 } = {}) {
  const { device, state } = stubDevice();
  const reports: WeftError[] = [];
  const buffers = new Buffers(device, { maxBytes, maxBufferSize }, (error) => reports.push(error));
  return { heap: new Heap(buffers, 2 ** 27), buffers, state, reports };
}

const MiB = 2 ** 20;

describe('the heap', () => {
  test('cuts small ranges from one block, aligned and without overlap', () => {
    const { heap, buffers } = makeHeap();
    const ranges = [4, 256, 257, 0, 1000].map((size) => heap.allocate(size, 'r'));
    expect(ranges.map(({ offset }) => offset)).toEqual([0, 256, 512, 1024, 1280]);
    expect(buffers.created).toBe(1);
    expect(heap.liveBytes).toBe(4 + 256 + 257 + 1000);
  });

  test('a large range has a buffer of its own, which goes with it', () => {
    const { heap, state } = makeHeap();
    const range = heap.allocate(5 * MiB, 'large');
    expect([range.offset, state.alive]).toEqual([0, 1]);
    heap.free(range);
    expect([heap.liveBytes, state.alive]).toEqual([0, 0]);
  });

  test('freeing twice is freeing once', () => {
    const { heap } = makeHeap();
    const [a, b] = [heap.allocate(100, 'a'), heap.allocate(100, 'b')];
    expect([heap.free(a), heap.free(a)]).toEqual([true, false]);
    expect(heap.liveBytes).toBe(100);
    expect(heap.isLive(b)).toBe(true);
  });

  test('free neighbours melt together: after freeing all, in any order, one span is left', () => {
    const { heap, buffers } = makeHeap();
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
      [2, 0, 3, 1],
    ]) {
      const ranges = [1, 2, 3, 4].map((n) => heap.allocate(n * MiB * 0.2, 'r'));
      for (const index of order) heap.free(ranges[index]);
    }
    // The whole block is one span again: four ranges of 1 MiB fit into it.
    for (let i = 0; i < 4; i++) heap.allocate(MiB, 'r');
    expect(buffers.created).toBe(1);
  });

  test('ten thousand random allocations and frees never overlap and end with nothing live', () => {
    const { heap, buffers, state } = makeHeap();
    let seed = 1;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % n;
    };
    const live: BufferRange[] = [];
    for (let i = 0; i < 10_000; i++) {
      if (live.length > 0 && random(2) === 0) heap.free(live.splice(random(live.length), 1)[0]);
      else live.push(heap.allocate(random(20_000), 'r'));
      if (i % 500 === 0) expectNoOverlap(live);
    }
    for (const range of live) heap.free(range);
    expect([heap.liveBytes, heap.liveRanges]).toEqual([0, 0]);
    expect(heap.blocks).toBe(1);
    expect(buffers.bytes).toBe(4 * MiB);
    expect(state.alive).toBe(1);
  });

  test('a range larger than one binding is a LimitError, and nothing changes', () => {
    const { heap, buffers } = makeHeap();
    expect(() => heap.allocate(2 ** 27 + 4, 'images')).toThrow(LimitError);
    expect(() => heap.allocate(2 ** 27 + 4, 'images')).toThrow(/'images' needs 134217732 bytes/);
    expect([heap.liveBytes, buffers.bytes]).toEqual([0, 0]);
  });

  test('over maxBytes: OutOfMemoryError with both numbers, live bytes as before, a smaller request works', () => {
    const { heap, buffers } = makeHeap({ maxBytes: 6 * MiB });
    heap.allocate(100, 'small');
    const before = buffers.bytes;
    expect(() => heap.allocate(4 * MiB, 'big')).toThrow(OutOfMemoryError);
    expect(() => heap.allocate(4 * MiB, 'big')).toThrow(/4194304 bytes of 'big': 4194304 bytes of 6291456/);
    expect([heap.liveBytes, buffers.bytes]).toEqual([100, before]);
    heap.allocate(2 * MiB, 'fits');
    expect(heap.liveBytes).toBe(100 + 2 * MiB);
  });

  test('the spare empty block makes room before a request is refused', () => {
    const { heap } = makeHeap({ maxBytes: 6 * MiB });
    heap.free(heap.allocate(100, 'small'));
    expect(heap.allocate(6 * MiB, 'all').size).toBe(6 * MiB);
  });

  test('memory that the driver refuses later is reported once and no longer counted', async () => {
    const { heap, buffers, state, reports } = makeHeap();
    state.outOfMemory = true;
    const range = heap.allocate(2 * MiB, 'refused');
    await Promise.resolve();
    await Promise.resolve();
    expect(reports.map((error) => error.code)).toEqual(['OUT_OF_MEMORY']);
    expect([heap.liveBytes, buffers.bytes, state.alive]).toEqual([0, 0, 0]);
    expect(heap.free(range)).toBe(false);
    state.outOfMemory = false;
    expect(heap.allocate(2 * MiB, 'again').size).toBe(2 * MiB);
  });

  test('a driver that throws on createBuffer is an OutOfMemoryError too', () => {
    const { device } = stubDevice();
    device.createBuffer = () => {
      throw new RangeError('no memory');
    };
    const buffers = new Buffers(device, { maxBytes: 2 ** 30, maxBufferSize: 2 ** 30 }, () => {});
    expect(() => buffers.create(1024, 0, 'b')).toThrow(OutOfMemoryError);
    expect(buffers.bytes).toBe(0);
  });
});

describe('the step arena', () => {
  test('grows by replacing its buffer, which counts as a generation', () => {
    const { buffers, state } = makeHeap();
    const arena = new StepArena(buffers);
    const first = arena.reserve(1000);
    expect(arena.reserve(500)).toBe(first);
    const second = arena.reserve(5000);
    expect(second).not.toBe(first);
    expect([arena.generation, arena.size, state.alive]).toEqual([2, 5120, 1]);
    const range = { buffer: first, offset: 0, size: 4 };
    expect([arena.current(range), arena.current({ ...range, buffer: second })]).toEqual([second, second]);
    expect(arena.size % ALIGNMENT).toBe(0);
  });
});

describe('the staging pool', () => {
  test('uses buffers of a size again and does not keep large ones', () => {
    const { buffers } = makeHeap();
    const staging = new Staging(buffers);
    const buffer = staging.take(1000);
    staging.give(buffer);
    expect(staging.take(600)).toBe(buffer);
    staging.give(staging.take(40 * MiB));
    expect(buffers.bytes).toBe(1024);
  });
});

function expectNoOverlap(ranges: BufferRange[]): void {
  const byBuffer = new Map<GPUBuffer, BufferRange[]>();
  for (const range of ranges) byBuffer.set(range.buffer, [...(byBuffer.get(range.buffer) ?? []), range]);
  for (const group of byBuffer.values()) {
    group.sort((a, b) => a.offset - b.offset);
    for (let i = 1; i < group.length; i++) {
      expect(group[i].offset).toBeGreaterThanOrEqual(group[i - 1].offset + group[i - 1].size);
    }
  }
}
