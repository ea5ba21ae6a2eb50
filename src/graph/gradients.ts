/** Reverse-mode differentiation: a walk back over the graph that adds each op's own backward rule. */
import { GradientError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { add } from '../ops/binary.ts';
import { fill, type TensorLike, toTensor } from '../ops/constant.ts';
import { reshape } from '../ops/movement.ts';
import { sum } from '../ops/reduce.ts';
import { broadcastAxes, sameShape, show } from '../ops/shape.ts';
import { present, Tensor, tracing, Variable } from '../ops/tensor.ts';
import { topological } from './order.ts';

export interface GradientOptions {
  /** The gradient that arrives at `y`, of y's shape; needed unless y is a single number. Default 1. */
  seed?: TensorLike;
}

/**
 * ∂y/∂x for every x in `wrt`, as tensors of the shapes of `wrt`, which can be differentiated again.
 *
 * y: a scalar, or any shape with a `seed` (vector-Jacobian product). Throws GradientError for a
 * non-scalar y without seed, an empty `wrt`, an x of integers, and an x on which y does not depend.
 *
 * ```ts
 * const w = variable([[1, 2], [3, 4]]);
 * const loss = w.square().sum();
 * const [dw] = gradients(loss, [w]);    // 2w
 * ```
 */
export function gradients(y: Tensor, wrt: readonly Tensor[], given?: GradientOptions): Tensor[] {
  const options = knownOptions<GradientOptions>('gradients', given, ['seed']);
  const root = present(y.checkUsable('gradients'));
  if (!Array.isArray(wrt) || wrt.length === 0)
    throw new GradientError(
      'gradients: wrt is empty; name at least one tensor or variable to differentiate by.',
    );
  const targets = wrt.map((x) => present(x.checkUsable('gradients')));
  let seed: Tensor;
  if (options.seed === undefined) {
    if (root.size !== 1)
      throw new GradientError(
        `gradients: the loss is not a scalar: its shape is ${show(root.shape)}. Reduce it with mean() or sum(), or pass { seed }.`,
      );
    seed = fill(root.shape, 1);
    // A gradient that comes to no more than this belongs to the same engine all the same.
    seed.engine = root.engine;
  } else {
    seed = toTensor(options.seed);
    if (!sameShape(seed.shape, root.shape))
      throw new GradientError(
        `gradients: seed has shape ${show(seed.shape)}, the result ${show(root.shape)}; they must be equal.`,
      );
  }

  const order = topological([root], ends);
  const depends = new Set<Tensor>(targets);
  for (const node of order)
    if (!ends(node) && node.inputs.some((input) => depends.has(input))) depends.add(node);

  const arrived = new Map<Tensor, Tensor>([[root, seed]]);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const g = arrived.get(node);
    if (!g || !node.op || ends(node) || !depends.has(node)) continue;
    if (!node.inputs.some((input) => depends.has(input))) continue;
    if (!node.op.backward) throw new GradientError(`gradients: ${node.op.name} has no derivative.`);
    const found = node.op.backward(node.inputs, node, g, node.attributes);
    if (found.length !== node.inputs.length)
      throw new Error(
        `${node.op.name}.backward gave ${found.length} gradients for ${node.inputs.length} inputs`,
      );
    node.inputs.forEach((input, k) => {
      const part = found[k];
      if (!part || !depends.has(input)) return;
      const fitted = unbroadcast(part, input);
      const before = arrived.get(input);
      arrived.set(input, before ? add(before, fitted) : fitted);
    });
  }
  return targets.map((target, i) => {
    const g = arrived.get(target);
    if (g) return g;
    // Nothing has nothing for its gradient; ops drop operands of size 0.
    if (target.size === 0 && target.dtype === 'f32') return fill(target.shape, 0);
    throw new GradientError(
      `gradients: ${wrt[i].toString()} (number ${i} of wrt) has no differentiable path to the result${
        root.op === null && !depends.has(root)
          ? '; its graph was let go when it was read: call gradients() before data(), or use variables'
          : wrt[i] instanceof Variable
            ? '; was it assigned since the result was described? Call gradients() first, assign afterwards. No gradient flows through an assignment'
            : target.dtype === 'f32'
              ? ''
              : `; ${target.dtype} has no derivative`
      }.`,
    );
  });
}

/** Those of these on which y depends. */
export function reachedFrom<T extends Tensor>(y: Tensor, wrt: readonly T[]): T[] {
  const behind = new Set(topological([present(y)], ends));
  return wrt.filter((x) => behind.has(present(x)));
}

/**
 * Where a derivative ends: at a variable's value, whatever it was computed from and whether it is computed yet. What
 * was evaluated otherwise has memory and a past, and a derivative goes on through it.
 */
const ends = (x: Tensor): boolean => x.readers !== null;

/** Sums a gradient over the axes along which its operand was repeated. */
function unbroadcast(g: Tensor, like: Tensor): Tensor {
  if (sameShape(g.shape, like.shape)) return g;
  const axes = broadcastAxes(like.shape, g.shape);
  return reshape(axes.length > 0 ? sum(g, axes) : g, like.shape);
}

/**
 * A function that computes `fn` and its gradients together.
 *
 * `fn` returns a scalar; `wrt` are the variables to differentiate by, by default all trainable ones that
 * fn reads. The result has `value`, `gradients` and `variables`, in one order.
 *
 * ```ts
 * const step = valueAndGrad(() => model(x).sub(y).square().mean());
 * const { value, gradients, variables } = step();
 * optimizer.apply(variables, gradients);
 * ```
 */
export function valueAndGrad<A extends unknown[]>(
  fn: (...args: A) => Tensor,
  wrt?: readonly Tensor[],
): (...args: A) => { value: Tensor; gradients: Tensor[]; variables: Tensor[] } {
  return (...args) => {
    const outer = tracing.watched;
    const watched = new Set<Variable>();
    tracing.watched = watched;
    let value: Tensor;
    try {
      value = fn(...args);
    } finally {
      tracing.watched = outer;
      if (outer) for (const variable of watched) outer.add(variable);
    }
    if (!(value instanceof Tensor))
      throw new GradientError(
        `valueAndGrad: the function returned ${typeof value}; expected a scalar tensor.`,
      );
    const variables = wrt ? [...wrt] : [...watched].filter((variable) => variable.trainable);
    return { value, gradients: gradients(value, variables), variables };
  };
}
