/** What functions make of zeros, infinities, NaN and the ends of their domains, where a random number seldom falls. */
import { expect, test } from 'vitest';
import {
  acos,
  acosh,
  all,
  any,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  celu,
  cosh,
  gelu,
  gradients,
  hardSwish,
  leakyRelu,
  logSumExp,
  mish,
  mod,
  nanToNum,
  norm,
  round,
  silu,
  sinh,
  std,
  stopGradient,
  type Tensor,
  type TensorLike,
  tan,
  tensor,
  variable,
  variance,
  zeros,
} from '../../src/index.ts';
import { expectClose } from './check.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Signed zeros, the ends of domains and what lies just inside and far outside. */
const edges = [
  0,
  -0,
  nan,
  inf,
  -inf,
  1,
  -1,
  0.5,
  -0.5,
  0.999999,
  1.0000001,
  -2,
  3,
  1e-20,
  -1e-6,
  12,
  -40,
  1e10,
  -3e38,
];

const asInMath = { asin, acos, atan, sinh, cosh, asinh, acosh, atanh };
type Name = keyof typeof asInMath;

test.each(Object.keys(asInMath) as Name[])(
  '%s has the values of Math at zeros, infinities and the ends of its domain',
  async (name) => {
    const x = Float32Array.from(edges);
    const got = await asInMath[name](tensor(x)).data();
    const exact = [...x].map((one) => Math.fround(Math[name](one)));
    // 3e-20 and the like: drivers may take numbers without a leading bit for 0.
    expectClose(got, exact, { relative: 2e-5, absolute: 1e-37 }, name);
  },
);

test('tan follows Math near 0, near its poles and far away', async () => {
  const x = Float32Array.from([0, nan, 1e-6, 1.5, -1.5, 1.57, 1.58, 100, -3000.5, 8191, 0.7853982, -20]);
  const exact = [...x].map((one) => Math.tan(one));
  expectClose(await tan(tensor(x)).data(), exact, { relative: 1e-5, absolute: 1e-7 }, 'tan');
  const far = Float32Array.from([1e4, -1e5, 12345.678, 1e6]);
  const exactly = [...far].map((one) => Math.tan(one));
  expectClose(await tan(tensor(far)).data(), exactly, { relative: 1e-3, absolute: 1e-5 }, 'tan, far');
  expect([...(await tan([inf, -inf]).data())]).toEqual([nan, nan]);
});

test('atan2 has the angle of every quadrant, axis, zero and infinity', async () => {
  const values = [0, -0, 1, -1, inf, -inf, 2, nan, -1e-30, 1e30];
  const pairs = values.flatMap((y) => values.map((x) => [y, x]));
  const got = await atan2(
    pairs.map(([y]) => y),
    pairs.map(([, x]) => x),
  ).data();
  const exact = pairs.map(([y, x]) => Math.atan2(y, x));
  expectClose(got, exact, { relative: 1e-6, absolute: 1e-37 }, 'atan2');
});

/** Python's: exact in float64 as long as the remainder is. */
const floorMod = (x: number, y: number): number => {
  if (!Number.isFinite(x) || Number.isNaN(y) || y === 0) return nan;
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? Math.fround(rest + y) : rest;
};

test('mod has the exact remainder of any two numbers, and the sign of the second', async () => {
  const values = [0, 5, -5, 0.1, -0.1, 3, -7.25, 1e10, -1e30, 3e38, 1e-30, inf, -inf, nan, 16777217, 1 / 3];
  const f32 = [...Float32Array.from(values)];
  const pairs = f32.flatMap((x) => f32.map((y) => [x, y]));
  const [x, y] = [0, 1].map((i) => tensor(pairs.map((pair) => pair[i])));
  expectClose(
    await mod(x, y).data(),
    pairs.map(([a, b]) => floorMod(a, b)),
    {},
    'mod',
  );
  expect([
    ...(await mod(
      tensor([7, -7, 7, -7, 7], { dtype: 'i32' }),
      tensor([3, 3, -3, -3, 0], { dtype: 'i32' }),
    ).data()),
  ]).toEqual([1, 2, -2, -1, 0]);
});

