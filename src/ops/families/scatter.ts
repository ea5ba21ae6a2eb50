/** The kernel family of sums of rows by their index. */
import type { KernelFamily, Lowered } from '../define.ts';
import { grid, lanesOf } from '../elementwise.ts';

export const scatterFamily: KernelFamily = {
  name: 'scatter',
  readsOften: true,
  lower({ inputs: { x }, attributes, profile }): Lowered {
    const [outer, count, inner] = x.shape;
    const length = attributes.length as number;
    // A lane goes through all indices: with more columns each, fewer do. A GPU has lanes to spare.
    const COLUMNS = Math.min(profile.isSoftware ? 16 : 4, 2 ** Math.ceil(Math.log2(inner)));
    const WORKGROUP = lanesOf(profile);
    const lanes = outer * length * Math.ceil(inner / COLUMNS);
    return {
      kernel: 'scatter_sum',
      tune: { COLUMNS },
      constants: { WORKGROUP },
      params: { outer, count, length, inner },
      workgroups: grid(Math.ceil(lanes / WORKGROUP), profile.limits.maxComputeWorkgroupsPerDimension),
    };
  },
};
