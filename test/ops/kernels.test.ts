/** What the kernels of products, reductions and softmax promise beyond the registry's cases. */
import { describe, expect, test } from 'vitest';
import { simplify } from '../../src/graph/simplify.ts';
import {
  argMax,
  capture,
  gradients,
  iota,
  matmul,
  max,
  mean,
  oneHot,
  prod,
  softmax,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
  variable,
  zeros,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { sharedEngine, testEngine } from '../support/engine.ts';
import { expectBytesAsCopies } from './packed-rows.ts';

const random = generator(5);
const matrix = (...shape: number[]): Tensor =>
  tensor(
    random.array(
      shape.reduce((size, n) => size * n, 1),
      -1,
      1,
    ),
    { shape },
  );

describe('by-products', () => {
  test('the bias gradient rides on the weight gradient', async () => {
    const [x, w, b, upstream] = [
      matrix(33, 7),
      variable(matrix(7, 21)),
      variable(matrix(21)),
      matrix(33, 21),
    ];
    const step = capture(() => gradients(sum(matmul(x, w).add(b).mul(upstream)), [w, b]));
    const [dw, db] = await step();
    expect(step.dispatches).toBe(1);
    const [xs, gs] = [await x.data(), await upstream.data()];
    const [dws, dbs] = [await dw.data(), await db.data()];
    for (let n = 0; n < 21; n++) {
      let column = 0;
      let product = 0;
      for (let k = 0; k < 33; k++) {
        column += gs[k * 21 + n];
        product += xs[k * 7 + 3] * gs[k * 21 + n];
      }
      expect(dbs[n]).toBeCloseTo(column, 4);
      expect(dws[3 * 21 + n]).toBeCloseTo(product, 4);
    }
  });

  test('loss, gradient, probabilities and the most likely class of the same logits are one dispatch', async () => {
    const logits = matrix(9, 10);
    const labels = iota(9);
    const step = capture((x: Tensor) => {
      const losses = softmaxCrossEntropy(x, oneHot(labels, 10));
      return [losses, softmax(x), argMax(x, -1), ...gradients(sum(losses), [x])];
    });
    const [losses, p, best, dx] = await Promise.all((await step(logits)).map((y) => y.data()));
    expect(step.dispatches).toBe(1);
    const x = await logits.data();
    for (let r = 0; r < 9; r++) {
      const row = [...x.subarray(10 * r, 10 * r + 10)];
      expect(best[r]).toBe(row.indexOf(Math.max(...row)));
      expect(losses[r]).toBeCloseTo(-Math.log(p[11 * r]), 5);
      for (let c = 0; c < 10; c++) expect(dx[10 * r + c]).toBeCloseTo(p[10 * r + c] - Number(c === r), 5);
    }
  });
});

test('a GPU makes few long sums in slices, a software adapter very long ones only', async () => {
  const { profile } = await sharedEngine();
  const plannedFor = (isSoftware: boolean, ...[rows, inner, columns]: number[]) =>
    simplify([matmul(zeros([rows, inner]).add(1), zeros([inner, columns]).add(1))], {
      ...profile,
      isSoftware,
    })
      .nodes.filter(({ op }) => op?.name.startsWith('matmul'))
      .map(({ op, attributes }) => `${op!.name} ${attributes.slices ?? 1}`);
  expect(plannedFor(false, 32, 784, 10)).toEqual(['matmulSlices 7']);
  expect(plannedFor(true, 32, 784, 10)).toEqual(['matmul 1']);
  expect(plannedFor(false, 32, 784, 100)).toEqual(['matmul 1']);
  expect(plannedFor(false, 784, 32, 10)).toEqual(['matmul 1']);
  expect(plannedFor(true, 2, 5000, 3)).toEqual(['matmulSlices 2']);
});

describe('grids and limits', () => {
  test('a grid that is folded into rows of at most 40 workgroups gives the same numbers', async () => {
    const engine = await testEngine({ limits: { maxComputeWorkgroupsPerDimension: 40 } });
    const values = random.array(4000 * 9, -1, 1);
    const [x, y] = [undefined, engine].map((on) => tensor(values, { shape: [4000, 9], engine: on }));
    for (const f of [
      (a: Tensor) => matmul(a, a.slice([0, 0], [9, 9])),
      (a: Tensor) => sum(a, 1),
      (a: Tensor) => argMax(a, 1),
      (a: Tensor) => softmax(a),
      (a: Tensor) => softmax(a.transpose()),
    ])
      expect(await f(y).data()).toEqual(await f(x).data());
  });

  test('more products than 65,535 workgroups', async () => {
    const a = matrix(70_000, 1, 2);
    const y = await matmul(a, tensor([[[1], [2]]])).data();
    const x = await a.data();
    for (const z of [0, 1, 65_534, 65_535, 65_536, 69_999])
      expect(y[z]).toBeCloseTo(x[2 * z] + 2 * x[2 * z + 1], 5);
  });

  test.each([128, 256])('an adapter with %i invocations per workgroup is enough', async (invocations) => {
    const engine = await testEngine({
      limits: { maxComputeInvocationsPerWorkgroup: invocations },
      features: [],
    });
    const [a, b] = [random.array(300 * 70, -1, 1), random.array(70 * 300, -1, 1)];
    const shapes = { a: [300, 70], b: [70, 300] };
    const plain = matmul(tensor(a, { shape: shapes.a }), tensor(b, { shape: shapes.b }));
    const small = matmul(tensor(a, { shape: shapes.a, engine }), tensor(b, { shape: shapes.b, engine }));
    const [wanted, got] = [await plain.data(), await small.data()];
    for (let i = 0; i < wanted.length; i += 997) expect(got[i]).toBeCloseTo(wanted[i], 4);
  });
});

test.each([784, 800, 786])('rows of %i packed bytes give what their copy as f32 gives', async (extent) => {
  const engine = await testEngine();
  const dispatches = await expectBytesAsCopies(engine, extent, 'as chosen');
  const { isSoftware, subgroups } = engine.profile;
  // 786 is no multiple of 4: there is a copy then, as on every GPU.
  if (isSoftware && subgroups) expect(dispatches).toBe(extent % 4 === 0 ? 2 : 3);
});

describe('products', () => {
  test('a dense layer over sequences is one tall product, and so is its gradient', async () => {
    const [x, w] = [matrix(4, 5, 6), matrix(6, 3)];
    const step = capture((u: Tensor, v: Tensor) => {
      const y = matmul(u, v);
      return [y, ...gradients(sum(y), [u, v])];
    });
    const [y, dx, dw] = await step(x, w);
    expect([y, dx, dw].map(({ shape }) => shape)).toEqual([
      [4, 5, 3],
      [4, 5, 6],
      [6, 3],
    ]);
    const [xs, dws] = [await x.data(), await dw.data()];
    for (let k = 0; k < 6; k++) {
      let total = 0;
      for (let row = 0; row < 20; row++) total += xs[row * 6 + k];
      expect(dws[3 * k]).toBeCloseTo(total, 4);
    }
  });

  test('batches broadcast like NumPy', async () => {
    const [a, b] = [matrix(2, 1, 3, 4), matrix(5, 4, 2)];
    const y = matmul(a, b);
    expect(y.shape).toEqual([2, 5, 3, 2]);
    const [as, bs, ys] = [await a.data(), await b.data(), await y.data()];
    let wanted = 0;
    for (let k = 0; k < 4; k++) wanted += as[12 + 4 + k] * bs[3 * 8 + 2 * k + 1];
    expect(ys[((1 * 5 + 3) * 3 + 1) * 2 + 1]).toBeCloseTo(wanted, 5);
  });

  test('integers multiply as integers', async () => {
    const y = matmul(tensor([[1, 2]], { dtype: 'i32' }), tensor([[3], [1 << 24]], { dtype: 'i32' }));
    expect([y.dtype, ...(await y.data())]).toEqual(['i32', 3 + 2 ** 25]);
  });

  test('nothing summed is zero', async () => {
    expect([...(await matmul(tensor([], { shape: [2, 0] }), tensor([], { shape: [0, 3] })).data())]).toEqual(
      Array(6).fill(0),
    );
  });

  test('the message names the flag to flip', () => {
    expect(() => matmul(matrix(3, 4), matrix(5, 4))).toThrow(
      'matmul: a [3, 4] · b [5, 4] (transposeA: false, transposeB: false): inner sizes 4 and 5 differ. ' +
        'Pass { transposeA: false, transposeB: true }?',
    );
    expect(() => matmul(matrix(3, 4), matrix(4))).toThrow('b.reshape([-1, 1])');
  });
});

describe('reductions', () => {
  test('of axes that are not neighbours', async () => {
    const x = matrix(3, 4, 5);
    const [got, xs] = [await sum(x, [0, 2], { keepDims: true }).array(), await x.data()];
    const wanted = Array(4).fill(0);
    xs.forEach((value, i) => {
      wanted[Math.floor(i / 5) % 4] += value;
    });
    (got as number[][][])[0].forEach(([value], i) => {
      expect(value).toBeCloseTo(wanted[i], 5);
    });
  });

  test('of long columns, in stages', async () => {
    const x = tensor(new Float32Array(30_000 * 3).fill(0.1), { shape: [30_000, 3] });
    const exact = 30_000 * Math.fround(0.1);
    for (const value of await sum(x, 0).data()) expect(Math.abs(value / exact - 1)).toBeLessThan(1e-6);
    expect(await max(x.sub(1), 0).data()).toEqual(new Float32Array(3).fill(Math.fround(0.1) - 1));
  });

  test('keepDims is also taken as a plain third argument, as in Keras', () => {
    expect([sum(matrix(2, 3), 1, true).shape, mean(matrix(2, 3), 0, true).shape]).toEqual([
      [2, 1],
      [1, 3],
    ]);
  });

  test('truth values are counted', async () => {
    const count = sum(tensor([true, false, true]));
    expect([count.dtype, await count.item()]).toEqual(['i32', 2]);
  });

  test('of nothing: sum 0, product 1, mean NaN', async () => {
    const none = tensor([], { shape: [0, 2] });
    expect([...(await sum(none, 0).data())]).toEqual([0, 0]);
    expect([...(await prod(none, 0).data())]).toEqual([1, 1]);
    expect([...(await mean(none, 0).data())]).toEqual([Number.NaN, Number.NaN]);
  });

  test('equal maxima share the gradient evenly, as in Keras', async () => {
    const [dx] = await capture((x: Tensor) => gradients(max(x), [x]))(tensor([1, 7, 7, 3]));
    expect([...(await dx.data())]).toEqual([0, 0.5, 0.5, 0]);
  });

  test('the gradient of a product with zeros in it', async () => {
    const slope = capture((x: Tensor) => gradients(sum(prod(x, 1)), [x]));
    const [dx] = await slope(
      tensor([
        [2, 3, 4],
        [2, 0, 4],
        [0, 0, 4],
      ]),
    );
    expect([...(await dx.data())]).toEqual([12, 8, 6, 0, 8, 0, 0, 0, 0]);
  });
});

test('a lane per row and a workgroup per row agree', async () => {
  const values = random.array(5 * 700, -20, 20);
  const shared = { COOPERATE: true };
  const engine = await testEngine({ tuning: { softmax: shared, argReduce: shared, reduce: shared } });
  const alone = { COOPERATE: false };
  const other = await testEngine({ tuning: { softmax: alone, argReduce: alone, reduce: alone } });
  const [x, y] = [engine, other].map((on) => tensor(values, { shape: [5, 700], engine: on }));
  expect(await argMax(x, 1).data()).toEqual(await argMax(y, 1).data());
  expect(await max(x, 1).data()).toEqual(await max(y, 1).data());
  const [p, q] = [await softmax(x).data(), await softmax(y).data()];
  p.forEach((value, i) => {
    expect(Math.abs(value - q[i])).toBeLessThanOrEqual(1e-6 * Math.abs(q[i]));
  });
});

test('a product with rows of one-hot numbers picks rows, in every size', async () => {
  for (const [count, length, columns] of [
    [64, 200, 8],
    [48, 12, 20],
    [7, 5, 3],
  ]) {
    const picks = Array.from({ length: count }, (_, i) => (i * 7) % length);
    const y = matrix(count, columns);
    const sums = oneHot(picks, length).matmul(y, { transposeA: true });
    const rows = oneHot(picks, length).matmul(matrix(length, columns));
    expect(rows.shape).toEqual([count, columns]);
    await rows.data();
    const [got, given] = [await sums.data(), await y.data()];
    const wanted = new Float32Array(length * columns);
    for (const [j, pick] of picks.entries())
      for (let c = 0; c < columns; c++) wanted[pick * columns + c] += given[j * columns + c];
    for (const [i, right] of wanted.entries()) expect(got[i]).toBeCloseTo(right, 5);
  }
});
