import type { layers, optimizers, Sequential, sequential } from '../../src/index.ts';

export const samples: number[][][];
export const labels: number[];
export function makeModel(weft: {
  layers: typeof layers;
  optimizers: typeof optimizers;
  sequential: typeof sequential;
}): Promise<Sequential>;
