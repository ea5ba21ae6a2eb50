/** Test cases that several ops share. */
import type { Case } from './define.ts';

/** Equal shapes, a row, a column, a scalar, both sides broadcast, ranks that differ, nothing. */
export const broadcastCases: Case[] = [
  { shapes: [[5], [5]] },
  { shapes: [[4, 7], [7]] },
  {
    shapes: [
      [4, 7],
      [4, 1],
    ],
  },
  { shapes: [[], [3, 2]] },
  {
    shapes: [
      [3, 1, 5],
      [4, 1],
    ],
  },
  {
    shapes: [
      [2, 3, 4],
      [2, 1, 4],
    ],
  },
  { shapes: [[65, 33], [33]] },
  { shapes: [[0, 3], [3]] },
];
