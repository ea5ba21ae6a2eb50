/** A growing curve: points in order of x, thinned when there are more than a screen can show. */

const MOST = 2000;

export class Curve {
  readonly xs: number[] = [];
  readonly ys: number[] = [];
  /** How many of the points given are averaged into one that is kept. */
  private stride = 1;
  private pending: { x: number; y: number; n: number } = { x: 0, y: 0, n: 0 };

  /** The last value given. */
  last: number | null = null;

  add(x: number, y: number): void {
    if (!Number.isFinite(y)) return;
    this.last = y;
    const { pending } = this;
    pending.x = x;
    pending.y += y;
    pending.n += 1;
    if (pending.n < this.stride) return;
    this.xs.push(x);
    this.ys.push(pending.y / pending.n);
    pending.y = 0;
    pending.n = 0;
    if (this.xs.length > MOST) this.thin();
  }

  clear(): void {
    this.xs.length = 0;
    this.ys.length = 0;
    this.stride = 1;
    this.pending = { x: 0, y: 0, n: 0 };
    this.last = null;
  }

  /** The point whose x is nearest, or −1. */
  nearest(x: number): number {
    const { xs } = this;
    if (xs.length === 0) return -1;
    let [low, high] = [0, xs.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle;
      else high = middle;
    }
    return x - xs[low] < xs[high] - x ? low : high;
  }

  /** Each two neighbours become one. */
  private thin(): void {
    const half = this.xs.length >> 1;
    for (let i = 0; i < half; i++) {
      this.xs[i] = this.xs[2 * i + 1];
      this.ys[i] = (this.ys[2 * i] + this.ys[2 * i + 1]) / 2;
    }
    this.xs.length = half;
    this.ys.length = half;
    this.stride *= 2;
  }
}
