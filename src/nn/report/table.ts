/**
 * A table with box-drawing lines, as Python's `rich` draws those of Keras: cells wrap at spaces, longer
 * words end in an ellipsis, and what does not fit the width is taken from all columns alike.
 */
import { roundHalfEven } from './format.ts';

/** A piece of text with one style: the parameters of an ANSI escape ('38;5;34'), or none. */
export interface Span {
  readonly text: string;
  readonly style?: string;
}

export type Cell = readonly Span[];
export type Alignment = 'left' | 'right' | 'center';

export interface Column {
  readonly title: string;
  readonly alignment: Alignment;
  /** Characters of text; the space on either side comes on top. */
  readonly width: number;
}

export const BOLD = '1';

/** Text with its style, or without where there is no colour. */
export const styled = ({ text, style }: Span, color: boolean): string =>
  color && style && text ? `\x1b[${style}m${text}\x1b[0m` : text;

/** East Asian wide and fullwidth characters and emoji take two places (Unicode TR 11). */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
/** Marks that sit on the character before them. */
const COMBINING = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;

/** A span of one character. */
type Glyph = Span;

const glyphsOf = (cell: Cell): Glyph[] =>
  cell.flatMap(({ text, style }) => [...text].map((one) => ({ text: one, style })));

const widthOf = (glyphs: readonly Glyph[]): number =>
  glyphs.reduce((sum, { text }) => sum + (COMBINING.test(text) ? 0 : WIDE.test(text) ? 2 : 1), 0);

const blank = (count: number): Glyph[] => glyphsOf([{ text: ' '.repeat(Math.max(count, 0)) }]);

const isSpace = ({ text }: Glyph): boolean => /\s/.test(text);

const trimEnd = (line: readonly Glyph[]): readonly Glyph[] =>
  line.slice(0, line.findLastIndex((glyph) => !isSpace(glyph)) + 1);

/** A line cut where it exceeds the width, with an ellipsis. */
function truncate(line: readonly Glyph[], width: number): readonly Glyph[] {
  if (widthOf(line) <= width) return line;
  const kept = [...line];
  while (kept.length > 0 && widthOf(kept) >= width) kept.pop();
  return [...kept, ...blank(width - 1 - widthOf(kept)), { text: '…', style: kept.at(-1)?.style }];
}

/** Splits before the words that do not fit what is left of their line. */
function wrap(glyphs: readonly Glyph[], width: number): (readonly Glyph[])[] {
  const words: Glyph[][] = [[]];
  for (const glyph of glyphs) {
    const word = words[words.length - 1];
    const begins = word.some((one) => !isSpace(one)) && isSpace(word[word.length - 1]) && !isSpace(glyph);
    if (begins) words.push([glyph]);
    else word.push(glyph);
  }
  const lines: Glyph[][] = [[]];
  for (const word of words) {
    const line = lines[lines.length - 1];
    if (line.length > 0 && widthOf([...line, ...trimEnd(word)]) > width) lines.push(word);
    else line.push(...word);
  }
  return lines;
}

function align(line: readonly Glyph[], width: number, alignment: Alignment): readonly Glyph[] {
  const text = truncate(alignment === 'left' && widthOf(line) <= width ? line : trimEnd(line), width);
  const room = width - widthOf(text);
  const before = alignment === 'right' ? room : alignment === 'center' ? Math.floor(room / 2) : 0;
  return [...blank(before), ...text, ...blank(room - before)];
}

/** Neighbours of one style as one span, so that escapes are few. */
function render(line: readonly Glyph[], color: boolean): string {
  const spans: Span[] = [];
  for (const { text, style } of line) {
    const before = spans.at(-1)?.style === style ? spans.pop() : null;
    spans.push({ text: (before?.text ?? '') + text, style });
  }
  return spans.map((span) => styled(span, color)).join('');
}

/** Column widths, with padding, for a table of `lineLength` characters: the excess is taken evenly. */
export function fitWidths(columns: readonly Column[], lineLength: number): number[] {
  const padded = columns.map(({ width }) => width + 2);
  let excess = padded.reduce((sum, width) => sum + width, 0) - (lineLength - columns.length - 1);
  if (excess <= 0) return padded;
  return padded.map((width, i) => {
    const share = Math.min(width, roundHalfEven(excess / (padded.length - i)));
    excess -= share;
    return width - share;
  });
}

/** The lines of a table. Header cells are bold and stand at the bottom of their row. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  lineLength: number,
  color = false,
): string[] {
  const widths = fitWidths(columns, lineLength);
  const rule = (left: string, dash: string, middle: string, right: string): string =>
    left + widths.map((width) => dash.repeat(width)).join(middle) + right;
  const linesOf = (cell: Cell, i: number): (readonly Glyph[])[] =>
    wrap(glyphsOf(cell), widths[i] - 2).map((line) => align(line, widths[i] - 2, columns[i].alignment));
  const draw = (cells: readonly Cell[], header: boolean): string[] => {
    const texts = cells.map(linesOf);
    const height = Math.max(...texts.map((lines) => lines.length));
    const bar = header ? '┃' : '│';
    return Array.from({ length: height }, (_, row) => {
      const parts = texts.map((lines, i) => {
        const line = lines[header ? row - (height - lines.length) : row];
        const text = line ? render(line, color && !header) : ' '.repeat(widths[i] - 2);
        const [edge, inner] = header
          ? [' ', text].map((part) => styled({ text: part, style: BOLD }, color))
          : [' ', text];
        return edge + inner + edge;
      });
      return bar + parts.join(bar) + bar;
    });
  };
  return [
    rule('┏', '━', '┳', '┓'),
    ...draw(
      columns.map(({ title }) => [{ text: title }]),
      true,
    ),
    rule('┡', '━', '╇', '┩'),
    ...rows.flatMap((cells, i) => [...(i > 0 ? [rule('├', '─', '┼', '┤')] : []), ...draw(cells, false)]),
    rule('└', '─', '┴', '┘'),
  ];
}
