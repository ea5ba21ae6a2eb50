/** Quantities as people read them. */

/** 0.0312 → '3.1 %', 197 → '197 ×' */
export function share(part: number): string {
  if (part >= 10) return `${figures(part)} ×`;
  return part > 0 && part < 0.001 ? '< 0.1 %' : `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;
}

/** Three figures of an error: 0.0147, 8.42e-6 */
export const small = (x: number): string => (x < 1e-3 ? x.toExponential(2) : x.toPrecision(3));

/** Three figures: 0.29, 3.59, 42.1, 815 */
export const figures = (x: number): string => x.toFixed(x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2);

/** Microseconds in the unit that suits them. */
export const duration = (us: number): string =>
  us < 999.5 ? `${us.toFixed(us < 9.95 ? 1 : 0)} µs` : `${figures(us / 1000)} ms`;

/** 128 MiB */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let at = 0;
  let size = count;
  for (; size >= 1023.5 && at < units.length - 1; at++) size /= 1024;
  return `${Number(size.toFixed(size < 9.95 ? 1 : 0))} ${units[at]}`;
}

/** 501760 → '502 k', to be followed by a unit. */
export function amount(count: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let at = 0;
  let size = count;
  for (; size >= 999.5 && at < units.length - 1; at++) size /= 1000;
  return `${at === 0 ? size : figures(size)} ${units[at]}`;
}
