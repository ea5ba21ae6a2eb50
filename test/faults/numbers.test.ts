/** F15 to F20: NaN and infinities keep their meaning, large numbers do not break, sums are exact enough. */
import { describe, expect, test } from 'vitest';
import {
  argMax,
  argMin,
  cast,
  clip,
  concat,
  div,
  fill,
  gather,
  layers,
  log,
  logSoftmax,
  losses,
  max,
  mean,
  min,
  mul,
  optimizers,
  pow,
  prod,
  relu,
  sequential,
  sigmoid,
  slice,
  softmax,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  tensor,
  transpose,
  where,
} from '../../src/index.ts';
import { apply, type Composite, type ProvenOp as Op } from '../../src/ops/define.ts';
import { ndarray } from '../../src/ops/reference.ts';
import { registry } from '../../src/ops/registry.ts';
import type { Tensor } from '../../src/ops/tensor.ts';
import { expectClose } from '../ops/check.ts';
import { generator } from '../reference/random.ts';
import { refused } from './refused.ts';

const values = async (x: Tensor) => [...(await x.data())];
const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -1, 2 ** -10, 50, -50];

/** Why an op's answer to some special input is its own business. */
const exceptions: Record<string, (x: number, y?: number) => string | false> = {
  sin: (x) => !(Math.abs(x) <= Math.PI) && 'WGSL promises sin within ±π only',
  cos: (x) => !(Math.abs(x) <= Math.PI) && 'WGSL promises cos within ±π only',
};

/** The ops that work element by element: as many f32 operands as asked, no attributes, equal shapes. */
const elementwise = (operands: number) =>
  [...registry].filter(([, { cases }]) =>
    cases.some(
      ({ shapes, dtypes, attributes }) =>
        shapes.length === operands &&
        shapes.every((shape) => shape.length === 1 && shape[0] === shapes[0][0] && shape[0] > 1) &&
        !attributes &&
        (dtypes ?? []).every((dtype) => dtype === 'f32'),
    ),
  );

const call = (entry: Op | Composite, inputs: Tensor[]) =>
  'compute' in entry ? entry.compute(inputs, {}) : apply(entry, inputs);

