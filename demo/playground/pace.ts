/** How many steps go into one submit, so that the page can draw its frames in between. */

/** The graphics processor is kept for so long at a time, milliseconds. */
const SUBMIT_MS = 8;
const MOST = 64;

export class Pace {
  private count = 1;
  private perStep: number | null = null;
  private submits = 0;
  private last = 0;

  /** After a pause the first submits measure nothing: two are in flight. */
  restart(): void {
    this.submits = 0;
    this.last = performance.now();
  }

  next(): number {
    return this.count;
  }

  /** `steps` went out and there is room for more. */
  done(steps: number): void {
    const now = performance.now();
    const took = (now - this.last) / steps;
    this.last = now;
    if (++this.submits < 3) return;
    this.perStep = this.perStep === null ? took : 0.8 * this.perStep + 0.2 * took;
    const wanted = Math.floor(SUBMIT_MS / Math.max(this.perStep, 1e-3));
    this.count = Math.max(1, Math.min(wanted, 2 * this.count, MOST));
  }
}
