/** A picture: a title, and cells in rows on a light sheet. */

import { ValueError } from '../base/errors.ts';
import { FONT, INK, PAPER } from './palette.ts';
import { type Attributes, element, type Markup, text } from './svg.ts';

/** Something drawn from its own (0, 0). */
export interface Cell {
  readonly width: number;
  readonly height: number;
  readonly content: readonly Markup[];
}

export interface SheetOptions {
  /** Words above the picture. */
  readonly title?: string;
  /** What a screen reader says; the title unless given. */
  readonly description?: string;
  /** Cells in a row; all of them unless given. */
  readonly columns?: number;
  /** Room between cells in pixels. */
  readonly gap?: number;
  /** Drawn below all cells. */
  readonly footer?: Cell;
}

const MARGIN = 16;
const TITLE_SIZE = 16;
const TITLE_ROOM = 30;
const FOOTER_GAP = 14;

/** The whole picture as SVG. Rows are as high and columns as wide as their largest cell. */
export function sheet(cells: readonly Cell[], options: SheetOptions): string {
  const { title, description = title, gap = 16, footer } = options;
  for (const { width, height } of cells)
    for (const pixels of [width, height])
      if (!(pixels > 0 && pixels < Infinity))
        throw new ValueError(`plot: a width or height is ${pixels}; expected a positive number of pixels.`);
  const columns = Math.max(1, Math.min(options.columns ?? cells.length, cells.length));
  const rows = Math.ceil(cells.length / columns);
  const top = MARGIN + (title === undefined ? 0 : TITLE_ROOM);
  const widths = sizes(columns, (column) => cells.filter((_, i) => i % columns === column), 'width');
  const heights = sizes(rows, (row) => cells.slice(row * columns, (row + 1) * columns), 'height');
  const total = (lengths: number[]) => lengths.reduce((sum, length) => sum + length + gap, -gap);
  const before = (lengths: number[], count: number) =>
    lengths.slice(0, count).reduce((sum, length) => sum + length + gap, 0);
  const titleWidth = title === undefined ? 0 : textWidth(title, TITLE_SIZE, true);
  const bottom = top + total(heights);
  const width = Math.ceil(2 * MARGIN + Math.max(total(widths), titleWidth, footer?.width ?? 0));
  const height = Math.ceil(bottom + MARGIN + (footer ? FOOTER_GAP + footer.height : 0));
  const placed = (cell: Cell, x: number, y: number) =>
    element('g', { transform: `translate(${x} ${y})` }, ...cell.content);
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': FONT,
      'font-size': 12,
      fill: INK,
    },
    ...(description === undefined ? [] : [element('title', {}, text(description))]),
    element('rect', { width, height, fill: PAPER }),
    ...(title === undefined
      ? []
      : [label(title, { x: MARGIN, y: MARGIN + 14, 'font-size': TITLE_SIZE, 'font-weight': 600 })]),
    ...cells.map((cell, i) =>
      placed(cell, MARGIN + before(widths, i % columns), top + before(heights, Math.floor(i / columns))),
    ),
    ...(footer ? [placed(footer, MARGIN, bottom + FOOTER_GAP)] : []),
  );
}

const sizes = (count: number, of: (i: number) => readonly Cell[], side: 'width' | 'height'): number[] =>
  Array.from({ length: count }, (_, i) => Math.max(...of(i).map((cell) => cell[side])));

/** A line of text. */
export const label = (content: string | number, attributes: Attributes): Markup =>
  element('text', attributes, text(content));

/** Roughly how wide a text is in pixels: what the layout has to go by without a browser. */
export const textWidth = (content: string, size = 12, bold = false): number =>
  [...content].reduce((sum, character) => sum + advance(character), 0) * size * (bold ? 1.1 : 1);

/** Widths in em, on the wide side of what common sans-serif fonts have. */
function advance(character: string): number {
  if (/[ilj.,:;'|!()[\]]/.test(character)) return 0.36;
  if (/[mwMW@%]/.test(character)) return 0.92;
  if (/[A-Z\u0400-\u042f]/.test(character)) return 0.7;
  return character.codePointAt(0)! > 0x2e80 ? 1 : 0.61; // East Asian characters and emoji are square
}
