/**
 * How many steps go into one submit.
 *
 * Too few, and submitting costs more than computing; too many, and nothing is heard in between: no abort,
 * no frame of a page. The time of a step is measured as training goes on.
 */
import { isNode } from '../../base/platform.ts';

/** In Node a submit may keep the GPU busy for so long, milliseconds. */
const NODE_MS = 40;
/** In a visible page, so that frames keep coming. */
const PAGE_MS = 8;
/** In Node, so many steps go together even where they take longer, as long as they stay below the next limit. */
const NODE_LEAST = 12;
const NODE_MOST_MS = 750;

const isVisiblePage = (): boolean =>
  !isNode &&
  (globalThis as { document?: { visibilityState?: string } }).document?.visibilityState === 'visible';

export class Pace {
  private readonly now: () => number;
  private count = 1;
  /** Milliseconds a step, or null before the second submit: the first one pays for warming up. */
  private perStep: number | null = null;
  private submits = 0;
  private last = 0;

  constructor(now: () => number = () => performance.now()) {
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
    if (isVisiblePage()) return Math.floor(PAGE_MS / perStep);
    return Math.floor(Math.max(NODE_MS / perStep, Math.min(NODE_LEAST, NODE_MOST_MS / perStep)));
  }
}
