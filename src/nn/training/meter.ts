/**
 * Sums over an epoch. The GPU adds up in f32, which is exact enough for a block of steps only; after each
 * block its sums are read and cleared. Blocks are counted in steps and not in time,
 * so that a run adds up to the same bits whenever it is looked at.
 */
import type { Seen } from '../callbacks/callback.ts';

export const BLOCK = 256;

export class Meter {
  /** In the steps so far. */
  samples = 0;
  private totals: Float64Array;
  private open: Float64Array;
  private readonly join: (a: Float64Array, b: Float64Array) => Float64Array;
  /** Readings are taken in the order in which they were asked for. */
  private queue: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** `join`: the sums of two parts as those of both. */
  constructor(sums: number, join: (a: Float64Array, b: Float64Array) => Float64Array) {
    this.join = join;
    this.totals = new Float64Array(sums);
    this.open = new Float64Array(sums);
  }

  /** A new epoch, or one to go on with. */
  restart(seen: Seen | null = null): void {
    const { length } = this.totals;
    this.totals = seen ? Float64Array.from(seen.totals) : new Float64Array(length);
    this.open = seen ? Float64Array.from(seen.open) : new Float64Array(length);
    this.samples = seen?.samples ?? 0;
  }

  /** What another process needs to go on with the epoch. */
  seen(): Seen {
    return { samples: this.samples, totals: [...this.totals], open: [...this.open] };
  }

  /** A reading is under way; `closes` where a block ends with it. */
  take(reading: Promise<ArrayLike<number>>, closes: boolean): Promise<void> {
    this.waiting++;
    const arrive = async (): Promise<void> => {
      try {
        const block = Float64Array.from(await reading);
        if (closes) {
          this.totals = this.join(this.totals, block);
          this.open = new Float64Array(block.length);
        } else this.open = block;
      } finally {
        this.waiting--;
      }
    };
    const mine = this.queue.then(arrive);
    this.queue = mine;
    // Whoever awaits `settled` hears of an error; until then it is not unhandled.
    reading.catch(() => {});
    mine.catch(() => {});
    return mine;
  }

  /** Sums that were read elsewhere. */
  add(sums: ArrayLike<number>): void {
    this.queue = this.queue.then(() => {
      this.totals = this.join(this.totals, Float64Array.from(sums));
    });
    this.queue.catch(() => {});
  }

  get isWaiting(): boolean {
    return this.waiting > 0;
  }

  /** Resolves when every reading has arrived. */
  settled(): Promise<void> {
    return this.queue;
  }

  /** The sums so far. */
  sums(): Float64Array {
    return this.join(this.totals, this.open);
  }
}
