/** The kernel family of reductions. */
import { cooperates } from '../cooperate.ts';
import type { KernelFamily, Lowered } from '../define.ts';
import { type Kind, type ReduceAttributes, view } from '../reduce.ts';
import { cooperating, eitherWay } from './lines.ts';

/** The numbers that the kernel knows them by. */
const KINDS: Readonly<Record<Kind, number>> = { sum: 0, prod: 1, max: 2, min: 3 };

export const reduceFamily: KernelFamily = {
  name: 'reduce',
  lower(call): Lowered {
    const { x } = call.inputs;
    const { kind, axes, parts = 1 } = call.attributes as ReduceAttributes;
    const shape = view(x.shape, axes);
    // A part of a long reduction is one lane's work.
    const run = cooperating(
      parts === 1 ? call : { ...call, tuning: { COOPERATE: false } },
      shape.outer * parts * shape.inner,
      cooperates(shape),
    );
    return {
      kernel: 'reduce',
      tune: { Scalar: x.dtype },
      params: { ...shape, parts },
      ...run,
      constants: { ...run.constants, KIND: KINDS[kind] },
    };
  },
  candidates: eitherWay,
};
