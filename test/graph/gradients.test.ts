/** Differentiation beyond single ops: accumulation, second derivatives, own loops. */
import { describe, expect, it } from 'vitest';
import { assignAll, GradientError, gradients, tensor, valueAndGrad, variable } from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

describe('gradients', () => {
  it('adds up over all paths', async () => {
    const engine = await sharedEngine();
    const x = tensor([1, 2, 3], { engine });
    const y = x.mul(x).add(x.mul(3)).add(x).sum();
    const [dx] = gradients(y, [x]);
    expect(await dx.array()).toEqual([6, 8, 10]);
  });

  it('can be differentiated again', async () => {
    const engine = await sharedEngine();
    const x = tensor([2], { engine });
    const [first] = gradients(x.pow(3).sum(), [x]);
    const [second] = gradients(first.sum(), [x]);
    expect((await first.data())[0]).toBeCloseTo(12, 3);
    expect((await second.data())[0]).toBeCloseTo(12, 3);
  });

  it('give one result per target, also for a target named twice or equal to the loss', async () => {
    const engine = await sharedEngine();
    const x = tensor(3, { engine });
    const y = x.square();
    const [a, b, own] = gradients(y, [x, x, y]);
    expect([await a.item(), await b.item(), await own.item()]).toEqual([6, 6, 1]);
  });
});

describe('valueAndGrad', () => {
  it('finds the trainable variables that the function reads, and descends', async () => {
    const engine = await sharedEngine();
    const w = variable(tensor([1, -2], { engine }));
    const b = variable(tensor(0.5, { engine }));
    const frozen = variable(tensor(2, { engine }), { trainable: false });
    const step = valueAndGrad(() => w.mul(frozen).add(b).square().sum());
    let last = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const { value, gradients: slopes, variables } = step();
      expect(variables).toEqual([w, b]);
      await assignAll([w, b].map((v, k) => [v, v.sub(slopes[k].mul(0.05))] as const));
      const now = await value.item();
      expect(now).toBeLessThan(last);
      last = now;
    }
  });

  it('refuses a function that gives no scalar tensor', () => {
    expect(() => valueAndGrad((() => 3) as never)()).toThrow(GradientError);
    expect(() => valueAndGrad(() => variable([1, 2]).mul(2))()).toThrow(/not a scalar/);
  });
});
