/** What a gradient leaves out stays out: an infinite or undefined one reaches only what it belongs to. And nothing is an answer. */
import { expect, test } from 'vitest';
import {
  concat,
  floorDiv,
  gather,
  gradients,
  maximum,
  minimum,
  pad,
  stack,
  type Tensor,
  tensor,
  variable,
  where,
  zeros,
} from '../../src/index.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** dx for y = f(x), when these arrive at y. */
async function pulled(f: (x: Tensor) => Tensor, x: number[], seed: number[]): Promise<number[]> {
  const v = variable(x);
  const y = f(v);
  const [dx] = gradients(y, [v], { seed: tensor(seed, { shape: y.shape }) });
  return [...(await dx.data())];
}

const at = [0, 2, 2];
test.each<[string, (x: Tensor) => Tensor, number[], number[], number[]]>([
  ['gather', (x) => x.gather(at), [1, 2, 3, 4], [inf, 1, nan], [inf, 0, nan, 0]],
  [
    'gather along a later axis',
    (x) => gather(x.reshape([2, 2]), [1], 1),
    [1, 2, 3, 4],
    [inf, 1],
    [0, inf, 0, 1],
  ],
  ['slice', (x) => x.slice([1], [2]), [1, 2, 3, 4], [nan, inf], [0, nan, inf, 0]],
  ['concat', (x) => concat([x, x]), [1, 2], [inf, 1, 2, nan], [inf, nan]],
  ['stack', (x) => stack([x.slice([0], [1]), x.slice([1], [1])]), [1, 2], [inf, 3], [inf, 3]],
  ['pad', (x) => pad(x, [[1, 1]]), [1, 2], [nan, 1, 2, inf], [1, 2]],
  ['where', (x) => where(x.greater(0), x, x.mul(2)), [1, -1], [inf, 3], [inf, 6]],
  ['where on one side', (x) => where(x.greater(0), x, 0), [1, -1], [2, inf], [2, 0]],
  ['maximum', (x) => maximum(x, 0), [1, -1], [2, inf], [2, 0]],
  ['minimum', (x) => minimum(x, 0), [1, -1], [nan, 2], [0, 2]],
  ['clip', (x) => x.clip(-1, 1), [0.5, 9], [2, inf], [2, 0]],
  ['relu', (x) => x.relu(), [1, -1], [2, nan], [2, 0]],
  ['relu6', (x) => x.relu6(), [1, 9], [2, inf], [2, 0]],
  ['abs at 0', (x) => x.abs(), [0, -3], [inf, 2], [0, -2]],
  ['x⁰', (x) => x.pow([0, 2]), [3, 3], [inf, 2], [0, 12]],
  ['max', (x) => x.reshape([2, 2]).max(1), [1, 2, 3, 4], [inf, 1], [0, inf, 0, 1]],
  ['a product with two zeros', (x) => x.reshape([2, 2]).prod(1), [0, 0, 3, 4], [inf, 1], [0, 0, 4, 3]],
  ['elu', (x) => x.elu(), [1, 2], [inf, 2], [inf, 2]],
])('%s: what it leaves out is 0, whatever arrives', async (_name, f, x, seed, wanted) => {
  expect(await pulled(f, x, seed)).toEqual(wanted);
});

test('one infinite loss of a batch of gathered rows leaves the other rows as they are', async () => {
  const table = variable([
    [1, 2],
    [0, 3],
    [4, 5],
  ]);
  const [dx] = gradients(table.gather([0, 1, 0]).log().sum(), [table]);
  expect(await dx.array()).toEqual([
    [2, 1],
    [inf, Math.fround(1 / 3)],
    [0, 0],
  ]);
});

test('the gradient of a gather can be differentiated again', async () => {
  const x = variable([1, 2, 3]);
  const [dx] = gradients(x.gather([2, 0, 2]).pow(3).sum(), [x]);
  expect([...(await dx.data())]).toEqual([3, 0, 54]);
  const [ddx] = gradients(dx.sum(), [x]);
  expect([...(await ddx.data())].map((one) => Math.round(one))).toEqual([6, 0, 36]);
});

test('thousands of rows that meet in one are added up to five millionths', async () => {
  const x = variable(zeros([2, 1]));
  const [dx] = gradients(x.gather(new Int32Array(20_000)).mul(0.1).sum(), [x]);
  const [sum, rest] = await dx.data();
  expect(Math.abs(sum / 2000 - 1)).toBeLessThan(5e-6);
  expect(rest).toBe(0);
});

test('what has no elements has a gradient without elements', async () => {
  const empty = () => variable(zeros([5, 0, 10]));
  const x = empty();
  const [dx] = gradients(gather(x, tensor(new Int32Array(0)), 1).sum(), [x]);
  expect(dx.shape).toEqual([5, 0, 10]);
  expect(await dx.data()).toHaveLength(0);
  const [a, b] = [variable(zeros([0, 2])), variable([[1, 2]])];
  const [da, db] = gradients(concat([a, b]).square().sum(), [a, b]);
  expect(da.shape).toEqual([0, 2]);
  expect(await db.array()).toEqual([[2, 4]]);
  for (const f of [
    (v: Tensor) => v.slice([0, 0, 1], [5, 0, 2]),
    (v: Tensor) => v.sum(0),
    (v: Tensor) => v.reshape([0, 50]),
    (v: Tensor) => v.exp(),
  ]) {
    const v = empty();
    expect(gradients(f(v).sum(), [v])[0].shape).toEqual([5, 0, 10]);
  }
});

test('the gradient of a whole quotient is 0, and of a remainder that of its dividend', async () => {
  const [x, y] = [variable([7, -7]), variable([2])];
  const gradient = gradients(floorDiv(x, y).add(x).sum(), [x, y]);
  expect(await Promise.all(gradient.map(async (g) => [...(await g.data())]))).toEqual([[1, 1], [0]]);
});
