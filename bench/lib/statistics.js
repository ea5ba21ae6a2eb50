/** The arithmetic of reports: small, pure and tested (test/bench). */

/** Median (of an even count: the mean of the middle two), least and greatest. */
export function spread(values) {
  if (values.length === 0) throw new Error('spread: no values');
  const sorted = [...values].sort((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** How many times slower `theirs` was than `ours`, round by round: what slows a whole round meets both. */
export function ratios(theirs, ours) {
  const count = Math.min(theirs.length, ours.length);
  return spread(Array.from({ length: count }, (_, i) => theirs[i] / ours[i]));
}

/** Least squares y ≈ base + slope · x. */
export function line(points) {
  const n = points.length;
  const mean = (pick) => points.reduce((sum, point) => sum + pick(point), 0) / n;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  const slope = variance === 0 ? 0 : covariance / variance;
  return { base: my - slope * mx, slope };
}

/**
 * Where a cost that grows leaves its floor: the x at which it is twice what it was at the first point, interpolated
 * between the points on both logarithmic scales; null when it never is.
 *
 * points: [x, cost], x rising.
 */
export function knee(points) {
  const target = 2 * points[0][1];
  const above = points.findIndex(([, cost]) => cost >= target);
  if (above < 1) return null;
  const [x0, c0] = points[above - 1];
  const [x1, c1] = points[above];
  const share = Math.log(target / c0) / Math.log(c1 / c0);
  return x0 * (x1 / x0) ** share;
}
