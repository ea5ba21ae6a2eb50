/** Which words can be read on which ground: WCAG 2.2's relative luminance. */

type Rgb = readonly [red: number, green: number, blue: number];

/** 0 black, 1 white; channels from 0 to 255. */
export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Whether white reads better than black. One of the two has at least 4.58 : 1 on any ground. */
export const isDark = (ground: Rgb): boolean =>
  1.05 / (luminance(ground) + 0.05) > (luminance(ground) + 0.05) / 0.05;

/** A colour on the way between two. */
export const between = (from: Rgb, to: Rgb, share: number): Rgb => {
  const part = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * share);
  return [part(0), part(1), part(2)];
};
