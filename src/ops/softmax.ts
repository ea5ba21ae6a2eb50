/**
 * Softmax, its logarithm, and cross-entropy with its gradient: one kernel reads a row of logits and
 * gives whichever of them are wanted.
 */
import { ShapeError, ValueError } from '../base/errors.ts';
import { mul, sub } from './binary.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, defineOp, type Op, twin } from './define.ts';
import { expandDims, transpose } from './movement.ts';
import { sum } from './reduce.ts';
import { build, type NdArray, ndarray } from './reference.ts';
import { cast } from './select.ts';
import { normalizeAxis, type Shape, sameShape, show, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { exp, neg } from './unary.ts';

const tolerance = { relative: 1e-5, absolute: 1e-6 };

const cases: Case[] = [
  { shapes: [[1]] },
  { shapes: [[1, 1]] },
  { shapes: [[4, 10]] },
  { shapes: [[65, 3]], range: [-30, 30] },
  { shapes: [[2, 3, 130]], range: [-30, 30] },
  { shapes: [[3, 300]] },
  { shapes: [[0, 3]] },
];

/** f(row of x, …) for every row; the inputs have rows of the same length. */
function byRow(inputs: readonly NdArray[], f: (...rows: Float64Array[]) => Float64Array): Float64Array[] {
  const columns = inputs[0].shape.at(-1) as number;
  const rows = sizeOf(inputs[0].shape.slice(0, -1));
  return Array.from({ length: rows }, (_, r) =>
    f(...inputs.map(({ data }) => data.subarray(r * columns, (r + 1) * columns))),
  );
}

const joined = (shape: Shape, rows: Float64Array[]): NdArray =>
  ndarray(
    shape,
    rows.flatMap((row) => [...row]),
  );

function logSoftmaxOf(x: Float64Array): Float64Array {
  const most = Math.max(...x);
  const lse = Math.log(x.reduce((total, one) => total + Math.exp(one - most), 0));
  return x.map((one) => one - most - lse);
}

/** Ops over the last axis whose result has the shape of x. */
const elementwiseRows = (name: string, output: string, backward: (y: Tensor, g: Tensor) => Tensor): Op =>
  defineOp({
    name,
    shape: ([x]) => x,
    dtype: () => 'f32',
    kernel: { family: 'softmax', inputs: ['x'], output },
    backward: (_inputs, y, g) => [backward(y, g)],
    cost: ([x]) => ({ flops: 5 * sizeOf(x.shape), bytes: 16 * sizeOf(x.shape) }),
  });

const rowsTwin = (op: Op, row: (x: Float64Array) => Float64Array) =>
  twin(op, () => ({ reference: ([x]) => joined(x.shape, byRow([x], row)), tolerance, cases }));

/** dx = y ⊙ (g − ⟨g, y⟩) */
const softmaxOp = elementwiseRows('softmax', 'y', (y, g) =>
  mul(y, sub(g, sum(mul(g, y), -1, { keepDims: true }))),
);
const softmaxTwin = rowsTwin(softmaxOp, (x) => logSoftmaxOf(x).map(Math.exp));

/** dx = g − exp(y) · Σ g */
const logSoftmaxOp = elementwiseRows('logSoftmax', 'log_y', (y, g) =>
  sub(g, mul(exp(y), sum(g, -1, { keepDims: true }))),
);
const logSoftmaxTwin = rowsTwin(logSoftmaxOp, logSoftmaxOf);

/** op over the last axis, by way of a transpose for any other. */
function along(op: Op, x: TensorLike, axis: number): Tensor {
  const input = cast(toTensor(x), 'f32');
  const at = normalizeAxis(axis, input.rank, op.name);
  const last = input.rank - 1;
  if (at === last) return apply(op, [input]);
  const order = input.shape.map((_, i) => (i === at ? last : i === last ? at : i));
  return transpose(apply(op, [transpose(input, order)]), order);
}

/**
 * y = exp(x − max x) / Σ exp(x − max x) over `axis` (default the last); each row sums to 1.
 *
 * A row with a NaN or +Infinity, or of nothing but −Infinity, is NaN.
 */
export const softmax = (x: TensorLike, axis = -1): Tensor => along(softmaxOp, x, axis);

/** y = x − log Σ exp x over `axis` (default the last), without overflow. */
export const logSoftmax = (x: TensorLike, axis = -1): Tensor => along(logSoftmaxOp, x, axis);

function checkPair(name: string, x: Shape, t: Shape): void {
  if (x.length === 0 || !sameShape(x, t))
    throw new ShapeError(
      `${name}: logits ${show(x)} and target ${show(t)} must have one shape [..., classes]. ` +
        'Turn class numbers into rows with oneHot(labels, classes).',
    );
  if (x.at(-1) === 0) throw new ValueError(`${name}: logits ${show(x)} have no classes.`);
}

const pairs = cases
  .filter(({ shapes: [shape] }) => shape.length > 1)
  .map(({ shapes: [shape], range }) => ({ shapes: [shape, shape], range }));

const lossOp: Op = defineOp({
  name: 'softmaxCrossEntropy',
  shape([x, t]) {
    checkPair('softmaxCrossEntropy', x, t);
    return x.slice(0, -1);
  },
  dtype: () => 'f32',
  kernel: { family: 'softmax', inputs: ['x', 't'], output: 'loss' },
  backward: ([x, t], _y, g) => [apply(gradientOp, [x, t, g]), neg(mul(logSoftmax(x), expandDims(g, -1)))],
  cost: ([x]) => ({ flops: 7 * sizeOf(x.shape), bytes: 8 * sizeOf(x.shape) }),
});

const lossTwin = twin(lossOp, () => ({
  reference: ([x, t]) =>
    ndarray(
      x.shape.slice(0, -1),
      byRow([x, t], (logits, target) => {
        const logs = logSoftmaxOf(logits);
        return Float64Array.of(
          target.reduce((total, one, c) => (one === 0 ? total : total - one * logs[c]), 0),
        );
      }).map(([loss]) => loss),
    ),
  // Targets up to 2 in size times logs up to 60, summed over up to 300 classes.
  tolerance: { relative: 1e-5, absolute: 1e-3 },
  cases: pairs,
}));

/** dx = (softmax(x) · Σ t − t) · g, where g [...] arrives for the loss. */
const gradientOp: Op = defineOp({
  name: 'softmaxCrossEntropyGradient',
  shape([x, t]) {
    checkPair('softmaxCrossEntropyGradient', x, t);
    return x;
  },
  dtype: () => 'f32',
  kernel: { family: 'softmax', inputs: ['x', 't', 'g'], output: 'dx' },
  backward([x, t, g], _dx, h) {
    const p = softmax(x);
    const column = expandDims(g, -1);
    const mass = sum(t, -1, { keepDims: true });
    const along = sum(mul(h, p), -1, { keepDims: true });
    return [
      mul(mul(mul(p, sub(h, along)), mass), column),
      mul(sub(along, h), column),
      sum(mul(h, sub(mul(p, mass), t)), -1),
    ];
  },
  cost: ([x]) => ({ flops: 7 * sizeOf(x.shape), bytes: 12 * sizeOf(x.shape) }),
});

const gradientTwin = twin(gradientOp, () => ({
  reference([x, t, g]) {
    const rows = byRow([x, t], (logits, target) => {
      const mass = target.reduce((total, one) => total + one, 0);
      return logSoftmaxOf(logits).map((one, c) => Math.exp(one) * mass - target[c]);
    });
    return build(x.shape, (_index, flat) => {
      const columns = x.shape.at(-1) as number;
      const r = Math.floor(flat / columns);
      return rows[r][flat % columns] * g.data[r];
    });
  },
  // Σ t of up to 300 targets up to 2 in size, times g up to 2.
  tolerance: { relative: 1e-5, absolute: 2e-5 },
  // WGSL lets p be off by 6 ULP, here times a Σ t of some 200 and a g of 30 that cancel against t · g.
  cases: pairs.map((one) => ({
    ...one,
    shapes: [...one.shapes, one.shapes[0].slice(0, -1)],
    ...(one.range ? { tolerance: { relative: 1e-5, absolute: 5e-3 } } : {}),
  })),
}));

/**
 * Cross-entropy of each row: loss = Σ target · (log Σ exp logits − logits).
 *
 * logits, target: [..., C] → [...]. The target is a distribution; for class numbers pass
 * oneHot(labels, C), which is computed inside the kernel and stored nowhere. Finite wherever the exact
 * value is; a class with target 0 costs nothing even at −Infinity. Its gradient for the logits comes
 * from the same kernel. Throws ShapeError when the shapes differ.
 */
export function softmaxCrossEntropy(logits: TensorLike, target: TensorLike): Tensor {
  return apply(lossOp, [cast(toTensor(logits), 'f32'), cast(toTensor(target), 'f32')]);
}

/** For the registry. */
export const twins = [softmaxTwin, logSoftmaxTwin, lossTwin, gradientTwin];
