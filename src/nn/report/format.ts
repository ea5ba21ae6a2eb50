/** Numbers as Python prints them, since Keras's lines are compared to the character. */

/** x rounded to a whole number, halves to the even neighbour. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * `f'{x:.{digits}f}'`. JavaScript rounds exact halves up, Python to even: 1/32 is 0.0313 here and
 * 0.0312 there. A half at `digits` decimals is an odd multiple of 2^-(digits + 1).
 */
export function fixed(x: number, digits: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const isHalf = Math.abs((x * 2 ** (digits + 1)) % 2) === 1;
  if (!isHalf) return x.toFixed(digits);
  return (roundHalfEven(x * 10 ** digits) / 10 ** digits).toFixed(digits);
}

/** `f'{x:.{digits}e}'`: the exponent has two digits or more. */
export function exponent(x: number, digits: number): string {
  if (!Number.isFinite(x)) return fixed(x, digits);
  return x.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `str(x)` of a float: 1 → '1.0', 0.00001 → '1e-05'. */
export function floatText(x: number): string {
  if (!Number.isFinite(x)) return fixed(x, 0);
  const [digits, power] = x.toExponential().split('e');
  if (Number(power) < -4 || Number(power) >= 16)
    return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  return Number.isInteger(x) ? `${x}.0` : String(x);
}

/** 101770 → '101,770' */
export const thousands = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** Bytes in units of 1024: 407080 → '397.54 KB'. */
export function memorySize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  for (const unit of units) {
    if (size / 1024 < 1) return `${fixed(size, 2)} ${unit}`;
    size /= 1024;
  }
  return `${fixed(size, 2)} PB`;
}
