/** Scans, sorts and sums by position on long axes, on what is hard to order, and where gradients meet zeros. */
import { expect, test } from 'vitest';
import {
  arange,
  argsort,
  cumprod,
  cumsum,
  gatherNd,
  gradients,
  iota,
  ShapeError,
  scatter,
  sort,
  type Tensor,
  takeAlongAxis,
  tensor,
  topK,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { expectClose } from './check.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

test('a million numbers are summed up as they run, the same bits each time', async () => {
  const x = generator(1).array(1_000_003, 0, 1);
  let total = 0;
  const exact = Float64Array.from(x, (one) => {
    total += one;
    return total;
  });
  const once = await cumsum(tensor(x)).data();
  const worst = [...once].reduce((most, one, i) => Math.max(most, Math.abs(one / exact[i] - 1)), 0);
  expect(worst).toBeLessThan(1e-5);
  const again = await cumsum(tensor(x)).data();
  expect(once.every((one, i) => one === again[i])).toBe(true);
  const counts = await cumsum(iota(70_000), 0, { reverse: true, exclusive: true }).data();
  expect([counts[0], counts[69_998], counts[69_999]]).toEqual([((70_000 * 69_999) / 2) | 0, 69_999, 0]);
});

test('a hundred thousand numbers are sorted, and equals keep their order', async () => {
  const x = generator(2).array(100_003, -50, 50).map(Math.round);
  const order = await argsort(tensor(x)).data();
  const wanted = Array.from(x, (_, i) => i).sort((a, b) => x[a] - x[b] || a - b);
  expect(wanted.every((one, i) => order[i] === one)).toBe(true);
  const sorted = await sort(tensor(x)).data();
  expect(wanted.every((one, i) => sorted[i] === x[one])).toBe(true);
});

test('NaN counts as the largest, zeros of both signs as equal, and infinities have their place', async () => {
  const x = tensor([0, nan, inf, -0, -inf, 1e-30, -3e38, nan, -1e-30]);
  expect(await numbers(argsort(x))).toEqual([4, 6, 8, 0, 3, 5, 2, 1, 7]);
  expect(await numbers(argsort(x, 0, { descending: true }))).toEqual([1, 7, 2, 5, 0, 3, 8, 6, 4]);
  expect(await numbers(sort(tensor([2 ** 31, 3, 2 ** 32 - 1], { dtype: 'u32' })))).toEqual([
    3,
    2 ** 31,
    2 ** 32 - 1,
  ]);
  expect(await numbers(sort(tensor([2, -(2 ** 31), -1], { dtype: 'i32' })))).toEqual([-(2 ** 31), -1, 2]);
  expect(sort(tensor([true, false])).dtype).toBe('i32');
});

test('the largest come with their places, the first of equals first', async () => {
  const { values, indices } = topK([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], 4);
  expect(await numbers(values)).toEqual([9, 6, 5, 5]);
  expect(await numbers(indices)).toEqual([5, 7, 4, 8]);
  expect(topK(zeros([2, 3]), 0).values.shape).toEqual([2, 0]);
  expect(() => topK([1, 2], 3)).toThrow(ValueError);
});

test('the gradient of a sort goes back to where each number came from', async () => {
  const x = tensor([3, 1, 2, 1]);
  const [dx] = gradients(sort(x).mul([1, 10, 100, 1000]).sum(), [x]);
  expect(await numbers(dx)).toEqual([1000, 1, 100, 10]);
});

test('a running product has its gradient at zeros, one or several, forwards, backwards and exclusive', async () => {
  for (const values of [
    [2, 0, 3, 4],
    [0, 2, 0, 3],
    [2, 3, 4, 0],
  ])
    for (const options of [{}, { reverse: true }, { exclusive: true }, { exclusive: true, reverse: true }]) {
      const dy = [1, -2, 3, 5];
      const x = tensor(values);
      const [dx] = gradients(cumprod(x, 0, options).mul(dy).sum(), [x]);
      const loss = (from: readonly number[]): number => {
        const line = options.reverse ? [...from].reverse() : from;
        let total = 1;
        const y = line.map((one) => {
          const before = total;
          total *= one;
          return options.exclusive ? before : total;
        });
        return (options.reverse ? y.reverse() : y).reduce((sum, one, i) => sum + one * dy[i], 0);
      };
      // Linear in each element, so a difference of 1 is its slope.
      const exact = values.map((_, i) => loss(values.map((one, j) => one + Number(i === j))) - loss(values));
      expectClose(
        await numbers(dx),
        exact,
        { relative: 1e-6, absolute: 1e-6 },
        JSON.stringify({ values, options }),
      );
    }
});

test('what goes to one place is summed, in order, and can be differentiated twice', async () => {
  expect(await numbers(scatter([[0], [2], [0]], [1, 2, 3], [4]))).toEqual([4, 0, 2, 0]);
  const indices = tensor([[1], [1], [0]], { dtype: 'i32' });
  const v = tensor([1, 2, 3]);
  const [dv] = gradients(scatter(indices, v, [3]).square().sum(), [v]);
  const [second] = gradients(dv.mul([1, 10, 100]).sum(), [v]);
  expect(await numbers(dv)).toEqual([6, 6, 6]);
  expect(await numbers(second)).toEqual([22, 22, 200]);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const [dx] = gradients(
    takeAlongAxis(x, [[0, 0, 1]], 1)
      .mul([1, 2, 4])
      .sum(),
    [x],
  );
  expect(await numbers(dx)).toEqual([3, 4, 3, 4]);
});

test('many values for few places keep an accurate sum, and integers an exact one', async () => {
  const n = 50_000;
  const places = iota(n).mul(0).reshape([n, 1]);
  expect(await scatter(places, iota(n), [2]).data()).toEqual(Int32Array.of((n * (n - 1)) / 2, 0));
  const tenths = arange(n).mul(0).add(0.1).cast('f32');
  const [sum] = await scatter(places, tenths, [2]).data();
  expect(Math.abs(sum / (n * Math.fround(0.1)) - 1)).toBeLessThan(1e-5);
});

test('positions made on the GPU that lie outside go nowhere; those known on the host are refused', async () => {
  const outside = iota(4).sub(1).reshape([4, 1]);
  expect(await numbers(scatter(outside, [1, 2, 3, 4], [2]))).toEqual([2, 3]);
  expect(() => scatter([[4]], [1], [4])).toThrow(ValueError);
  expect(() => gatherNd([1, 2], [[-1]])).toThrow(ValueError);
  expect(() => takeAlongAxis([1, 2], [2])).toThrow(ValueError);
  expect(() => gatherNd([1, 2], [[0, 0]])).toThrow(ShapeError);
  expect(() => scatter([[0]], [1, 2], [4])).toThrow(ShapeError);
  expect(await numbers(scatter(zeros([0, 1], 'i32'), zeros([0]), [2]))).toEqual([0, 0]);
});
