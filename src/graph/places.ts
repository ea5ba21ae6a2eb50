/** Where the tensors of a plan lie: in a variable, in data, or in the step arena. */
import type { BufferRange } from '../engine/arena.ts';
import type { Profile } from '../engine/profile.ts';
import type { Tensor } from '../ops/tensor.ts';
import { type Place, placeFor } from './memory.ts';
import { isLeaf } from './order.ts';
import { isSlot } from './slots.ts';

export class Places {
  readonly #limits: Profile['limits'];
  readonly #leafRange: (leaf: Tensor) => BufferRange;
  readonly #of = new Map<Tensor, Place>();
  readonly #fixed = new Map<string, Place>();
  readonly #bufferIds = new Map<GPUBuffer, number>();

  constructor({ limits }: Profile, leafRange: (leaf: Tensor) => BufferRange) {
    this.#limits = limits;
    this.#leafRange = leafRange;
  }

  of(tensor: Tensor): Place {
    const known = this.#of.get(tensor);
    if (known) return known;
    const range = isLeaf(tensor) ? this.#leafRange(tensor) : null;
    // What a slot shares memory with today it need not share it with tomorrow.
    const place =
      range === null || isSlot(tensor) ? placeFor(tensor, this.#limits, range) : this.fixed(range, tensor);
    this.#of.set(tensor, place);
    return place;
  }

  /** Says where a tensor is to lie, unless that is settled. */
  settle(tensor: Tensor, range: BufferRange): void {
    if (!this.#of.has(tensor)) this.#of.set(tensor, this.fixed(range, tensor));
  }

  /** One place for one range, whoever asks: a variable that is read and overwritten is one binding. */
  fixed(range: BufferRange, tensor: Tensor): Place {
    const id = this.#bufferIds.get(range.buffer) ?? this.#bufferIds.size;
    this.#bufferIds.set(range.buffer, id);
    const key = `${id}:${range.offset}`;
    const known = this.#fixed.get(key);
    if (known) return known;
    const place = placeFor(tensor, this.#limits, range);
    this.#fixed.set(key, place);
    return place;
  }

  /** The buffer that a tensor lies in. */
  bufferOf(tensor: Tensor): unknown {
    return this.of(tensor).range?.buffer ?? 'arena';
  }

  /** Those that still have no memory: the step arena's. */
  unsettled(): Place[] {
    return [...new Set(this.#of.values())].filter((place) => place.range === null);
  }
}
