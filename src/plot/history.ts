import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { positive } from './arrays.ts';
import { type Line, panel } from './panel.ts';
import { readable } from './scale.ts';
import { sheet } from './sheet.ts';

/** What `fit` resolves to, or its `history`: a list of numbers for each key, validation under `val_…`. */
export type HistoryGiven =
  | { readonly history: Readonly<Record<string, readonly number[]>>; readonly epoch?: readonly number[] }
  | Readonly<Record<string, readonly number[]>>;

export interface HistoryOptions {
  readonly title?: string;
  /** Keys to show, in this order and without `val_`; all unless given, the loss first. */
  readonly metrics?: readonly string[];
  /** Panels in a row; unless given up to 3, and 2 when there are 4. */
  readonly columns?: number;
  /** Width of a panel in pixels; 380 unless given. */
  readonly width?: number;
  /** Height of a panel in pixels; 280 unless given. */
  readonly height?: number;
}

/**
 * The course of a training: a panel for each metric over the epochs, validation dashed, as an SVG.
 *
 * The legend has the last values. Epochs count from 1. A value that is not finite interrupts its line.
 * Throws ValueError when a metric has no values.
 *
 * ```ts
 * const history = await model.fit(x, y, { epochs: 10, validationSplit: 0.2 });
 * await writeFile('history.svg', plot.history(history));
 * ```
 */
export function history(given: HistoryGiven, chosen?: HistoryOptions): string {
  const options = knownOptions<HistoryOptions>('plot.history', chosen, [
    'title',
    'metrics',
    'columns',
    'width',
    'height',
  ]);
  const { lists, epochs } = readHistory(given);
  const { title, width = 380, height = 280 } = options;
  const names = options.metrics ?? metricNames(lists);
  if (names.length === 0) throw new ValueError('plot.history: there are no metrics to show.');
  const panels = names.map((name) => {
    const lines = ['', 'val_'].flatMap((prefix): Line[] => {
      const y = Object.hasOwn(lists, prefix + name) ? lists[prefix + name] : undefined;
      if (!y?.length) return [];
      const note = readable(y[y.length - 1]);
      // Metrics of rarer validation (validationFreq) belong to the last epoch of each stretch.
      const every = Math.max(1, Math.floor(epochs.length / y.length));
      const x = y.map((_, i) => (epochs[(i + 1) * every - 1] ?? i) + 1);
      return [{ name: prefix ? 'validation' : 'training', x, y, dashed: prefix !== '', note }];
    });
    if (lines.length === 0) {
      const known = metricNames(lists).join(', ') || 'none';
      throw new ValueError(`plot.history: there are no values of '${name}'; there are ${known}.`);
    }
    return panel(lines, { title: spoken(name), width, height, xLabel: 'epoch', wholeX: true });
  });
  const columns = positive(options.columns ?? (names.length === 4 ? 2 : 3), 'plot.history: columns');
  const description = title ?? `Training history: ${names.map(spoken).join(', ')}`;
  return sheet(panels, { title, description, columns, gap: 28 });
}

function readHistory(given: HistoryGiven) {
  const wrapped = 'history' in given && !Array.isArray(given.history);
  const lists = (wrapped ? given.history : given) as Record<string, readonly number[]>;
  const longest = Math.max(0, ...Object.values(lists).map((values) => values.length));
  const epochs = wrapped && Array.isArray(given.epoch) ? (given.epoch as readonly number[]) : undefined;
  return { lists, epochs: epochs ?? Array.from({ length: longest }, (_, i) => i) };
}

/** The metrics without `val_`, each once, the loss first. */
function metricNames(lists: Readonly<Record<string, readonly number[]>>): string[] {
  const names = new Set(Object.keys(lists).map((key) => key.replace(/^val_/, '')));
  return [...names].sort((a, b) => Number(b === 'loss') - Number(a === 'loss'));
}

const spoken = (name: string): string => name.replaceAll('_', ' ');
