/** The kernel families that ops name: how products, reductions and rows of logits are run on a device. */
import type { FamilyName, KernelBinding, KernelFamily } from '../define.ts';
import { argReduceFamily } from './arg-reduce.ts';
import { matmulFamily } from './matmul.ts';
import { reduceFamily } from './reduce.ts';
import { scatterFamily } from './scatter.ts';
import { softmaxFamily } from './softmax.ts';

const families: Readonly<Record<FamilyName, KernelFamily>> = {
  matmul: matmulFamily,
  reduce: reduceFamily,
  softmax: softmaxFamily,
  argReduce: argReduceFamily,
  scatter: scatterFamily,
};

export const familyOf = ({ family }: KernelBinding): KernelFamily =>
  typeof family === 'string' ? families[family] : family;
