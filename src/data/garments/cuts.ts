/** The five tops as rows of one table; tops.ts cuts and sews them. */

export type Range = readonly [low: number, high: number];

/**
 * What sets the five apart. Lengths are pixels from the middle line (x) or from the top of the picture (y);
 * plain numbers are probabilities.
 */
export interface Cut {
  readonly shoulder: Range;
  readonly chest: Range;
  /** Width of the waist and of the hem, as a share of the chest's. */
  readonly waist: Range;
  readonly hem: Range;
  readonly waistline: Range;
  readonly bottom: Range;
  readonly longSleeves: number;
  readonly shortSleeves: number;
  readonly sleeveWidth: Range;
  readonly neckWidth: Range;
  readonly neckDepth: Range;
  readonly vNeck: number;
  readonly collar: number;
  readonly buttons: number;
  readonly opening: number;
  readonly ribs: number;
  readonly pockets: number;
  readonly print: number;
}

export const TSHIRT: Cut = {
  shoulder: [5.6, 8],
  chest: [5.4, 7.8],
  waist: [0.88, 1],
  hem: [0.9, 1.12],
  waistline: [14, 18],
  bottom: [23.5, 27.4],
  longSleeves: 0.04,
  shortSleeves: 0.87,
  sleeveWidth: [3.4, 5],
  neckWidth: [2.4, 4.2],
  neckDepth: [1.2, 4.2],
  vNeck: 0.22,
  collar: 0.06,
  buttons: 0.05,
  opening: 0.01,
  ribs: 0.1,
  pockets: 0.06,
  print: 0.32,
};

export const PULLOVER: Cut = {
  shoulder: [5.8, 7.8],
  chest: [5.6, 7.8],
  waist: [0.88, 1.02],
  hem: [0.86, 1.04],
  waistline: [14, 18],
  bottom: [23, 27],
  longSleeves: 0.97,
  shortSleeves: 0.02,
  sleeveWidth: [2.9, 4.2],
  neckWidth: [2.2, 3.8],
  neckDepth: [0.8, 3],
  vNeck: 0.2,
  collar: 0.1,
  buttons: 0.04,
  opening: 0.03,
  ribs: 0.6,
  pockets: 0.1,
  print: 0.18,
};

export const COAT: Cut = {
  shoulder: [5.8, 7.8],
  chest: [5.6, 8],
  waist: [0.86, 1.02],
  hem: [0.94, 1.14],
  waistline: [13, 17],
  bottom: [24.6, 27.8],
  longSleeves: 0.985,
  shortSleeves: 0.01,
  sleeveWidth: [3, 4.4],
  neckWidth: [2, 3.4],
  neckDepth: [1, 4.6],
  vNeck: 0.62,
  collar: 0.45,
  buttons: 0.22,
  opening: 0.9,
  ribs: 0.08,
  pockets: 0.5,
  print: 0.01,
};

export const SHIRT: Cut = {
  shoulder: [5.6, 7.8],
  chest: [5.4, 7.8],
  waist: [0.85, 1.02],
  hem: [0.9, 1.1],
  waistline: [14, 18],
  bottom: [22.8, 27],
  longSleeves: 0.58,
  shortSleeves: 0.35,
  sleeveWidth: [2.6, 3.8],
  neckWidth: [2, 3.6],
  neckDepth: [1, 4.2],
  vNeck: 0.5,
  collar: 0.86,
  buttons: 0.82,
  opening: 0.06,
  ribs: 0.06,
  pockets: 0.22,
  print: 0.1,
};

export const DRESS: Cut = {
  shoulder: [3.6, 6.6],
  chest: [3.4, 6.2],
  waist: [0.68, 0.96],
  hem: [0.85, 1.7],
  waistline: [10, 14],
  bottom: [25.6, 27.6],
  longSleeves: 0.2,
  shortSleeves: 0.26,
  sleeveWidth: [2, 3.2],
  neckWidth: [1.8, 3.4],
  neckDepth: [1, 4],
  vNeck: 0.4,
  collar: 0.06,
  buttons: 0.06,
  opening: 0.04,
  ribs: 0.04,
  pockets: 0.03,
  print: 0.05,
};
