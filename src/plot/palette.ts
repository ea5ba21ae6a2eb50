/** Colours and type. Lines differ for every kind of colour vision and in print; grounds are light. */

/** Okabe and Ito's palette ("Color Universal Design", 2008), the strongest first, without its yellow. */
export const SERIES: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#000000',
];

export const INK = '#1f2933';
export const MUTED = '#5f6b7a';
export const GRID = '#e4e7eb';
export const AXIS = '#9aa5b1';
export const PALE = '#c3ccd6';
export const PAPER = '#ffffff';

export const FONT =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

type Rgb = readonly [red: number, green: number, blue: number];

/** 0 … 1 → paper to deep blue (ColorBrewer's Blues). */
export const sequential = (share: number): Rgb => between(BLUES, share);

/** −1 … 1 → red, white at 0, blue (ColorBrewer's RdBu, which red-green blindness leaves apart). */
export const diverging = (value: number): Rgb => between(RED_BLUE, (value + 1) / 2);

/** 0 … 1 → pale yellow to deep red (ColorBrewer's YlOrRd). */
export const heat = (share: number): Rgb => between(YELLOW_RED, share);

export const hex = (rgb: Rgb): string =>
  `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** Whether dark text on this ground reads worse than white (luminance after ITU-R BT.709). */
export const isDark = ([red, green, blue]: Rgb): boolean =>
  0.2126 * red + 0.7152 * green + 0.0722 * blue < 140;

const stops = (...colours: number[]): Rgb[] =>
  colours.map((colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]);

const BLUES = stops(0xf7fbff, 0xdeebf7, 0xc6dbef, 0x9ecae1, 0x6baed6, 0x4292c6, 0x2171b5, 0x08519c, 0x08306b);
const YELLOW_RED = stops(0xffffb2, 0xfecc5c, 0xfd8d3c, 0xf03b20, 0xbd0026);
const RED_BLUE = stops(
  0x67001f,
  0xb2182b,
  0xd6604d,
  0xf4a582,
  0xfddbc7,
  0xf7f7f7,
  0xd1e5f0,
  0x92c5de,
  0x4393c3,
  0x2166ac,
  0x053061,
);

/** The colour at 0 … 1 between equally spaced stops; what is no number gets the middle one. */
function between(colours: readonly Rgb[], share: number): Rgb {
  const last = colours.length - 1;
  const at = Number.isNaN(share) ? last / 2 : Math.min(1, Math.max(0, share)) * last;
  const from = Math.min(last - 1, Math.floor(at));
  const [low, high] = [colours[from], colours[from + 1]];
  const mix = (part: 0 | 1 | 2) => low[part] + (high[part] - low[part]) * (at - from);
  return [mix(0), mix(1), mix(2)];
}
