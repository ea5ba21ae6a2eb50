/** Every GPUBuffer of an engine is made and destroyed here, so that the counts and the budget are true. */
import { LimitError, OutOfMemoryError, type WeftError } from '../base/errors.ts';

interface Owned {
  readonly size: number;
  /** Called when the driver reports, later, that there was no memory for the buffer. */
  readonly onFailure: (() => void) | undefined;
}

export class Buffers {
  /** Buffers ever made. */
  created = 0;
  /** Bytes in buffers that exist now, pools included. */
  bytes = 0;
  peakBytes = 0;
  /** What can give buffers back that it only keeps for later: asked when the budget is short. */
  readonly keepers: (() => void)[] = [];
  readonly #device: GPUDevice;
  readonly #maxBytes: number;
  readonly #maxBufferSize: number;
  readonly #report: (error: WeftError) => void;
  readonly #owned = new Map<GPUBuffer, Owned>();

  /** `report` hears of errors that the driver tells only later. */
  constructor(
    device: GPUDevice,
    limits: { maxBytes: number; maxBufferSize: number },
    report: (error: WeftError) => void,
  ) {
    this.#device = device;
    this.#maxBytes = limits.maxBytes;
    this.#maxBufferSize = limits.maxBufferSize;
    this.#report = report;
  }

  /** How many bytes the budget still has. */
  get room(): number {
    return this.#maxBytes - this.bytes;
  }

  get count(): number {
    return this.#owned.size;
  }

  /** Makes a buffer. Throws LimitError (too large for the device) or OutOfMemoryError (over the budget). */
  create(size: number, usage: number, label: string, onFailure?: () => void): GPUBuffer {
    if (size > this.#maxBufferSize) {
      throw new LimitError(
        `allocate: '${label}' needs ${size} bytes, but a buffer of this device holds at most ${this.#maxBufferSize}. ` +
          'Fix: split it, or use smaller batches.',
      );
    }
    if (size > this.room) for (const giveBack of this.keepers) giveBack();
    if (size > this.room) throw this.#outOfMemory(size, label);

    this.#device.pushErrorScope('out-of-memory');
    let buffer: GPUBuffer;
    try {
      buffer = this.#device.createBuffer({ label, size, usage });
    } catch (cause) {
      this.#device.popErrorScope().catch(() => {});
      throw this.#outOfMemory(size, label, cause);
    }
    this.#owned.set(buffer, { size, onFailure });
    this.created++;
    this.bytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);

    this.#device.popErrorScope().then(
      (error) => {
        if (!error) return;
        this.destroy(buffer);
        this.#report(this.#outOfMemory(size, label, error));
        onFailure?.();
      },
      () => {}, // the device was lost, which is told elsewhere
    );
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    const owned = this.#owned.get(buffer);
    if (!owned) return;
    this.#owned.delete(buffer);
    this.bytes -= owned.size;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of [...this.#owned.keys()]) this.destroy(buffer);
  }

  #outOfMemory(size: number, label: string, cause?: unknown): OutOfMemoryError {
    const budget = Number.isFinite(this.#maxBytes) ? ` of ${this.#maxBytes} (maxBytes)` : '';
    return new OutOfMemoryError(
      `allocate: no room for the ${size} bytes of '${label}': ${this.bytes} bytes${budget} are in use. ` +
        'Fix: smaller batches, dispose of tensors that are not needed, or raise maxBytes.',
      { cause },
    );
  }
}
