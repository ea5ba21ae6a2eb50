/**
 * The state of a device: working, lost or closed, and the errors that arrived on their own.
 *
 * A lost device is silent: creating and writing buffers does not throw, `onSubmittedWorkDone`
 * resolves, and a pending `mapAsync` rejects with an empty message. So whoever waits for the GPU waits
 * through {@link Health.untilLost}, and whoever calls it asks {@link Health.check} first.
 */
import { DeviceLostError, DisposedError, GpuError, WeftError } from '../base/errors.ts';
import type { OpenDevice } from './gpu.ts';

export class Health {
  /** Why the device cannot be used any more, or null. */
  lost: WeftError | null = null;
  #closing = false;
  /** An error that no call could report; the next check does. */
  #pending: WeftError | undefined;
  readonly #listener = (event: Event): void => {
    event.preventDefault();
    const { message } = (event as GPUUncapturedErrorEvent).error;
    this.report(new GpuError(`the device reported an error: ${message}`));
  };
  readonly #waiting = new Set<(error: WeftError) => void>();
  readonly #onWait: OpenDevice['onWait'];

  constructor(device: GPUDevice, onWait?: OpenDevice['onWait']) {
    this.#onWait = onWait;
    device.lost.then(({ reason, message }) => {
      if (this.#closing) return;
      this.lost = new DeviceLostError(
        `the GPU device was lost (${reason || 'unknown'}): ${message || 'no message'}. ` +
          'Fix: make a new engine with init() and load the last checkpoint.',
      );
      this.#release(this.lost);
    });
    device.addEventListener('uncapturederror', this.#listener);
  }

  /** Keeps the first error that has nowhere to go until the next {@link check}. */
  report(error: WeftError): void {
    this.#pending ??= error;
  }

  /** Throws when `operation` must not run: closed, lost, or an error is waiting to be told. */
  check(operation: string): void {
    const error = this.lost ?? this.#pending;
    if (!error) return;
    if (error === this.#pending) this.#pending = undefined;
    throw prefixed(error, operation);
  }

  /** Settles as `promise` does, or rejects as soon as the device is lost. */
  async untilLost<T>(promise: Promise<T>, operation: string): Promise<T> {
    let leave!: () => void;
    this.#onWait?.(promise);
    try {
      const result = await new Promise<T>((resolve, reject) => {
        this.#waiting.add(reject);
        leave = () => this.#waiting.delete(reject);
        // WebGPU's own rejection may come a moment before the loss that caused it, with an empty message.
        promise.then(resolve, (error) => {
          if (error instanceof WeftError) reject(error);
          else setTimeout(reject, this.lost ? 0 : 500, error);
        });
      });
      this.check(operation);
      return result;
    } catch (error) {
      if (this.lost) throw prefixed(this.lost, operation);
      throw error;
    } finally {
      leave();
    }
  }

  /** From here on every call throws DisposedError. */
  close(device: GPUDevice): void {
    this.#closing = true;
    // Dawn's hold on a listener is out of the garbage collector's sight: left there, it would keep the
    // engine for ever, through the stack of the error below.
    device.removeEventListener('uncapturederror', this.#listener);
    this.lost ??= new DisposedError('this engine is closed. Fix: make a new one with init().');
    this.#release(this.lost);
  }

  #release(error: WeftError): void {
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}

/** The same error, told by the operation that met it, with a stack that leads there. */
function prefixed(error: WeftError, operation: string): WeftError {
  const Class = error.constructor as new (message: string, options?: ErrorOptions) => WeftError;
  return new Class(`${operation}: ${error.message}`, { cause: error });
}
