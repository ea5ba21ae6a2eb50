import { ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { readNumbers } from './arrays.ts';
import { hex, INK, isDark, MUTED, PAPER, sequential } from './palette.ts';
import { label, sheet, textWidth } from './sheet.ts';
import { element, type Markup } from './svg.ts';

export interface ConfusionOptions {
  readonly title?: string;
  /** A name for each class; 0, 1, 2, … unless given. */
  readonly labels?: readonly (string | number)[];
  /** Whether percentages of each row are written instead of counts; false unless given. */
  readonly normalize?: boolean;
  /** Side of a cell in pixels; 44 unless given. */
  readonly cellSize?: number;
}

/**
 * A confusion matrix as an SVG: true classes down, predicted ones across, each number on a ground as dark as
 * the root of its share of its row: the root, because what one looks for is the rare mistakes.
 *
 * matrix: [C, C] counts, nested or `{ data, shape }`. Throws ShapeError when it is not square.
 *
 * ```ts
 * plot.confusion(matrix, { labels: classNames, title: 'Test images' });
 * ```
 */
export function confusion(
  matrix: readonly ArrayLike<number>[] | { data: ArrayLike<number>; shape: readonly number[] },
  chosen?: ConfusionOptions,
): string {
  const options = knownOptions<ConfusionOptions>('plot.confusion', chosen, [
    'title',
    'labels',
    'normalize',
    'cellSize',
  ]);
  const { data, shape } = readNumbers(matrix, 'plot.confusion');
  const [classes] = shape;
  if (shape.length !== 2 || shape[1] !== classes || classes === 0) {
    throw new ShapeError(`plot.confusion: the matrix has shape [${shape}], expected [C, C].`);
  }
  const names = Array.from(options.labels ?? Array(classes).keys(), String);
  if (names.length !== classes) {
    throw new ShapeError(`plot.confusion: ${names.length} labels for ${classes} classes.`);
  }
  const { title, normalize = false, cellSize: side = 44 } = options;
  if (!(side > 0)) throw new ValueError(`plot.confusion: cellSize is ${side}, expected a positive number.`);
  const longest = Math.max(...names.map((name) => textWidth(name)));
  const left = 24 + longest + 8;
  // Names that are wider than a cell lean; what they need above is their length at 45°.
  const leaning = longest > side - 4;
  const top = 24 + (leaning ? longest * Math.SQRT1_2 + 10 : 20);
  const size = classes * side;

  const content: Markup[] = [
    label('predicted', { x: left + size / 2, y: 12, 'text-anchor': 'middle', fill: MUTED }),
    label('true', {
      transform: `translate(12 ${top + size / 2}) rotate(-90)`,
      'text-anchor': 'middle',
      fill: MUTED,
    }),
  ];
  names.forEach((name, i) => {
    const middle = (i + 0.5) * side;
    const over = leaning
      ? { transform: `translate(${left + middle - 4} ${top - 6}) rotate(-45)` }
      : { x: left + middle, y: top - 8, 'text-anchor': 'middle' };
    content.push(label(name, over), label(name, { x: left - 8, y: top + middle + 4, 'text-anchor': 'end' }));
  });
  for (let row = 0; row < classes; row++) {
    const counts = Array.from({ length: classes }, (_, column) => data[row * classes + column]);
    const total = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      const share = total > 0 ? count / total : 0;
      const ground = sequential(Math.sqrt(share));
      const x = left + column * side;
      const y = top + row * side;
      const fill = isDark(ground) ? PAPER : count === 0 ? MUTED : INK;
      const words = normalize ? (share * 100).toFixed(1) : String(count);
      content.push(
        element('rect', { x, y, width: side - 1, height: side - 1, fill: hex(ground) }),
        label(words, {
          x: x + (side - 1) / 2,
          y: y + side / 2 + 4,
          'text-anchor': 'middle',
          'font-size': Math.min(12, (12 * (side - 6)) / textWidth(words)),
          'font-weight': row === column ? 600 : undefined,
          fill,
        }),
      );
    });
  }
  const width = left + size + (leaning ? longest * Math.SQRT1_2 - side / 2 : 0);
  const description = title ?? `Confusion matrix of ${classes} classes`;
  return sheet([{ width: Math.max(width, left + size), height: top + size, content }], {
    title,
    description,
  });
}
