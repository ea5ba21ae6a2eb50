import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { readNumbers } from './arrays.ts';
import { AXIS, GRID, INK, MUTED, PALE, SERIES } from './palette.ts';
import { axis, extent, linear, readable } from './scale.ts';
import { label, sheet, textWidth } from './sheet.ts';
import { element, type Markup } from './svg.ts';

export interface BarOptions {
  readonly title?: string;
  /** A name for each bar; 0, 1, 2, … unless given. */
  readonly labels?: readonly (string | number)[];
  /** The bar that is coloured, such as the true class; the longest unless given, none when null. */
  readonly highlight?: number | null;
  /** Width in pixels; 440 unless given. */
  readonly width?: number;
  /** How a value is written beside its bar; percentages where all lie between 0 and 1 unless given. */
  readonly format?: (value: number) => string;
}

const ROW = 26;

/**
 * Bars with their values, one for each number, as an SVG: probabilities of a prediction, counts of classes.
 *
 * values: [n], n ≥ 1. Numbers between 0 and 1 are shown on a scale from 0 to 100 %.
 *
 * ```ts
 * const [probabilities] = await (await model.predict(image)).array();
 * plot.bars(probabilities, { labels: classNames, title: 'What is it?' });
 * ```
 */
export function bars(values: ArrayLike<number>, chosen?: BarOptions): string {
  const options = knownOptions<BarOptions>('plot.bars', chosen, [
    'title',
    'labels',
    'highlight',
    'width',
    'format',
  ]);
  const { data } = readNumbers(values, 'plot.bars');
  const count = data.length;
  if (count === 0) throw new ValueError('plot.bars: there are no values to show.');
  const names = Array.from(options.labels ?? Array(count).keys(), String);
  if (names.length !== count) throw new ShapeError(`plot.bars: ${names.length} labels for ${count} values.`);
  const span = extent([data]) ?? [0, 1];
  const shares = span[0] >= 0 && span[1] <= 1.000001;
  const { title, width = 440, highlight = longest(data) } = options;
  const format = options.format ?? (shares ? percent : (value: number) => readable(value, 2));

  const { domain, ticks } = axis(shares ? [0, 1] : [Math.min(0, span[0]), Math.max(0, span[1])], {
    count: 4,
  });
  const left = 10 + Math.max(...names.map((name) => textWidth(name)));
  const written = Array.from(data, format);
  const right = width - 6 - Math.max(...written.map((words) => textWidth(words)));
  const bottom = count * ROW;
  const x = linear(domain, [left, Math.max(left + 40, right)]);

  const content: Markup[] = [];
  for (const { value, label: name } of ticks) {
    const at = x(value);
    content.push(element('line', { x1: at, x2: at, y1: 0, y2: bottom, stroke: value === 0 ? AXIS : GRID }));
    const words = shares ? `${Math.round(value * 100)} %` : name;
    content.push(
      label(words, { x: at, y: bottom + 18, 'text-anchor': 'middle', 'font-size': 11, fill: MUTED }),
    );
  }
  names.forEach((name, i) => {
    const chosen = i === highlight;
    const middle = (i + 0.5) * ROW;
    const [from, to] = [x(0), x(Number.isFinite(data[i]) ? data[i] : 0)].sort((a, b) => a - b);
    const fill = highlight === null ? SERIES[0] : chosen ? SERIES[0] : PALE;
    const weight = chosen ? 600 : undefined;
    content.push(
      label(name, { x: left - 8, y: middle + 4, 'text-anchor': 'end', 'font-weight': weight }),
      element('rect', { x: from, y: middle - 9, width: Math.max(to - from, 0.5), height: 18, fill }),
      label(written[i], { x: to + 6, y: middle + 4, fill: chosen ? INK : MUTED, 'font-weight': weight }),
    );
  });
  const description = title ?? `Bars: ${names.map((name, i) => `${name} ${written[i]}`).join(', ')}`;
  return sheet([{ width, height: bottom + 22, content }], { title, description });
}

const longest = (data: ArrayLike<number>): number =>
  Array.from(data).reduce((best, value, i) => (value > data[best] ? i : best), 0);

function percent(share: number): string {
  const hundredths = share * 100;
  if (share === 0) return '0 %';
  if (hundredths > 0 && hundredths < 0.1) return '< 0.1 %';
  return `${hundredths.toFixed(hundredths > 99.9 && hundredths < 100 ? 2 : 1)} %`;
}
