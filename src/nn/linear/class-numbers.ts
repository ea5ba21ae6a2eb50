/** Labels of any kind as numbers of classes. */
import { ValueError } from '../../base/errors.ts';
import { groupByLabel, type Labels } from '../../data/labels.ts';

export type Label = number | string | boolean;

/** Labels as a list. */
export const flatLabels = (y: Labels): ArrayLike<Label> => ('shape' in y ? y.data : y);

/** The classes in order, and the place of each sample's class among them. */
export function classNumbers(y: Labels): { classes: Label[]; numbers: Uint32Array } {
  const labels = flatLabels(y);
  const { count, places } = groupByLabel(y, 'sorted', 'sgdClassifier');
  const numbers = new Uint32Array(count);
  places.forEach((group, number) => {
    for (const place of group) numbers[place] = number;
  });
  return { classes: places.map(([place]) => labels[place]), numbers };
}

/** The classes of some rows; ValueError when there are fewer than two. */
export function presentClasses(numbers: Uint32Array, rows: ArrayLike<number>, classes: number): number[] {
  const present = new Uint8Array(classes);
  for (let i = 0; i < rows.length; i++) present[numbers[rows[i]]] = 1;
  const known = [...present.keys()].filter((number) => present[number]);
  if (known.length >= 2) return known;
  throw new ValueError(`sgdClassifier: y has ${known.length} class, expected two or more to tell apart.`);
}