describe('F15 NaN and infinities come through as in float64', () => {
  test.each(elementwise(1))('%s', async (name, entry) => {
    const asked = special.filter((x) => !exceptions[name]?.(x));
    const exact = entry.reference([ndarray([asked.length], asked)], {});
    const got = await call(entry, [tensor(asked)]).data();
    expectClose(got, exact.data, { relative: 1e-5, absolute: 2e-5, ...entry.tolerance }, name);
  });

  test.each(elementwise(2))('%s', async (name, entry) => {
    const pairs = special
      .flatMap((x) => special.map((y) => [x, y]))
      .filter(([x, y]) => !exceptions[name]?.(x, y));
    const [x, y] = [0, 1].map((side) => pairs.map((pair) => pair[side]));
    const exact = entry.reference([ndarray([x.length], x), ndarray([y.length], y)], {});
    const got = await call(entry, [tensor(x), tensor(y)]).data();
    expectClose(
      got,
      // f32 ends where float64 goes on.
      exact.data.map((value) => Math.fround(value)),
      { relative: 1e-4, absolute: 1e-6 },
      name,
    );
  });

  const rows = tensor([
    [1, Number.NaN, 3],
    [Number.POSITIVE_INFINITY, 1, 2],
    [Number.NEGATIVE_INFINITY, 1, 2],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0],
    [3, 2, 1],
  ]);
  const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minus } = Number;

  test('reductions', async () => {
    expect(await values(sum(rows, 1))).toEqual([nan, inf, minus, nan, 6]);
    expect(await values(mean(rows, 1))).toEqual([nan, inf, minus, nan, 2]);
    expect(await values(max(rows, 1))).toEqual([nan, inf, 2, inf, 3]);
    expect(await values(min(rows, 1))).toEqual([nan, 1, minus, minus, 1]);
    expect(await values(prod(rows, 1))).toEqual([nan, inf, minus, nan, 6]);
    expect(await values(sum(rows))).toEqual([nan]);
    expect(await values(max(rows, 0))).toEqual([inf, nan, 3]);
  });
  test('argMax takes the position of the NaN, as NumPy does', async () => {
    expect(await values(argMax(rows, 1))).toEqual([1, 0, 2, 0, 0]);
  });
  test('of several equals argMax and argMin take the first, however long the row', async () => {
    for (const length of [4, 130, 1000]) {
      const row = Array.from({ length }, (_, i) => [1, 7, 7, 0, 0][Math.min(i, 4)]);
      const x = tensor([row, row.toReversed()]);
      expect(await values(argMax(x, 1))).toEqual([1, length - 3]);
      expect(await values(argMin(x, 1))).toEqual([3, 0]);
      expect(await values(argMax(transpose(x), 0))).toEqual([1, length - 3]);
    }
  });
  test('softmax and logSoftmax', async () => {
    const [first, second, third] = [0, 1, 2].map((row) => [0, 1, 2].map((column) => row * 3 + column));
    const y = await values(softmax(rows, 1));
    for (const i of first) expect(y[i]).toBeNaN();
    for (const i of second) expect(y[i]).toBeNaN(); // ∞ - ∞, as in float64
    expect(y[third[0]]).toBe(0);
    expect(y[third[2]]).toBeCloseTo(1 / (1 + Math.exp(-1)), 5);
    const z = await values(logSoftmax(rows, 1));
    expect(z[0]).toBeNaN();
    expect(z[third[0]]).toBe(minus);
  });
  test('products, choices, bounds and moves', async () => {
    expect(await values(mul(tensor([nan, inf, minus]), 0))).toEqual([nan, nan, nan]);
    expect(await values(mul(tensor([nan, inf, minus]), tensor([0, 0, 0])))).toEqual([nan, nan, nan]);
    expect(await values(sub(tensor([inf]), tensor([inf])))).toEqual([nan]);
    expect(await values(div(tensor([1, -1, 0]), tensor([0, 0, 0])))).toEqual([inf, minus, nan]);
    expect(await values(clip(tensor([nan, inf, minus]), -1, 1))).toEqual([nan, 1, -1]);
    expect(await values(where(tensor([true, false]), tensor([nan, nan]), tensor([1, 1])))).toEqual([nan, 1]);
    expect(await values(transpose(rows))).toEqual([
      1,
      inf,
      minus,
      inf,
      3,
      nan,
      1,
      1,
      minus,
      2,
      3,
      2,
      2,
      0,
      1,
    ]);
    expect(await values(concat([tensor([nan]), tensor([inf])], 0))).toEqual([nan, inf]);
    expect(await values(gather(tensor([nan, 1, inf]), [2, 0]))).toEqual([inf, nan]);
    expect(await values(slice(tensor([nan, 1]), [0], [1]))).toEqual([nan]);
  });
  test('a NaN in one row of a product spoils that row and no other', async () => {
    const a = tensor([
      [nan, 1],
      [2, 3],
    ]);
    expect(await values(a.matmul(tensor([[1], [1]])))).toEqual([nan, 5]);
    expect(await values(tensor([[inf, 1]]).matmul(tensor([[0], [1]])))).toEqual([nan]);
  });
  test('NaN is true, and unequal to itself', async () => {
    const x = tensor([nan, 1]);
    expect(await values(x.equal(x))).toEqual([0, 1]);
    expect(await values(x.notEqual(x))).toEqual([1, 0]);
    expect(await values(x.greater(0))).toEqual([0, 1]);
    expect(await values(x.lessEqual(nan))).toEqual([0, 0]);
    expect(await values(cast(x, 'bool'))).toEqual([1, 1]);
  });
});

describe('F16 large and lost numbers', () => {
  const { NEGATIVE_INFINITY: minus } = Number;
  test('softmax, logSoftmax and sigmoid far out', async () => {
    expect(await values(softmax(tensor([1e4, -1e4])))).toEqual([1, 0]);
    expect(await values(softmax(tensor([1e30, 1e30])))).toEqual([0.5, 0.5]);
    expect(await values(logSoftmax(tensor([1e4, -1e4])))).toEqual([0, -2e4]);
    expect(await values(sigmoid(tensor([1000, -1000, 0])))).toEqual([1, 0, 0.5]);
    expect((await values(softmax(tensor([minus, minus])))).every(Number.isNaN)).toBe(true);
    expect(await values(log(tensor([0])))).toEqual([minus]);
  });
  test('cross-entropy from logits is the distance, from a probability of 0 it is -ln 1e-7', async () => {
    const target = tensor([[0, 1]]);
    expect(await values(softmaxCrossEntropy(tensor([[1e4, 0]]), target))).toEqual([1e4]);
    expect(await values(softmaxCrossEntropy(tensor([[0, 1e4]]), target))).toEqual([0]);
    const loss = losses.categoricalCrossentropy().compute(target, tensor([[1, 0]]));
    expect(await loss.item()).toBeCloseTo(16.118095, 4);
  });
});

