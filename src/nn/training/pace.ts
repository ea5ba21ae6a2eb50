/**
 * How many steps go into one submit.
 *
 * Too few, and submitting costs more than computing; too many, and nothing is heard in between: no abort,
 * no frame of a page. The time of a step is measured as training goes on.
 */
import { isNode } from '../../base/platform.ts';

/** Where nobody looks on, in Node and in a hidden page, a submit may keep the GPU busy for so long, milliseconds. */
const ALONE_MS = 40;
/** Beside a page that somebody looks at, so that frames keep coming. */
const PAGE_MS = 8;
/** Alone, so many steps go together even where they take longer, as long as they stay below the next limit. */
const ALONE_LEAST = 12;
const ALONE_MOST_MS = 750;

/**
 * Whether frames may be waiting for the GPU: in a page unless it is hidden, and in a worker, which cannot know what
 * its page does.
 */
function isBesidePage(): boolean {
  const { document } = globalThis as { document?: { visibilityState?: string } };
  return !isNode && document?.visibilityState !== 'hidden';
}

export class Pace {
  private readonly submitMs: number | null;
  private readonly now: () => number;
  private count = 1;
  /** Milliseconds a step, or null before the second submit: the first one pays for warming up. */
  private perStep: number | null = null;
  private submits = 0;
  private last = 0;

  /** `submitMs`: how long a submit may keep the GPU busy, where the user said it. */
  constructor(submitMs?: number, now: () => number = () => performance.now()) {
    this.submitMs = submitMs ?? null;
    this.now = now;
  }

  /** The number of steps for the next submit, `most` at most. */
  next(most: number): number {
    if (this.submits === 0) this.last = this.now();
    return Math.max(1, Math.min(this.count, most));
  }

  /** `steps` were submitted and there is room for more: time since the last call is the time they take. */
  done(steps: number): void {
    const now = this.now();
    const took = (now - this.last) / steps;
    this.last = now;
    this.submits++;
    // With two submits in flight, the first waits measure nothing yet.
    if (this.submits < 3) return;
    this.perStep = this.perStep === null ? took : 0.5 * this.perStep + 0.5 * took;
    this.count = Math.max(1, Math.min(this.wanted(), 2 * this.count));
  }

  /** Time goes on without steps, as during validation. */
  pause(): void {
    this.last = this.now();
  }

  private wanted(): number {
    const perStep = Math.max(this.perStep!, 1e-3);
    const most = this.submitMs ?? (isBesidePage() ? PAGE_MS : null);
    if (most !== null) return Math.floor(most / perStep);
    return Math.floor(Math.max(ALONE_MS / perStep, Math.min(ALONE_LEAST, ALONE_MOST_MS / perStep)));
  }
}

/** A few submits under way at most, so that a signal, timers and the loss of the device are heard. */
export class Flight {
  private readonly under: Promise<void>[] = [];

  /** `done` settles when the submit is done. Resolves when another may follow. */
  async follow(done: Promise<void>): Promise<void> {
    done.catch(() => {});
    this.under.push(done);
    if (this.under.length > MOST_UNDER_WAY) await this.under.shift();
  }
}

const MOST_UNDER_WAY = 2;
