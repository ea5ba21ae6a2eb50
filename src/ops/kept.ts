/** Numbers in memory of their own. */
import { type TensorLike, toTensor } from './constant.ts';
import { apply, twin } from './define.ts';
import { pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast } from './select.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

const keptOp = pointwise({
  name: 'kept',
  f: () => 'x',
  stored: 'f32',
  backward: (_inputs, _y, g) => [g],
  cost: (_inputs, y) => ({ flops: 0, bytes: 8 * sizeOf(y.shape) }),
});

/**
 * x, computed once and kept in memory. A plan computes what is cheap where it is used; what one kernel reads at several
 * places that follow from other numbers would be computed, and compiled, for each of them.
 */
export const kept = (x: TensorLike): Tensor => apply(keptOp, [cast(toTensor(x), 'f32')]);

// ---- the twin

const keptTwin = twin(keptOp, () => ({
  reference: ([x]) => elementwise((value) => value, x),
  cases: [{ shapes: [[7]] }, { shapes: [[3, 5]] }],
}));

/** For the registry. */
export const twins = [keptTwin];
