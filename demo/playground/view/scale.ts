/** Axes: round numbers on a line, and where a value lies on it. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** 0 … 1 from low to high. */
  at(value: number): number;
}

/** A linear axis that holds all values, with about `wanted` ticks at 1, 2 or 5 times a power of ten. */
export function linearAxis(from: number, to: number, wanted: number): Axis {
  const span = to - from || Math.abs(to) || 1;
  const step = roundStep(span / Math.max(1, wanted));
  const low = Math.floor(from / step + 1e-9) * step;
  const high = Math.ceil(Math.max(to, from + span) / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => clean(low + i * step));
  return { low, high, ticks, at: (value) => (value - low) / (high - low) };
}

/** The same from exactly `from` to exactly `to`, with ticks inside. */
export function exactAxis(from: number, to: number, wanted: number): Axis {
  const high = to > from ? to : from + 1;
  const inside = linearAxis(from, high, wanted).ticks.filter((tick) => tick >= from && tick <= high);
  return { low: from, high, ticks: inside, at: (value) => (value - from) / (high - from) };
}

/** A logarithmic axis over positive values; ticks at 1, 2 and 5 times powers of ten, fewer where it is long. */
export function logAxis(from: number, to: number): Axis {
  const [low, high] = [roundDown(from), roundUp(Math.max(to, from * 1.01))];
  const decades = Math.log10(high / low);
  const heads = decades > 3 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const head of heads) {
      const tick = clean(head * 10 ** power);
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  const at = (value: number) => Math.log(Math.max(value, low) / low) / Math.log(high / low);
  return { low, high, ticks, at };
}

/** The nearest of 1, 2, 5 times a power of ten, by ratio. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const ratio = wanted / power;
  const head = ratio >= Math.sqrt(50) ? 10 : ratio >= Math.sqrt(10) ? 5 : ratio >= Math.sqrt(2) ? 2 : 1;
  return head * power;
}

const HEADS = [1, 2, 5, 10];

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return clean((HEADS.findLast((head) => head * power <= value * 1.001) ?? 1) * power);
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return clean((HEADS.find((head) => head * power >= value * 0.999) ?? 10) * power);
}

/** 0.30000000000000004 → 0.3 */
const clean = (value: number): number => Number(value.toPrecision(12));
