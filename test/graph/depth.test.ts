/** Deep graphs: nothing recurses with their depth, and planning takes a number of steps that grows with their size. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { capture, fill, gradients, ones, type Tensor, tensor, variable } from '../../src/index.ts';
import { matmulFamily } from '../../src/ops/families/matmul.ts';
import { sharedEngine } from '../support/engine.ts';

const first = async (x: Tensor): Promise<number> => (await x.data())[0];

it('ten thousand ops in a row, and their gradient', async () => {
  const engine = await sharedEngine();
  const x = variable(tensor([0.5, -0.25, 1], { engine }));
  let y: Tensor = x;
  let exact = 0.5;
  let slope = 1;
  for (let i = 0; i < 5000; i++) {
    y = y.mul(0.999).add(0.001);
    exact = exact * 0.999 + 0.001;
    slope *= 0.999;
  }
  for (let i = 0; i < 20; i++) {
    y = y.tanh();
    exact = Math.tanh(exact);
    slope *= 1 - exact * exact;
  }
  const [g] = gradients(y.sum(), [x]);
  expect((await first(y)) / exact).toBeCloseTo(1, 3);
  expect((await first(g)) / slope).toBeCloseTo(1, 2);
});

it('an expression with ever more behind it, used over and over', async () => {
  const engine = await sharedEngine();
  const x = tensor([0.5], { engine });
  let y: Tensor = x;
  let exact = 0.5;
  for (let i = 0; i < 2000; i++) {
    y = y.mul(y).add(y).mul(0.5).add(x.mul(0.25));
    exact = (exact * exact + exact) * 0.5 + 0.5 * 0.25;
  }
  expect(await first(y)).toBeCloseTo(exact, 4);
});

it('three thousand assignments that nobody awaits', async () => {
  const engine = await sharedEngine();
  const count = variable(tensor([1], { engine }));
  for (let i = 0; i < 3000; i++) void count.assign(count.add(1));
  expect(await first(count)).toBe(3001);
});

it('a sum of three hundred tensors, of which a kernel reads eight', async () => {
  const engine = await sharedEngine();
  let y: Tensor = tensor([0, 0], { engine });
  for (let i = 1; i <= 300; i++) y = y.add(tensor([i, -i], { engine }));
  expect([...(await y.data())]).toEqual([45150, -45150]);
});

/** How often maps and sets are asked and filled meanwhile: a measure of work that is the same every time. */
async function lookups(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const counted: [object, string][] = [
    [Map.prototype, 'get'],
    [Map.prototype, 'has'],
    [Set.prototype, 'has'],
    [Set.prototype, 'add'],
  ];
  const restore = counted.map(([target, name]) => {
    const methods = target as Record<string, (...args: unknown[]) => unknown>;
    const original = methods[name];
    methods[name] = function (this: unknown, ...args) {
      count++;
      return original.apply(this, args);
    };
    return () => {
      methods[name] = original;
    };
  });
  onTestFinished(() => restore.forEach((undo) => void undo()));
  await work();
  for (const undo of restore) undo();
  return count;
}

it('a training step of twice as many layers takes about twice the work to plan', async () => {
  const engine = await sharedEngine();
  const prepare = (layers: number) => {
    const weights = Array.from({ length: layers }, () => variable(fill([4, 4], 0.1)));
    const step = capture(
      (x: Tensor) => {
        let y = x;
        for (const w of weights) y = y.matmul(w).tanh();
        const loss = y.square().mean();
        const found = gradients(loss, weights);
        for (const [i, w] of weights.entries()) w.assign(w.sub(found[i].mul(0.1)));
        return loss;
      },
      { engine },
    );
    return step.prepare(ones([8, 4]));
  };
  await prepare(5);
  const some = await lookups(() => prepare(30));
  const twice = await lookups(() => prepare(60));
  // Almost a line: 2.0. A square is 4.
  expect(twice / some).toBeLessThan(2.4);
});

it('a kernel is lowered once', async () => {
  const engine = await sharedEngine();
  const weights = Array.from({ length: 6 }, () => variable(fill([4, 4], 0.1)));
  const step = capture(
    (x: Tensor) => gradients(weights.reduce((y, w) => y.matmul(w).tanh(), x).sum(), weights),
    { engine },
  );
  const lower = vi.spyOn(matmulFamily, 'lower');
  onTestFinished(() => lower.mockRestore());
  await step.prepare(ones([8, 4]));
  const products = step.explain().filter(({ tuning }) => tuning?.family === 'matmul');
  expect(products.length).toBeGreaterThanOrEqual(17);
  expect(lower).toHaveBeenCalledTimes(products.length);
});
