/** Many tensors in one dispatch, where a binding reaches only some of them. */
import { expect, it } from 'vitest';
import { capture, type Engine, gradients, type Tensor, tensor, variable } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

/** Two matrices of 16 × 16 and no more. */
const narrow = () => testEngine({ limits: { maxStorageBufferBindingSize: 2048 } });

const N = 16;
const matrix = (seed: number): Float32Array =>
  Float32Array.from({ length: N * N }, (_, i) => Math.fround(Math.sin(i * 0.7 + seed) / 4));

/** a · b in float64, either of them transposed. */
const product = (a: ArrayLike<number>, b: ArrayLike<number>, ta = false, tb = false): number[] =>
  Array.from({ length: N * N }, (_, at) => {
    const [m, n] = [Math.floor(at / N), at % N];
    let total = 0;
    for (let k = 0; k < N; k++) total += a[ta ? k * N + m : m * N + k] * b[tb ? n * N + k : k * N + n];
    return total;
  });

/** Three layers, trained with momentum for two steps: results, and the dispatches of a step. */
async function train(engine: Engine): Promise<{ weights: number[][]; dispatches: number }> {
  const weights = [1, 2, 3].map((seed) => variable(tensor(matrix(seed), { shape: [N, N], engine })));
  const moments = weights.map(() => variable(tensor(new Float32Array(N * N), { shape: [N, N], engine })));
  const step = capture(
    (x: Tensor) => {
      const loss = weights
        .reduce((y, w) => y.matmul(w), x)
        .square()
        .sum();
      for (const [i, g] of gradients(loss, weights).entries()) {
        const moved = moments[i].mul(0.9).sub(g.mul(0.01));
        moments[i].assign(moved);
        weights[i].assign(weights[i].add(moved));
      }
    },
    { engine },
  );
  const x = tensor(matrix(4), { shape: [N, N], engine });
  await step(x);
  await step(x);
  const numbers: number[][] = [];
  for (const w of weights) numbers.push([...(await w.data())]);
  return { weights: numbers, dispatches: step.dispatches };
}

/** The same in float64. */
function exact(): number[][] {
  const x = matrix(4);
  let ws = [1, 2, 3].map((seed) => [...matrix(seed)]);
  let ms = ws.map((w) => w.map(() => 0));
  for (let step = 0; step < 2; step++) {
    const y1 = product(x, ws[0]);
    const y2 = product(y1, ws[1]);
    const g3 = product(y2, ws[2]).map((y) => 2 * y);
    const g2 = product(g3, ws[2], false, true);
    const g1 = product(g2, ws[1], false, true);
    const gs = [product(x, g1, true), product(y1, g2, true), product(y2, g3, true)];
    ms = ms.map((m, i) => m.map((one, k) => 0.9 * one - 0.01 * gs[i][k]));
    ws = ws.map((w, i) => w.map((one, k) => one + ms[i][k]));
  }
  return ws;
}

it('layers of which a binding reaches two are trained, to the bits of a wider binding', async () => {
  const some = await train(await narrow());
  const all = await train(await testEngine());
  expect(some.weights).toEqual(all.weights);
  for (const [i, right] of exact().entries())
    for (const [k, one] of right.entries()) expect(some.weights[i][k]).toBeCloseTo(one, 5);
  // Where they fit, all updates are one dispatch; at most one more for each variable where they do not.
  expect(some.dispatches).toBeGreaterThan(all.dispatches);
  expect(some.dispatches).toBeLessThanOrEqual(all.dispatches + 5);
});

it('large results of one formula take as many dispatches as their bytes ask for', async () => {
  const run = async (engine: Engine) => {
    const step = capture((...xs: Tensor[]) => xs.map((x) => x.mul(2).add(1)), { engine });
    const results = await step(...[1, 2, 3, 4, 5].map((seed) => tensor(matrix(seed), { engine })));
    for (const [i, y] of results.entries()) {
      const data = await y.data();
      for (const [k, one] of matrix(i + 1).entries()) expect(data[k]).toBeCloseTo(2 * one + 1, 6);
    }
    return step.dispatches;
  };
  expect(await run(await testEngine())).toBe(1);
  expect(await run(await narrow())).toBe(3);
});
