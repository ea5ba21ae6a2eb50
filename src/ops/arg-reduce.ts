/** argMax and argMin: positions of extremes. */
import { ValueError } from '../base/errors.ts';
import type { TensorLike } from './constant.ts';
import { apply, type Case, defineOp, noGradient, type Op, twin } from './define.ts';
import { ndarray } from './reference.ts';
import { countable } from './select.ts';
import { around, normalizeAxis, reducedShape, type Shape, show, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

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
    kernel: { family: 'argReduce', inputs: ['x'], output: 'y' },
    // The softmax kernel finds the maximum of each row anyway.
    join(node, anchor) {
      const [x] = node.inputs;
      const sameRows = anchor.op?.kernel?.family === 'softmax' && anchor.inputs[0] === x;
      return largest && sameRows && node.attributes.axis === x.rank - 1 ? 'best' : null;
    },
    backward: noGradient,
    cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
  });
}

const ops = { argMax: argReduceOp('argMax', true), argMin: argReduceOp('argMin', false) };

const argReduce =
  (op: Op, largest: boolean) =>
  (x: TensorLike, axis = 0): Tensor => {
    const input = countable(x);
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

const argReduceTwin = (op: Op, largest: boolean) =>
  twin(op, () => ({
    reference([x], attributes) {
      const axis = attributes.axis as number;
      const { outer, length, inner } = around(x.shape, axis);
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

/** For the registry. */
export const twins = [argReduceTwin(ops.argMax, true), argReduceTwin(ops.argMin, false)];
