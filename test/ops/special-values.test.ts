/** NaN and infinities stay what they are where a driver would rather simplify the formula that makes them. */
import { expect, test } from 'vitest';
import { capture, isNan, maximum, squaredDifference, type Tensor, tensor } from '../../src/index.ts';

const a = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -2, 3];
const b = [1, 2, 3, Number.POSITIVE_INFINITY, Number.NaN];

const formulas: Record<string, [(x: Tensor, y: Tensor) => Tensor, (x: number, y: number) => number]> = {
  'x - x': [(x) => x.sub(x), (x) => x - x],
  'x + -x': [(x) => x.add(x.neg()), (x) => x - x],
  '(x + 1) - x': [(x) => x.add(1).sub(x), (x) => x + 1 - x],
  'x - (x - 1)': [(x) => x.sub(x.sub(1)), (x) => x - (x - 1)],
  '(√y + x) - x': [(x, y) => y.sqrt().add(x).sub(x), (x, y) => Math.sqrt(y) + x - x],
  'x y - x y': [(x, y) => x.mul(y).sub(x.mul(y)), (x, y) => x * y - x * y],
  'x as a row and a column, minus x': [(x) => x.reshape([1, 5]).sub(x).reshape([5]), (x) => x - x],
  '(x - x)²': [(x) => squaredDifference(x, x), (x) => (x - x) ** 2],
  '√x²': [(x) => x.sqrt().square(), (x) => Math.sqrt(x) ** 2],
  '√x √x': [(x) => x.sqrt().mul(x.sqrt()), (x) => Math.sqrt(x) ** 2],
  '1 / √x²': [(x) => x.rsqrt().square(), (x) => (1 / Math.sqrt(x)) ** 2],
  'max(y - x, -y)': [(x, y) => maximum(y.sub(x), y.neg()), (x, y) => Math.max(y - x, -y)],
  'log(x - x)': [(x) => x.sub(x).log(), (x) => Math.log(x - x)],
};

test.each(Object.entries(formulas))(
  '%s of NaN and infinities is as IEEE has it',
  async (_name, [f, exact]) => {
    const y = f(tensor(a), tensor(b));
    const captured = await capture((p: Tensor, q: Tensor) => f(p, q))(tensor(a), tensor(b));
    const right = a.map((x, i) => Math.fround(exact(x, b[i])));
    for (const values of [await y.data(), await captured.data()])
      values.forEach((value, i) => {
        if (Number.isNaN(right[i]) || !Number.isFinite(right[i])) expect(value).toBe(right[i]);
        else expect(value).toBeCloseTo(right[i], 4);
      });
  },
);

test('the sum of what cancels but for one NaN is NaN', async () => {
  const x = tensor([1, 2, Number.POSITIVE_INFINITY]);
  expect(await x.sub(x).sum().item()).toBeNaN();
});

test('isNan is a truth value, of integers false', async () => {
  const y = isNan(tensor(a));
  expect(y.dtype).toBe('bool');
  expect([...(await y.data())]).toEqual([1, 0, 0, 0, 0]);
  expect([...(await isNan(tensor([1, 2], { dtype: 'i32' })).data())]).toEqual([0, 0]);
});
