/** What may share a kernel, and what only looks alike. */
import { describe, expect, it } from 'vitest';
import {
  capture,
  gradients,
  half,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

const closeTo = (got: readonly number[], right: readonly number[]): void => {
  expect(got.length).toBe(right.length);
  for (const [i, one] of right.entries()) expect(got[i], `element ${i}`).toBeCloseTo(one, 4);
};

const logSoftmax = (row: readonly number[]): number[] => {
  const total = Math.log(row.reduce((sum, one) => sum + Math.exp(one), 0));
  return row.map((one) => one - total);
};

describe('bytes that are read in two shapes', () => {
  const z = [1, 2, 3, 4, 0, 0, 1, 5];

  it('have rows of two lengths: a loss of four classes beside softmax over pairs', async () => {
    const engine = await sharedEngine();
    const x = tensor(z, { shape: [2, 4], engine });
    const step = capture(
      (x: Tensor) => {
        const hot = [
          [0, 1, 0, 0],
          [0, 0, 0, 1],
        ];
        const pairs = x.reshape([2, 2, 2]);
        return {
          loss: softmaxCrossEntropy(x, hot),
          pairs: pairs.softmax(),
          best: x.argMax(-1),
          bestOfPairs: pairs.argMax(-1),
          sums: x.sum(-1),
          sumsOfPairs: pairs.sum(-1),
          largest: pairs.max(0),
        };
      },
      { engine },
    );
    const y = await step(x);
    closeTo(await numbers(y.loss), [-logSoftmax(z.slice(0, 4))[1], -logSoftmax(z.slice(4))[3]]);
    closeTo(
      await numbers(y.pairs),
      [0, 2, 4, 6].flatMap((i) => logSoftmax(z.slice(i, i + 2)).map(Math.exp)),
    );
    expect(await numbers(y.best)).toEqual([3, 3]);
    expect(await numbers(y.bestOfPairs)).toEqual([1, 1, 0, 1]);
    expect(await numbers(y.sums)).toEqual([10, 6]);
    expect(await numbers(y.sumsOfPairs)).toEqual([3, 7, 0, 6]);
    expect(await numbers(y.largest)).toEqual([1, 2, 3, 5]);
  });

  it('are read where the view that is given back lies, after the bytes behind it were used again', async () => {
    const engine = await sharedEngine();
    const made = (seed: number, shape: [number, number]): Tensor =>
      tensor(
        Float32Array.from({ length: shape[0] * shape[1] }, (_, k) => Math.sin(k * 0.37 + seed) * 0.3),
        { shape, engine },
      );
    const step = capture(
      (x: Tensor, w: Tensor, large: Tensor) => {
        const product = x.matmul(w);
        const view = product.reshape([1, 64, 16]);
        // Long after the product's last use, its place is another's.
        const later = large.mul(product.max()).matmul(large).tanh();
        return { view, p: view.softmax().mul(later.max().mul(0).add(1)), sum: later.sum() };
      },
      { engine },
    );
    const { view, p } = await step(made(1, [64, 20]), made(2, [20, 16]), made(4, [64, 64]));
    const rows = await numbers(view);
    closeTo(
      await numbers(p),
      Array.from({ length: 64 }, (_, i) => logSoftmax(rows.slice(16 * i, 16 * i + 16)).map(Math.exp)).flat(),
    );
    const logits = tensor([1, 2, 3, 4, 5, 6], { shape: [1, 2, 3], engine });
    const both = capture(
      (x: Tensor, w: Tensor) => {
        const y = x.matmul(w);
        return { y, p: y.softmax() };
      },
      { engine },
    );
    const given = await both(logits, made(3, [3, 2]));
    const [a, b] = [await numbers(given.y), await numbers(given.p)];
    closeTo(
      b,
      [0, 2].flatMap((i) => logSoftmax(a.slice(i, i + 2)).map(Math.exp)),
    );
  });

  it('give gradients of their own', async () => {
    const engine = await sharedEngine();
    const x = variable(tensor([1, 2, 3, 4], { shape: [1, 4], engine }));
    const loss = softmaxCrossEntropy(x, [[0, 1, 0, 0]])
      .sum()
      .add(x.reshape([2, 2]).logSoftmax().square().sum());
    const [g] = gradients(loss, [x]);
    const f = (v: readonly number[]): number =>
      [...logSoftmax(v.slice(0, 2)), ...logSoftmax(v.slice(2))].reduce((sum, one) => sum + one * one, 0) -
      logSoftmax(v)[1];
    const moved = (i: number, by: number) => [1, 2, 3, 4].map((one, k) => (k === i ? one + by : one));
    closeTo(
      await numbers(g),
      [0, 1, 2, 3].map((i) => (f(moved(i, 1e-5)) - f(moved(i, -1e-5))) / 2e-5),
    );
    closeTo(await numbers(loss), [f([1, 2, 3, 4])]);
  });

  it('share one kernel where the shape is the same', async () => {
    const engine = await sharedEngine();
    const step = capture(
      (x: Tensor) => [softmaxCrossEntropy(x, x.mul(0)), x.softmax(), x.argMax(-1), x.logSoftmax()],
      { engine },
    );
    await step.prepare(tensor(z, { shape: [2, 4], engine }));
    expect(step.dispatches).toBe(1);
  });
});

describe('results that are packed', () => {
  it('as bytes leave what is made of them to another kernel', async () => {
    const engine = await sharedEngine();
    const step = capture(
      (x: Tensor) => {
        const bytes = x.gather([4, 3, 2, 1, 0]);
        const doubled = bytes.cast('f32').mul(2);
        return { bytes, doubled, more: doubled.add(1), sum: bytes.sum() };
      },
      { engine },
    );
    const y = await step(tensor(Uint8Array.of(9, 8, 7, 6, 5), { engine }));
    expect(await numbers(y.bytes)).toEqual([5, 6, 7, 8, 9]);
    expect(await numbers(y.doubled)).toEqual([10, 12, 14, 16, 18]);
    expect(await numbers(y.more)).toEqual([11, 13, 15, 17, 19]);
    expect(await numbers(y.sum)).toEqual([35]);
  });

  it('as bytes are updated in place, at their own elements and at others', async () => {
    const engine = await sharedEngine();
    const x = variable(tensor(Uint8Array.of(1, 2, 3, 4, 5), { engine }));
    const y = variable(tensor(Uint8Array.of(10, 20, 30), { engine }));
    const step = capture(
      (by: Tensor) => {
        const old = x.cast('f32').mul(10);
        x.assign(x.cast('i32').add(by.cast('i32')).cast('u8'));
        y.assign(y.gather([2, 1, 0]));
        return old;
      },
      { engine },
    );
    expect(await numbers(await step(tensor(Int32Array.of(2), { engine })))).toEqual([10, 20, 30, 40, 50]);
    expect(await numbers(await step(tensor(Int32Array.of(3), { engine })))).toEqual([30, 40, 50, 60, 70]);
    expect(await numbers(x)).toEqual([6, 7, 8, 9, 10]);
    expect(await numbers(y)).toEqual([10, 20, 30]);
  });

  it('as f16 are right beside what is made of them, and where they update a variable', async () => {
    const engine = await sharedEngine();
    const x = variable(tensor([1, 2.0001, 3, 4, 5], { engine }));
    const step = capture(
      () => {
        const rounded = half(x);
        const doubled = rounded.mul(2);
        x.assign(rounded.add(1));
        return { rounded, doubled, sum: doubled.sum() };
      },
      { engine },
    );
    const y = await step();
    expect(await numbers(y.rounded)).toEqual([1, 2, 3, 4, 5]);
    expect(await numbers(y.doubled)).toEqual([2, 4, 6, 8, 10]);
    expect(await numbers(y.sum)).toEqual([30]);
    expect(await numbers(x)).toEqual([2, 3, 4, 5, 6]);
  });
});

describe('kernels of one formula', () => {
  it('are told apart by which of their results are wanted', async () => {
    const engine = await sharedEngine();
    // Elementwise, with a part that two of them need on the way and only one of them gives back.
    const part = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 8; i++) y = y.mul(0.5).add(x).tanh();
      return y;
    };
    const steps = (xs: readonly Tensor[]) => {
      const parts = xs.map(part);
      const squares = parts.map((y) => y.square().add(1));
      return [parts[0], ...squares, ...parts.map((y) => y.neg())];
    };
    const data = [0.5, -1, 2].map((one) => tensor(new Float32Array(70).fill(one), { engine }));
    const got = await capture((a: Tensor, b: Tensor, c: Tensor) => steps([a, b, c]), { engine })(
      data[0],
      data[1],
      data[2],
    );
    const exact = [0.5, -1, 2].map((x) => {
      let y = x;
      for (let i = 0; i < 8; i++) y = Math.tanh(y * 0.5 + x);
      return y;
    });
    const right = [exact[0], ...exact.map((y) => y * y + 1), ...exact.map((y) => -y)];
    for (const [i, one] of got.entries()) closeTo(await numbers(one), new Array<number>(70).fill(right[i]));
  });
});
