import type { Engine, Tensor } from '../../src/index.ts';

type Programs = Record<string, () => Tensor[]>;

export function heavyPrograms(weft: typeof import('../../src/index.ts'), engine?: Engine): Programs;
export function sumsOf(programs: Programs): Promise<Record<string, number[]>>;
