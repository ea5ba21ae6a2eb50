/** Lines in a frame: a title, a legend, two axes and a grid. */

import { AXIS, GRID, MUTED, PAPER, SERIES } from './palette.ts';
import { axis, extent, linear } from './scale.ts';
import { type Cell, label, textWidth } from './sheet.ts';
import { element, linePath, type Markup, text } from './svg.ts';

export interface Line {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly dashed?: boolean;
  /** Said in the legend after the name. */
  readonly note?: string;
}

export interface PanelOptions {
  readonly title?: string;
  readonly width: number;
  readonly height: number;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Whether x counts something, so that only whole numbers are named. */
  readonly wholeX?: boolean;
}

/** Up to so many points each is marked; beyond, the line alone reads better. */
const MOST_MARKS = 30;
const LEGEND_LINE = 18;

export function panel(lines: readonly Line[], options: PanelOptions): Cell {
  const { title, width, height, xLabel, yLabel, wholeX = false } = options;
  const horizontal = axis(extent(lines.map(({ x }) => x)), { count: 6, whole: wholeX, nice: false });
  const vertical = axis(extent(lines.map(({ y }) => y)));

  const legend = legendRows(lines, width);
  const top = (title === undefined ? 4 : 26) + legend.height;
  const left = 10 + Math.max(...vertical.ticks.map((tick) => textWidth(tick.label, 11))) + (yLabel ? 16 : 0);
  const bottom = height - (xLabel ? 40 : 24);
  const right = width - 10;
  const x = linear(horizontal.domain, [left + 8, right]);
  const y = linear(vertical.domain, [bottom, top]);

  const content: Markup[] = [];
  if (title !== undefined) content.push(label(title, { x: 0, y: 14, 'font-size': 14, 'font-weight': 600 }));
  content.push(
    ...legend.content.map((row) => element('g', { transform: `translate(0 ${top - legend.height})` }, row)),
  );

  for (const { value, label: name } of vertical.ticks) {
    const at = y(value);
    content.push(element('line', { x1: left, x2: right, y1: at, y2: at, stroke: GRID }));
    content.push(label(name, { x: left - 8, y: at + 4, 'text-anchor': 'end', 'font-size': 11, fill: MUTED }));
  }
  for (const { value, label: name } of horizontal.ticks) {
    const at = x(value);
    content.push(element('line', { x1: at, x2: at, y1: bottom, y2: bottom + 4, stroke: AXIS }));
    content.push(
      label(name, { x: at, y: bottom + 18, 'text-anchor': 'middle', 'font-size': 11, fill: MUTED }),
    );
  }
  content.push(element('line', { x1: left, x2: right, y1: bottom, y2: bottom, stroke: AXIS }));
  // Where zero lies inside, it is worth a line of its own.
  for (const [inside, ends] of [
    [vertical.domain, { x1: left, x2: right, y1: y(0), y2: y(0) }],
    [horizontal.domain, { x1: x(0), x2: x(0), y1: top, y2: bottom }],
  ] as const) {
    if (inside[0] < 0 && inside[1] > 0) content.push(element('line', { ...ends, stroke: AXIS }));
  }
  if (xLabel) {
    const middle = (left + right) / 2;
    content.push(label(xLabel, { x: middle, y: height - 4, 'text-anchor': 'middle', fill: MUTED }));
  }
  if (yLabel) {
    const turned = `translate(10 ${(top + bottom) / 2}) rotate(-90)`;
    content.push(label(yLabel, { transform: turned, 'text-anchor': 'middle', fill: MUTED }));
  }
  lines.forEach((line, i) => {
    content.push(...drawLine(line, x, y, colour(i), dash(line, i)));
  });
  return { width, height, content };
}

const colour = (i: number): string => SERIES[i % SERIES.length];
/** Beyond the colours there are, lines are told apart by dashes. */
const dash = (line: Line, i: number): string | undefined =>
  line.dashed ? '6 4' : i >= SERIES.length ? '2 3' : undefined;

function drawLine(
  line: Line,
  x: (value: number) => number,
  y: (value: number) => number,
  stroke: string,
  dashes?: string,
): Markup[] {
  const points = Array.from(line.y, (value, i): [number, number] => [x(line.x[i]), y(value)]);
  const path = element('path', {
    d: linePath(points),
    fill: 'none',
    stroke,
    'stroke-width': 2,
    'stroke-linejoin': 'round',
    'stroke-dasharray': dashes,
  });
  if (points.length > MOST_MARKS) return [path];
  const marks = points
    .filter((point) => point.every(Number.isFinite))
    .map(([cx, cy]) =>
      line.dashed
        ? element('circle', { cx, cy, r: 3, fill: PAPER, stroke, 'stroke-width': 1.5 })
        : element('circle', { cx, cy, r: 3, fill: stroke }),
    );
  return [path, ...marks];
}

/** Names of the lines, side by side as far as there is room; none where there is nothing to tell apart. */
function legendRows(lines: readonly Line[], width: number): { height: number; content: Markup[] } {
  const content: Markup[] = [];
  let at = 0;
  let row = 0;
  lines.forEach((line, i) => {
    if (line.name === '') return;
    const note = line.note ?? '';
    const nameWidth = textWidth(line.name);
    const total = 30 + nameWidth + (note ? 4 + textWidth(note) : 0);
    if (at > 0 && at + total > width) {
      at = 0;
      row++;
    }
    const middle = row * LEGEND_LINE + 6;
    content.push(
      element('line', {
        x1: at,
        x2: at + 22,
        y1: middle,
        y2: middle,
        stroke: colour(i),
        'stroke-width': 2.5,
        'stroke-dasharray': dash(line, i),
      }),
      element(
        'text',
        { x: at + 28, y: middle + 4 },
        element('tspan', {}, text(line.name)),
        ...(note ? [element('tspan', { dx: 2, fill: MUTED }, text(` ${note}`))] : []),
      ),
    );
    at += total + 18;
  });
  return { height: content.length > 0 ? (row + 1) * LEGEND_LINE + 4 : 0, content };
}
