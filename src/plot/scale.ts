/** From numbers to pixels, and the round numbers beside an axis. */

export type Interval = readonly [low: number, high: number];

/** A straight line from an interval of numbers to one of pixels. */
export type Scale = (value: number) => number;

export function linear([low, high]: Interval, [from, to]: Interval): Scale {
  const factor = high === low ? 0 : (to - from) / (high - low);
  return (value) => from + (value - low) * factor;
}

/** The least and the greatest finite number, or undefined when there is none. */
export function extent(lists: Iterable<ArrayLike<number>>): Interval | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      if (!Number.isFinite(list[i])) continue;
      low = Math.min(low, list[i]);
      high = Math.max(high, list[i]);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** An axis: the numbers it spans and those it names. */
export interface Axis {
  readonly domain: Interval;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

export interface AxisOptions {
  /** How many ticks, roughly; 5 unless given. */
  readonly count?: number;
  /** Whether only whole numbers are named. */
  readonly whole?: boolean;
  /** Whether the axis is lengthened to the next ticks; true unless given. */
  readonly nice?: boolean;
}

/** An axis whose ticks are 1, 2 or 5 times a power of ten apart. */
export function axis(span: Interval | undefined, options: AxisOptions = {}): Axis {
  const { count = 5, whole = false, nice = true } = options;
  const [low, high] = widened(span ?? [0, 1]);
  const step = Math.max(whole ? 1 : 0, roundStep((high - low) / count));
  // A hair of tolerance: 0.3 / 0.1 is a little less than 3.
  const first = nice ? Math.floor(low / step + 1e-9) : Math.ceil(low / step - 1e-9);
  const last = nice ? Math.ceil(high / step - 1e-9) : Math.floor(high / step + 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return {
    domain: nice ? [values[0], values[values.length - 1]] : [low, high],
    ticks: values.map((value) => ({ value, label: tickLabel(value, step) })),
  };
}

/** A constant needs some height to be drawn in. */
function widened([low, high]: Interval): Interval {
  if (high > low) return [low, high];
  const room = Math.abs(low) / 10 || 1;
  return [low - room, high + room];
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
}

/** As many decimals as tell neighbouring ticks apart. */
function tickLabel(value: number, step: number): string {
  if (step < 1e-5 || Math.abs(value) >= 1e9) return compact(value, 6);
  return grouped(value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}

/** A number for reading: whole as it is, else with so many decimals, very large and small ones with an exponent. */
export function readable(value: number, decimals = 4): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return minus(String(value));
  if (size !== 0 && (size >= 1e9 || size < 10 ** -decimals)) return compact(value, 3);
  return grouped(Number.isInteger(value) ? String(value) : value.toFixed(size >= 1000 ? 1 : decimals));
}

const compact = (value: number, digits: number): string =>
  value === 0
    ? '0'
    : minus(
        value
          .toExponential(digits - 1)
          .replace(/\.?0+(?=e)/, '')
          .replace('e+', 'e'),
      );

/** 12345.6 → 12,345.6 */
const grouped = (digits: string): string => minus(digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ','));

/** The minus sign is as wide as a digit; a hyphen is not. */
const minus = (digits: string): string => digits.replaceAll('-', '\u2212');