test('round takes the even one of two neighbours and keeps NaN and infinities', async () => {
  const x = [0.5, 1.5, 2.5, -0.5, -1.5, 2.4999998, 8388609.5, nan, inf, -inf, -2.6];
  expect([...(await round(x).data())].map((one) => one + 0)).toEqual([
    0,
    2,
    2,
    0,
    -2,
    2,
    8388610,
    nan,
    inf,
    -inf,
    -3,
  ]);
});

test('what is not finite is found, and replaced on request', async () => {
  const x = tensor([nan, inf, -inf, 3e38, 0]);
  expect([...(await x.isNan().data())]).toEqual([1, 0, 0, 0, 0]);
  expect([...(await x.isInf().data())]).toEqual([0, 1, 1, 0, 0]);
  expect([...(await x.isFinite().data())]).toEqual([0, 0, 0, 1, 1]);
  expect(x.isNan().dtype).toBe('bool');
  const most = Math.fround(3.4028234663852886e38);
  expect([...(await nanToNum(x).data())]).toEqual([0, most, -most, Math.fround(3e38), 0]);
  expect([...(await nanToNum(x, { nan: 1, posInf: 2, negInf: 3 }).data())].slice(0, 3)).toEqual([1, 2, 3]);
});

test('activations keep NaN and have their limits far out', async () => {
  const x = tensor([nan, 80, -80, inf]);
  const known: [(x: TensorLike) => Tensor, number[]][] = [
    [silu, [nan, 80, 0, inf]],
    [gelu, [nan, 80, 0, inf]],
    [mish, [nan, 80, 0, inf]],
    [hardSwish, [nan, 80, 0, inf]],
    [leakyRelu, [nan, 80, -16, inf]],
    [celu, [nan, 80, -1, inf]],
  ];
  for (const [f, wanted] of known) expectClose(await f(x).data(), wanted, { absolute: 1e-6 }, f.name);
});

test('celu has a finite slope where its exponential would overflow', async () => {
  const x = tensor([200, -200, 0]);
  const [dx] = gradients(celu(x).sum(), [x]);
  expect([...(await dx.data())]).toEqual([1, 0, 1]);
});

test('statistics of nothing, of infinities and of numbers far from 0 are right', async () => {
  expect(await logSumExp(zeros([0])).item()).toBe(-inf);
  expect([...(await logSumExp(zeros([2, 0]), 1).data())]).toEqual([-inf, -inf]);
  expect(await logSumExp([-inf, -inf]).item()).toBe(-inf);
  expect(await logSumExp([1, inf]).item()).toBe(inf);
  expect(await logSumExp([1, nan]).item()).toBe(nan);
  expect(await logSumExp([1000, 1000]).item()).toBeCloseTo(1000 + Math.LN2, 3);
  expect(await any(zeros([0])).item()).toBe(0);
  expect(await all(zeros([0])).item()).toBe(1);
  expect(await any([0, nan]).item()).toBe(1);
  expect(await variance(zeros([0])).item()).toBe(nan);
  expect(await variance([16777216, 16777218, 16777220]).item()).toBeCloseTo(8 / 3, 4);
});

test('norm and std have gradient 0 and no NaN where they are 0', async () => {
  const x = tensor([
    [0, 0],
    [3, 4],
  ]);
  const [dx] = gradients(norm(x, 'euclidean', 1).sum(), [x]);
  expect([...(await dx.data())].map((one) => Number(one.toFixed(5)))).toEqual([0, 0, 0.6, 0.8]);
  const same = tensor([2, 2, 2]);
  const [slope] = gradients(std(same), [same]);
  expect([...(await slope.data())]).toEqual([0, 0, 0]);
});

test('no gradient flows through stopGradient, and the numbers are the same', async () => {
  const w = variable([2, 3]);
  const y = w.mul(stopGradient(w.square())).sum();
  const [dw] = gradients(y, [w]);
  expect(await y.item()).toBe(35);
  expect([...(await dw.data())]).toEqual([4, 9]);
  expect([...(await stopGradient(w).reshape([1, 2]).data())]).toEqual([2, 3]);
  expect(() => gradients(stopGradient(w.square()).sum(), [w])).toThrow(/no differentiable path/);
});
