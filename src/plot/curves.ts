import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { positive } from './arrays.ts';
import { panel } from './panel.ts';
import { sheet } from './sheet.ts';

/** A function of x, or its values at `options.x`. */
export type Curve = ((x: number) => number) | ArrayLike<number>;

/** Curves in one frame, by name. */
export interface CurvePanel {
  readonly title?: string;
  readonly curves: Readonly<Record<string, Curve>>;
}

export interface CurveOptions {
  readonly title?: string;
  /** Where the curves are known; 401 places between `from` and `to` unless given. */
  readonly x?: ArrayLike<number>;
  /** Least x; −5 unless given. */
  readonly from?: number;
  /** Greatest x; 5 unless given. */
  readonly to?: number;
  /** Names of curves to draw dashed, so that what they lie on shows through. */
  readonly dashed?: readonly string[];
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Panels in a row; up to 3 unless given. */
  readonly columns?: number;
  /** Width of a panel in pixels; 380 unless given. */
  readonly width?: number;
  /** Height of a panel in pixels; 280 unless given. */
  readonly height?: number;
}

/**
 * Curves of functions, in one frame or in several, as an SVG. NaN interrupts a curve.
 *
 * ```ts
 * plot.curves({ 'tanh x': Math.tanh, derivative: (x) => 1 - Math.tanh(x) ** 2 }, { from: -4, to: 4 });
 * plot.curves([{ title: 'sigmoid', curves: { value, slope } }], { x });   // arrays at the places x
 * ```
 */
export function curves(
  given: Readonly<Record<string, Curve>> | readonly CurvePanel[],
  chosen?: CurveOptions,
): string {
  const options = knownOptions<CurveOptions>('plot.curves', chosen, [
    'title',
    'x',
    'from',
    'to',
    'dashed',
    'xLabel',
    'yLabel',
    'columns',
    'width',
    'height',
  ]);
  const { title, from = -5, to = 5, xLabel = 'x', yLabel, width = 380, height = 280 } = options;
  if (!(Number.isFinite(from) && from < to && Number.isFinite(to))) {
    throw new ValueError(`plot.curves: from ${from} to ${to}, expected two numbers, the lesser first.`);
  }
  const x = options.x ?? Float64Array.from({ length: 401 }, (_, i) => from + ((to - from) * i) / 400);
  const frames: readonly CurvePanel[] = Array.isArray(given)
    ? given
    : [{ curves: given as Readonly<Record<string, Curve>> }];
  if (frames.length === 0) throw new ValueError('plot.curves: there are no curves to show.');
  const cells = frames.map((frame) => {
    const lines = Object.entries(frame.curves).map(([name, curve]) => ({
      name,
      x,
      y: values(name, curve, x),
      dashed: options.dashed?.includes(name),
    }));
    return panel(lines, { title: frame.title, width, height, xLabel, yLabel });
  });
  const names = frames.map((frame) => frame.title ?? Object.keys(frame.curves).join(', '));
  const columns = positive(options.columns ?? 3, 'plot.curves: columns');
  return sheet(cells, { title, description: title ?? `Curves: ${names.join('; ')}`, columns, gap: 28 });
}

function values(name: string, curve: Curve, x: ArrayLike<number>): ArrayLike<number> {
  if (typeof curve === 'function') return Float64Array.from(x, (place) => curve(place));
  if (curve.length === x.length) return curve;
  throw new ShapeError(`plot.curves: '${name}' has ${curve.length} values at ${x.length} places x.`);
}
