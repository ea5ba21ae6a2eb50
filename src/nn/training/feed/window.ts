/**
 * Batches on their way through the GPU: a ring of slots, one batch in each, for data that do not stay there.
 *
 * The host puts the next batches into memory of its own, used again and again, and hands them over with one write for
 * each column. Writes and steps take their turns in the order of the queue, and a batch goes into the slot that was
 * used longest ago, so nobody waits for anybody: one half of the ring is filled while the other is trained on.
 */
import { serial } from '../../../graph/engines.ts';
import { leafRange, settle } from '../../../graph/runtime.ts';
import { fillSlot, makeSlot } from '../../../graph/slots.ts';
import { iota } from '../../../ops/constant.ts';
import { byteSize, type DType, type TypedArray, typedArray } from '../../../ops/dtype.ts';
import { gather } from '../../../ops/movement.ts';
import { type Shape, sizeOf } from '../../../ops/shape.ts';
import { Tensor, type Variable } from '../../../ops/tensor.ts';
import { BLOCK } from '../meter.ts';
import { type Engine, modulo } from '../steps.ts';
import { copyRows, type Rows } from './host-rows.ts';
import { windowBytes } from './room.ts';

/** One array of each batch. */
export interface Column {
  readonly dtype: DType;
  /** Of a row. */
  readonly rowShape: Shape;
}

interface Lane {
  /** All slots: [slots · slotRows, …]. */
  readonly ring: Tensor;
  /** What steps read for it. */
  slot: Tensor;
  /** Rows of a slot: those of a batch, and a few more where slots would not begin at whole words. */
  readonly slotRows: number;
  /** Numbers of a row and of a slot. */
  readonly rowSize: number;
  readonly slotSize: number;
  /** Half of the ring, on the host. */
  readonly staging: TypedArray;
}

export class Window {
  private readonly engine: Engine;
  private readonly lanes: readonly Lane[];
  /** Batches in the ring. */
  private readonly slots: number;

  /** For batches of `batchSize` rows and passes of `steps` batches, as far as known. Takes no memory on the GPU yet. */
  constructor(columns: readonly Column[], batchSize: number, steps: number, engine: Engine) {
    this.engine = engine;
    const slotRows = columns.map(({ dtype, rowShape }) => wholeRows(dtype, sizeOf(rowShape), batchSize));
    const slotBytes = columns.reduce(
      (sum, { dtype, rowShape }, i) => sum + byteSize(dtype, slotRows[i] * sizeOf(rowShape)),
      0,
    );
    const half = Math.max(1, Math.min(Math.floor(windowBytes(engine) / 2 / slotBytes), BLOCK, steps));
    this.slots = 2 * half;
    this.lanes = columns.map(({ dtype, rowShape }, i) => {
      const rowSize = sizeOf(rowShape);
      const slotSize = slotRows[i] * rowSize;
      const size = half * slotSize;
      const ring = new Tensor([this.slots * slotRows[i], ...rowShape], dtype, null, [], {}, engine);
      return {
        ring,
        slot: makeSlot(ring),
        slotRows: slotRows[i],
        rowSize,
        slotSize,
        staging: typedArray(dtype, new ArrayBuffer(byteSize(dtype, size)), size),
      };
    });
  }

  /** See `Feed.adopt`. */
  adopt(before: Window): void {
    for (const [i, lane] of this.lanes.entries()) lane.slot = before.lanes[i].slot;
  }

  /** What its form depends on beside that of the columns. */
  get key(): string {
    return `${this.slots} slots`;
  }

  /** Takes the memory. Throws OutOfMemoryError or LimitError. */
  allocate(): void {
    for (const { ring, slot } of this.lanes) {
      settle(ring, this.engine, this.engine.allocate(byteSize(ring.dtype, ring.size), 'window'));
      fillSlot(slot, ring);
    }
  }

  /** In a captured step: the `size` rows of a column's batch whose turn it is, counted by `position`. */
  rows(column: number, position: Variable, size: number): Tensor {
    const { slot, slotRows } = this.lanes[column];
    return gather(slot, iota(size).add(modulo(position, this.slots).mul(slotRows)));
  }

  /** How many batches can be handed over together from this step on: half a ring, and not beyond its end. */
  room(step: number): number {
    return Math.min(this.slots / 2, this.slots - (step % this.slots));
  }

  /** Where the host puts a column of batch `index` of those that are handed over next. */
  place(column: number, index: number): TypedArray {
    const { staging, slotSize } = this.lanes[column];
    return staging.subarray(index * slotSize, (index + 1) * slotSize);
  }

  /** Puts rows of the data there. */
  gather(column: number, index: number, data: TypedArray, rows: Rows): void {
    copyRows(data, this.place(column, index), this.lanes[column].rowSize, rows);
  }

  /** Hands over the `count` batches that were put here, for this step and those after it. */
  upload(step: number, count: number): Promise<void> {
    const { engine } = this;
    const slot = step % this.slots;
    return serial(engine, async () => {
      for (const { ring, staging, slotSize } of this.lanes)
        engine.write(
          leafRange(ring, engine),
          staging.subarray(0, count * slotSize),
          byteSize(ring.dtype, slot * slotSize),
        );
    });
  }

  dispose(): void {
    for (const { ring, slot } of this.lanes) {
      fillSlot(slot, null);
      ring.dispose();
    }
  }
}

/** Packed bytes begin at whole words where a slot has so many rows. */
function wholeRows(dtype: DType, rowSize: number, batchSize: number): number {
  let rows = batchSize;
  if (dtype === 'u8') while ((rows * rowSize) % 4 !== 0) rows++;
  return rows;
}
