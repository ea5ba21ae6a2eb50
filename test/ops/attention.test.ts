/** Attention in one kernel against the same in other ops: gradients, gradients of gradients, NaN, and what it refuses. */
import { describe, expect, test } from 'vitest';
import {
  type AttentionOptions,
  capture,
  dotProductAttention,
  gradients,
  greaterEqual,
  logicalAnd,
  matmul,
  softmax,
  type Tensor,
  tensor,
  where,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';

/** [samples, steps, heads, n] in other ops; every head has keys of its own. */
function composed(q: Tensor, k: Tensor, v: Tensor, { mask, isCausal }: AttentionOptions): Tensor {
  const byHead = (x: Tensor) => x.transpose([0, 2, 1, 3]);
  const [steps, length] = [q.shape[1], k.shape[1]];
  const scores = matmul(byHead(q), byHead(k), { transposeB: true }).div(Math.sqrt(q.shape[3]));
  const row = tensor(Array.from({ length: steps }, (_, i) => i)).reshape([1, 1, steps, 1]);
  const column = tensor(Array.from({ length }, (_, i) => i)).reshape([1, 1, 1, length]);
  const causal = isCausal ? greaterEqual(row, column) : greaterEqual(column, 0);
  const may = mask ? logicalAnd(causal, (mask as Tensor).expandDims(1)) : causal;
  return byHead(matmul(softmax(where(may, scores, -1e9)), byHead(v)));
}

const random = generator(11);
const numbers = (...shape: number[]) =>
  tensor(
    random.array(
      shape.reduce((n, m) => n * m, 1),
      -1,
      1,
    ),
    { shape },
  );

const close = (a: ArrayLike<number>, b: ArrayLike<number>, within: number): void => {
  const most = Math.max(...Array.from(a, (one, i) => Math.abs(one - b[i])));
  expect(most).toBeLessThan(within);
};

describe.each([
  ['every key', {}],
  ['no later key', { isCausal: true }],
  ['masked keys', { mask: tensor([[[1, 1, 0, 1, 0, 0]], [[1, 1, 1, 1, 1, 0]]]).cast('bool') }],
] as [string, AttentionOptions][])('where a query sees %s', (_name, options) => {
  const [q, k, v, g] = [numbers(2, 6, 3, 4), numbers(2, 6, 3, 4), numbers(2, 6, 3, 8), numbers(2, 6, 3, 8)];
  const directions = [numbers(2, 6, 3, 4), numbers(2, 6, 3, 4), numbers(2, 6, 3, 8)];

  /** A result, its gradients, and what gradients of a mix of these are. */
  const all = (f: typeof composed) =>
    capture((...[a, b, c, h]: Tensor[]) => {
      const y = f(a, b, c, options);
      const first = gradients(y.mul(h).sum(), [a, b, c]);
      const mixed = first.map((one, i) => one.mul(directions[i]).sum()).reduce((s, one) => s.add(one));
      return [y, ...first, ...gradients(mixed, [a, b, c, h])];
    });

  test('gradients, and gradients of gradients, are those of the composition', async () => {
    const [ours, theirs] = [await all(dotProductAttention)(q, k, v, g), await all(composed)(q, k, v, g)];
    for (const [i, one] of ours.entries()) close(await one.data(), await theirs[i].data(), 1e-4);
  });
});

test('a whole step of it is one kernel forward and two back, scores nowhere', async () => {
  const [q, k, v] = [numbers(2, 33, 2, 8), numbers(2, 33, 2, 8), numbers(2, 33, 2, 8)];
  const step = capture((a: Tensor, b: Tensor, c: Tensor) =>
    gradients(dotProductAttention(a, b, c, { isCausal: true }).square().sum(), [a, b, c]),
  );
  await step(q, k, v);
  const { kernels } = await step.profile({ measure: false }, q, k, v);
  const ours = kernels.filter(({ ops }) => ops.some((op) => op.startsWith('attention')));
  expect(ours.length).toBe(3);
  expect(Math.max(...kernels.flatMap(({ writes }) => writes.map(({ shape }) => shape.length)))).toBe(4);
  expect(kernels.length).toBeLessThanOrEqual(5);
});

test('NaN and +∞ stay in the rows that see them; a key that nobody may look at does no harm', async () => {
  const x = numbers(1, 4, 1, 2);
  const bad = Float32Array.from(await x.data());
  bad[4] = Number.NaN; // of step 2
  const k = tensor(bad, { shape: [1, 4, 1, 2] });
  const y = await dotProductAttention(x, k, x, { isCausal: true }).data();
  expect(Array.from(y, Number.isNaN)).toEqual([false, false, false, false, true, true, true, true]);
  const mask = tensor([[[1, 1, 0, 1]]]).cast('bool');
  const kept = await dotProductAttention(x, k, x, { mask }).data();
  expect(Array.from(kept, Number.isFinite)).toEqual(Array(8).fill(true));
});

test('a query that may look at nothing looks at all alike', async () => {
  const v = numbers(1, 3, 1, 1);
  const mask = tensor([[[0, 0, 0]]]).cast('bool');
  const y = await dotProductAttention(numbers(1, 1, 1, 2), numbers(1, 3, 1, 2), v, { mask }).data();
  const [a, b, c] = await v.data();
  expect(y[0]).toBeCloseTo((a + b + c) / 3, 5);
});

test('deep heads are composed; shapes and options that do not fit are refused', async () => {
  const deep = numbers(1, 2, 1, 300);
  close(
    await dotProductAttention(deep, deep, deep).data(),
    await composed(deep, deep, deep, {}).data(),
    1e-4,
  );
  const x = numbers(2, 5, 4, 8);
  expect(() => dotProductAttention(x, numbers(2, 5, 3, 8), numbers(2, 5, 3, 8))).toThrow(
    /query \[2, 5, 4, 8\], key \[2, 5, 3, 8\].*groups divide heads/,
  );
  expect(() => dotProductAttention(x, x, numbers(2, 6, 4, 8))).toThrow(
    /expected \[samples, steps, heads, depth\]/,
  );
  expect(() => dotProductAttention(x, x, x, { mask: numbers(2, 4, 5) })).toThrow(/mask \[2, 4, 5\]/);
  expect(() => dotProductAttention(x, x, x, { slidingWindow: 0 })).toThrow(/slidingWindow is 0/);
  expect(() => dotProductAttention(x, x, x, { scale: Number.NaN })).toThrow(/scale is NaN/);
  expect(() => dotProductAttention(x, x, x, { causal: true } as never)).toThrow(/isCausal/);
});
