/** What the colours of a picture mean. */
import { MUTED } from './palette.ts';
import { dataUrl, encodePng } from './png.ts';
import { type Interval, readable } from './scale.ts';
import { type Cell, label, textWidth } from './sheet.ts';
import { element } from './svg.ts';

const WIDTH = 140;

/** The colours of 0 … 1 between the numbers that they stand for, and a note behind them. */
export function colourBar(
  colour: (share: number) => readonly number[],
  [low, high]: Interval,
  note?: string,
): Cell {
  const bytes = new Uint8Array(WIDTH * 3);
  for (let i = 0; i < WIDTH; i++) bytes.set(colour(i / (WIDTH - 1)), i * 3);
  const ends = [readable(low, 2), note ? `${readable(high, 2)}   ${note}` : readable(high, 2)];
  const from = textWidth(ends[0], 11) + 8;
  const content = [
    label(ends[0], { x: 0, y: 9, 'font-size': 11, fill: MUTED }),
    element('image', {
      x: from,
      width: WIDTH,
      height: 10,
      preserveAspectRatio: 'none',
      href: dataUrl(encodePng(bytes, WIDTH, 1, 3)),
    }),
    label(ends[1], { x: from + WIDTH + 6, y: 9, 'font-size': 11, fill: MUTED }),
  ];
  return { width: from + WIDTH + 6 + textWidth(ends[1], 11), height: 10, content };
}
