/**
 * Every op of the registry, case by case: the GPU's answer against the op's float64 twin, its gradient
 * against central differences of that twin, as eager calls, inside a captured step, and melted together
 * with other elementwise work. Every variant of every kernel family: variants.test.ts.
 *
 * A new op is tested by being in the registry: there is nothing to add here. Node tries every case.
 */
import { describe, expect, test } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import { capture, gradients, mul, sum, tensor } from '../../src/index.ts';
import type { Case, Composite, ProvenOp as Op } from '../../src/ops/define.ts';
import { registry } from '../../src/ops/registry.ts';
import { sizeOf } from '../../src/ops/shape.ts';
import type { Tensor } from '../../src/ops/tensor.ts';
import { generator } from '../reference/random.ts';
import {
  call,
  caseName,
  differences,
  exactly,
  expectClose,
  type Input,
  inputsOf,
  toTensors,
} from './check.ts';

const gradientTolerance = { relative: 1e-3, absolute: 1e-5 };

/** How many elements of an input are worth differencing: the reference of a large product is slow. */
function differenceCount(entry: Op | Composite, inputs: readonly Input[], result: readonly number[]): number {
  const elements = inputs.reduce((total, { values }) => total + values.length, 0);
  const inner = entry.name === 'matmul' ? inputs[0].values.length / Math.max(1, result.at(-2) ?? 1) : 1;
  return Math.max(3, Math.min(48, Math.floor(4e5 / (elements + sizeOf(result) * inner))));
}

interface Prepared {
  readonly inputs: Input[];
  readonly tensors: Tensor[];
  readonly exact: ArrayLike<number>;
  readonly shape: readonly number[];
  /** A random weight per result element: the gradient test asks for the gradient of Σ y · dy. */
  readonly dy: Float32Array;
  /** The inputs that have a gradient. */
  readonly wrt: number[];
}

function prepare(entry: Op | Composite, one: Case, seed: number): Prepared {
  const inputs = inputsOf(one, seed);
  const { data, shape } = exactly(
    entry,
    inputs.map((x) => x.exact),
    one,
  );
  const smooth = !one.noGradient && ('compute' in entry || entry.backward !== undefined);
  return {
    inputs,
    tensors: toTensors(inputs),
    exact: data,
    shape,
    dy: generator(seed + 1).array(data.length, -1, 1),
    wrt: smooth ? inputs.flatMap(({ dtype }, at) => (dtype === 'f32' ? [at] : [])) : [],
  };
}

/** [y, dx of each differentiable input] as a graph on the given operands. */
function forwardAndBackward(
  entry: Op | Composite,
  one: Case,
  prepared: Prepared,
  operands: readonly Tensor[],
) {
  const y = call(entry, operands, one);
  const { dy, shape, wrt } = prepared;
  if (wrt.length === 0 || y.dtype !== 'f32') return [y];
  const loss = sum(mul(y, tensor(dy, { shape })));
  return [
    y,
    ...gradients(
      loss,
      wrt.map((at) => operands[at]),
    ),
  ];
}

/** Elementwise work before and after an op that changes nothing in f32 but the sign or a power of two. */
const before: { name: string; undo: (x: number) => number; apply: (x: Tensor) => Tensor; slope: number }[] = [
  { name: 'doubled', undo: (x) => x / 2, apply: (x) => x.mul(2), slope: 2 },
  { name: 'negated', undo: (x) => -x, apply: (x) => x.neg(), slope: -1 },
  { name: 'halved and negated', undo: (x) => -2 * x, apply: (x) => x.mul(0.5).neg(), slope: -0.5 },
];
const after: { name: string; apply: (y: Tensor) => Tensor; exact: (y: number) => number; slope: number }[] = [
  { name: 'halved', apply: (y) => y.mul(0.5), exact: (y) => y / 2, slope: 0.5 },
  { name: 'negated', apply: (y) => y.neg(), exact: (y) => -y, slope: -1 },
  { name: 'one more', apply: (y) => y.add(1), exact: (y) => y + 1, slope: 1 },
];

/** In a page three of each op, from one end of its cases to the other: kernels and their texts are those of Node. */
const isTried = (index: number, count: number): boolean =>
  isNode || count <= 3 || [0, count >> 1, count - 1].includes(index);

