/**
 * One split of scikit-learn's StratifiedShuffleSplit: each class keeps its share in both parts.
 *
 * Source: sklearn/model_selection/_split.py (`StratifiedShuffleSplit._iter_indices`) and
 * sklearn/utils/extmath.py (`_approximate_mode`).
 */

import { ValueError } from '../base/errors.ts';
import type { Classes } from './labels.ts';
import type { RandomState } from './random-state.ts';

export function stratifiedSplit(
  { places }: Classes,
  trainCount: number,
  testCount: number,
  random: RandomState,
): { train: Uint32Array; test: Uint32Array } {
  const lonely = places.find((group) => group.length < 2);
  if (lonely) {
    throw new ValueError(
      `trainTestSplit: the class of sample ${lonely[0]} has no other sample; stratify needs two of each class.`,
    );
  }
  for (const [name, count] of Object.entries({ training: trainCount, testing: testCount })) {
    if (count < places.length) {
      throw new ValueError(
        `trainTestSplit: ${count} rows for ${name}, but stratify needs one of each of ${places.length} classes.`,
      );
    }
  }
  const sizes = places.map((group) => group.length);
  const trainSizes = allot(sizes, trainCount, random);
  const testSizes = allot(
    sizes.map((size, i) => size - trainSizes[i]),
    testCount,
    random,
  );
  const train: number[] = [];
  const test: number[] = [];
  places.forEach((group, i) => {
    const order = Array.from(random.permutation(group.length), (place) => group[place]);
    const end = trainSizes[i] + testSizes[i];
    for (let k = 0; k < trainSizes[i]; k++) train.push(order[k]);
    for (let k = trainSizes[i]; k < end; k++) test.push(order[k]);
  });
  return {
    train: random.shuffle(Uint32Array.from(train)),
    test: random.shuffle(Uint32Array.from(test)),
  };
}

/** How many of `draws` fall to each class: its share rounded down, and what is left to the largest remainders. */
function allot(sizes: readonly number[], draws: number, random: RandomState): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (size / total) * draws);
  const allotted = exact.map(Math.floor);
  const remainders = exact.map((share, i) => share - allotted[i]);
  let missing = draws - allotted.reduce((sum, size) => sum + size, 0);
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing <= 0) break;
    const equal = remainders.flatMap((remainder, i) => (remainder === value ? [i] : []));
    // Ties are broken at random; NumPy draws a whole permutation even where all of them are taken.
    const drawn = [...random.permutation(equal.length)].slice(0, missing);
    for (const i of drawn) allotted[equal[i]]++;
    missing -= drawn.length;
  }
  return allotted;
}