describe('F17 constants that no WGSL literal can hold', () => {
  const { POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minus, NaN: nan } = Number;
  test('are data', async () => {
    const x = tensor([-5, 5]);
    expect(await values(clip(x, minus, 1))).toEqual([-5, 1]);
    expect(await values(clip(x, minus, inf))).toEqual([-5, 5]);
    expect(await values(mul(x, nan))).toEqual([nan, nan]);
    expect(await values(mul(x, 1e39))).toEqual([minus, inf]);
    expect(await values(div(x, 0))).toEqual([minus, inf]);
    expect(await values(fill([2], inf))).toEqual([inf, inf]);
    expect(await values(mul(x, 1e-45))).toHaveLength(2);
  });
  test('clip with its bounds the wrong way round, or NaN, is refused', async () => {
    await refused(() => clip(tensor([1]), 1, -1), 'VALUE', /clip/);
    await refused(() => clip(tensor([1]), nan, 1), 'VALUE', /clip/);
  });
});

describe('F18 long sums', () => {
  test('2^25 ones are 2^25', async () => {
    expect(await sum(fill([2 ** 25], 1)).item()).toBe(2 ** 25);
    expect(await mean(fill([2 ** 25], 1)).item()).toBe(1);
  });
  test('the mean and the variance of a million values near 1e4', async () => {
    const x = generator(18).array(1_000_000, 9_999, 10_001);
    let total = 0;
    for (const value of x) total += value;
    const exactMean = total / x.length;
    let squares = 0;
    for (const value of x) squares += (value - exactMean) ** 2;
    const t = tensor(x);
    const average = mean(t);
    expect(Math.abs((await average.item()) / exactMean - 1)).toBeLessThan(1e-6);
    const variance = await mean(square(sub(t, average))).item();
    expect(Math.abs(variance / (squares / x.length) - 1)).toBeLessThan(1e-3);
  });
  test('a dot product of a million terms', async () => {
    const random = generator(19);
    const [a, b] = [random.array(1_000_000, 0, 1), random.array(1_000_000, 0, 1)];
    let exact = 0;
    for (let i = 0; i < a.length; i++) exact += a[i] * b[i];
    expect(Math.abs((await sum(mul(tensor(a), tensor(b))).item()) / exact - 1)).toBeLessThan(1e-6);
    const product = tensor(a, { shape: [1, a.length] }).matmul(tensor(b, { shape: [b.length, 1] }));
    expect(Math.abs((await product.item()) / exact - 1)).toBeLessThan(1e-5);
  });
});

describe('F19 what overflows is seen', () => {
  test('a learning rate of 1e10 ends in NaN or infinity in the history, and soon', async () => {
    const random = generator(20);
    const model = sequential([
      layers.input({ shape: [20] }),
      layers.dense({ units: 20, activation: 'relu' }),
      layers.dense({ units: 20, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    model.compile({
      optimizer: optimizers.sgd({ learningRate: 1e10 }),
      loss: 'sparseCategoricalCrossentropy',
    });
    const { history } = await model.fit(
      tensor(random.array(400 * 20, 0, 1), { shape: [400, 20] }),
      tensor(Uint8Array.from({ length: 400 }, () => random.below(10))),
      { batchSize: 20, epochs: 2, verbose: 0 },
    );
    expect(history.loss.some((loss) => !Number.isFinite(loss) || loss > 1e6)).toBe(true);
    expect(history.loss).not.toContain(0);
  });
  test('sums and products past the largest f32 are infinite', async () => {
    expect(await values(sum(fill([4], 3e38)))).toEqual([Number.POSITIVE_INFINITY]);
    expect(await values(prod(fill([4], 3e38)))).toEqual([Number.POSITIVE_INFINITY]);
    expect(await values(pow(tensor([10]), 39))).toEqual([Number.POSITIVE_INFINITY]);
  });
});

describe('F20 integers at their limits', () => {
  test('division by 0 gives 0, and otherwise rounds down', async () => {
    const [a, b] = [tensor([7, -7, 7, -7, 0], { dtype: 'i32' }), tensor([0, 0, 2, 2, 0], { dtype: 'i32' })];
    expect(await values(div(a, b))).toEqual([0, 0, 3, -4, 0]);
  });
  test('conversion drops the fraction, saturates, and makes 0 of NaN', async () => {
    // The largest f32 below 2^31 and below 2^32: WGSL's rule.
    expect(await values(cast(tensor([2.9, -2.9, 3e9, -3e9]), 'i32'))).toEqual([
      2,
      -2,
      2147483520,
      -(2 ** 31),
    ]);
    expect(await values(cast(tensor([2.9, -2.9, 5e9]), 'u32'))).toEqual([2, 0, 4294967040]);
    expect(await values(cast(tensor([Number.NaN]), 'i32'))).toEqual([0]);
  });
  test('relu keeps whole numbers whole', async () => {
    const y = relu(tensor([12345679, -2], { dtype: 'i32' }));
    expect(y.dtype).toBe('i32');
    expect(await values(y)).toEqual([12345679, 0]);
  });
});