for (const [name, entry] of registry) {
  if (entry.cases.length === 0) continue;
  const tolerance = entry.tolerance ?? {};

  describe(name, () => {
    entry.cases.forEach((one, index) => {
      if (!isTried(index, entry.cases.length)) return;
      test(`of ${caseName(one)}`, async () => {
        const prepared = prepare(entry, one, index + 1);
        const { exact, shape, wrt, dy, inputs, tensors } = prepared;
        const outputs = forwardAndBackward(entry, one, prepared, tensors);
        expect(outputs[0].shape).toEqual(shape);
        const step = capture((...args: Tensor[]) => forwardAndBackward(entry, one, prepared, args));
        const runCaptured = async () => Promise.all((await step(...tensors)).map((x) => x.data()));
        // In a page captured only: eager calls are planned and run by the same code, and half of the time is theirs.
        const [y, ...dx] = await (isNode ? Promise.all(outputs.map((x) => x.data())) : runCaptured());
        expectClose(y, exact, tolerance, name);

        const exactInputs = inputs.map((x) => x.exact);
        const count = differenceCount(entry, inputs, shape);
        for (const [k, at] of wrt.slice(0, dx.length).entries()) {
          expect(outputs[k + 1].shape).toEqual(inputs[at].shape);
          const slopes = differences(entry, one, exactInputs, at, dy, count);
          const asked = [...slopes.keys()].map((i) => dx[k][i]);
          expectClose(asked, [...slopes.values()], gradientTolerance, `gradient of ${name} for input ${at}`);
        }

        if (!isNode) return;
        const captured = await runCaptured();
        expectClose(captured[0], exact, tolerance, `${name}, captured`);
        for (const [k, values] of captured.slice(1).entries())
          expectClose(values, dx[k], gradientTolerance, `gradient of ${name} for input ${wrt[k]}, captured`);
      });
    });

    const melting = entry.cases.filter(
      ({ shapes, dtypes }) => shapes.length > 0 && shapes.some((_, i) => (dtypes?.[i] ?? 'f32') === 'f32'),
    );
    // In a page one: what melts is decided by the same planner.
    melting.slice(0, isNode ? 3 : 1).forEach((one, index) => {
      const random = generator(100 + index + name.length);
      const pre = random.pick(before);
      const post = random.pick(after);
      test(`of ${caseName(one)}, inputs ${pre.name} and result ${post.name}, fused as well as step by step`, async () => {
        const prepared = prepare(entry, one, index + 1);
        const { exact, shape, inputs, dy, wrt } = prepared;
        const undone = inputs.map((x) =>
          x.dtype === 'f32'
            ? tensor((x.values as Float32Array).map(pre.undo), { shape: x.shape })
            : toTensors([x])[0],
        );
        const ready = (x: Tensor) => (x.dtype === 'f32' ? pre.apply(x) : x);

        const operands = undone.map(ready);
        const y = call(entry, operands, one);
        if (y.dtype !== 'f32') return;
        const fused = post.apply(y);
        const wanted = Float64Array.from(exact, post.exact);
        const slack = {
          relative: (tolerance.relative ?? 0) + 1e-6,
          absolute: (tolerance.absolute ?? 0) + 1e-6,
        };
        const differentiable = wrt.length > 0;
        const dx = differentiable
          ? gradients(
              sum(mul(fused, tensor(dy, { shape }))),
              wrt.map((at) => undone[at]),
            )
          : [];
        const [got, ...slopes] = await Promise.all([fused, ...dx].map((x) => x.data()));
        expectClose(got, wanted, slack, `${name}, fused`);

        const stepwise: Tensor[] = [];
        for (const x of undone.map(ready)) {
          await x.data();
          stepwise.push(x);
        }
        const middle = call(entry, stepwise, one);
        await middle.data();
        expectClose(await post.apply(middle).data(), wanted, slack, `${name}, step by step`);

        if (differentiable) {
          const plain = await Promise.all(
            forwardAndBackward(entry, one, prepared, prepared.tensors)
              .slice(1)
              .map((x) => x.data()),
          );
          for (const [k, values] of slopes.entries()) {
            const scaled = Float64Array.from(plain[k], (value) => value * pre.slope * post.slope);
            expectClose(values, scaled, gradientTolerance, `gradient of ${name} for input ${wrt[k]}, fused`);
          }
        }
      });
    });
  });
}
