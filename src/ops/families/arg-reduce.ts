/** The kernel family of the positions of extremes. */
import { cooperates } from '../cooperate.ts';
import type { KernelFamily, Lowered } from '../define.ts';
import { around } from '../shape.ts';
import { cooperating, eitherWay } from './lines.ts';

export const argReduceFamily: KernelFamily = {
  name: 'argReduce',
  lower(call): Lowered {
    const { x } = call.inputs;
    const params = around(x.shape, call.attributes.axis as number);
    const { outer, inner } = params;
    const run = cooperating(call, outer * inner, cooperates(params));
    const LARGEST = call.attributes.largest as boolean;
    return {
      kernel: 'arg_reduce',
      tune: { Scalar: x.dtype },
      params,
      ...run,
      constants: { ...run.constants, LARGEST },
    };
  },
  candidates: eitherWay,
};
