/** Numbers as people read them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** Shown where a number is not known yet. */
export const NONE = '–';

const known = (value: number | null | undefined): value is number => value != null && Number.isFinite(value);

/** 12,345 */
export const count = (value: number | null | undefined): string =>
  known(value) ? whole.format(value) : NONE;

/** 12.3K */
export const compact = (value: number | null | undefined): string =>
  known(value) ? short.format(value) : NONE;

/** 0.873 → 87.3 % */
export const percent = (value: number | null | undefined, digits = 1): string =>
  known(value) ? `${(100 * value).toFixed(digits)} %` : NONE;

/** Four significant digits, no exponent: 0.3141, 12.35 */
export const decimal = (value: number | null | undefined): string => {
  if (!known(value)) return value == null ? NONE : String(value);
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1);
  return value.toFixed(Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 4);
};

/** A rate a person would type: 0.001, 0.0003, 3 */
export const rate = (value: number): string => String(Number(value.toPrecision(2)));

/** 31.2 MB */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** 1 layer, 2 layers */
export const plural = (number: number, noun: string): string =>
  `${whole.format(number)} ${noun}${number === 1 ? '' : 's'}`;
