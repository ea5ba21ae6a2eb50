/** argMax and argMin: positions of extremes. */
import { ValueError } from '../base/errors.ts';
import { type TensorLike, toTensor } from './constant.ts';
import {
  alternatives,
  apply,
  type Case,
  defineOp,
  type KernelCall,
  type KernelFamily,
  type Lowered,
  type Op,
  twin,
} from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { ndarray } from './reference.ts';
import { cast } from './select.ts';
import { normalizeAxis, reducedShape, type Shape, show, sizeOf } from './shape.ts';
import { softmaxFamily } from './softmax.ts';
import type { Tensor } from './tensor.ts';

/** Lanes that share one output when they cooperate. */
const WORKGROUP = 64;

/** From this length on a workgroup shares one output. */
const COOPERATE_FROM = 128;

const view = (shape: Shape, axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  length: shape[axis],
  inner: sizeOf(shape.slice(axis + 1)),
});

const argReduceFamily: KernelFamily = {
  name: 'argReduce',
  lower({ inputs: { x }, attributes, profile, tuning }: KernelCall): Lowered {
    const params = view(x.shape, attributes.axis as number);
    const together =
      (tuning.COOPERATE as boolean | undefined) ?? (params.inner === 1 && params.length >= COOPERATE_FROM);
    const lanes = together ? WORKGROUP : lanesOf(profile);
    const outputs = params.outer * params.inner;
    return {
      kernel: 'arg_reduce',
      tuning: { COOPERATE: together },
      tune: { Scalar: x.dtype },
      constants: { LARGEST: attributes.largest as boolean, WORKGROUP: lanes, COOPERATE: together },
      params,
      workgroups: grid(
        together ? outputs : Math.ceil(outputs / lanes),
        profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
  candidates: () => alternatives({ COOPERATE: false }, { COOPERATE: true }),
};

const cases: Case[] = (
  [
    [[1], 0],
    [[7], 0],
    [[130], 0],
    [[5, 3], 0],
    [[5, 10], 1],
    [[3, 200], 1],
    [[2, 3, 4], 1],
    [[65, 2], 0],
    [[0, 3], 1],
  ] as [Shape, number][]
).map(([shape, axis]) => ({ shapes: [shape], attributes: { axis }, noGradient: 'a position' }));

function argReduceOp(name: string, largest: boolean): Op {
  return defineOp({
    name,
    shape([x], { axis }) {
      if (x[axis as number] === 0 && sizeOf(reducedShape(x, [axis as number], false)) > 0)
        throw new ValueError(
          `${name}: ${show(x)} has nothing along axis ${axis}; there is no position to give.`,
        );
      return reducedShape(x, [axis as number], false);
    },
    dtype: () => 'i32',
    kernel: { family: argReduceFamily, inputs: ['x'], output: 'y' },
    // The softmax kernel finds the maximum of each row anyway.
    join(node, anchor) {
      const [x] = node.inputs;
      const sameRows = anchor.op?.kernel?.family === softmaxFamily && anchor.inputs[0] === x;
      return largest && sameRows && node.attributes.axis === x.rank - 1 ? 'best' : null;
    },
    backward: () => [null],
    cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
  });
}

const ops = { argMax: argReduceOp('argMax', true), argMin: argReduceOp('argMin', false) };

const argReduceTwin = (op: Op, largest: boolean) =>
  twin(op, () => ({
    reference([x], attributes) {
      const axis = attributes.axis as number;
      const { outer, length, inner } = view(x.shape, axis);
      const y = ndarray(reducedShape(x.shape, [axis], false));
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < inner; i++) {
          let best = 0;
          for (let l = 1; l < length; l++) {
            const [next, so] = [l, best].map((at) => x.data[(o * length + at) * inner + i]);
            if (!Number.isNaN(so) && (Number.isNaN(next) || (largest ? next > so : next < so))) best = l;
          }
          y.data[o * inner + i] = best;
        }
      return y;
    },
    cases: cases.map((one) => ({ ...one, attributes: { ...one.attributes, largest } })),
  }));

const argReduce =
  (op: Op, largest: boolean) =>
  (x: TensorLike, axis = 0): Tensor => {
    const given = toTensor(x);
    const input = given.dtype === 'bool' || given.dtype === 'u8' ? cast(given, 'i32') : given;
    return apply(op, [input], { axis: normalizeAxis(axis, input.rank, op.name), largest });
  };

/**
 * The position of the largest element along `axis` (default 0, as in TensorFlow.js), as i32.
 *
 * The first of several equals wins; a NaN counts as the largest, as in NumPy. Has no gradient. Throws
 * ValueError along an axis of size 0.
 *
 * ```ts
 * const predicted = argMax(logits, -1);
 * ```
 */
export const argMax = argReduce(ops.argMax, true);
/** The position of the smallest element; otherwise as {@link argMax}, a NaN counting as the smallest. */
export const argMin = argReduce(ops.argMin, false);

/** For the registry. */
export const twins = [argReduceTwin(ops.argMax, true), argReduceTwin(ops.argMin, false)];
