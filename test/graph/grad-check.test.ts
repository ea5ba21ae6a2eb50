/** `gradcheck`: right gradients pass, wrong ones are found where they are. */
import { beforeAll, describe, expect, test } from 'vitest';
import { gradcheck, init, layers, losses, type Tensor, tensor, variable, where } from '../../src/index.ts';
import { apply, defineOp } from '../../src/ops/define.ts';
import { generator } from '../reference/random.ts';

const random = generator(5);
const numbers = (...shape: number[]) =>
  tensor(
    random.array(
      shape.reduce((a, b) => a * b, 1),
      -2,
      2,
    ),
    { shape },
  );
beforeAll(() => init({ seed: 1 }));

describe('F21 gradients agree with differences of float64 values', () => {
  test.each<[string, (...inputs: Tensor[]) => Tensor, Tensor[]]>([
    ['a chain', (x) => x.tanh().mul(x).exp().sum(-1), [numbers(3, 4)]],
    [
      'a product with broadcasting',
      (a, b) => a.matmul(b).softmax().add(b.mean(0)),
      [numbers(3, 4), numbers(4, 5)],
    ],
    [
      'rows that are gathered twice',
      (x) => x.gather(tensor([2, 0, 2], { dtype: 'i32' })).square(),
      [numbers(4, 3)],
    ],
    [
      'moves',
      (x) =>
        x
          .transpose()
          .slice([1, 0], [2, 2])
          .pad([
            [1, 0],
            [0, 2],
          ])
          .reshape([12]),
      [numbers(3, 4)],
    ],
    ['reductions', (x) => x.max(1).add(x.min(1)).add(x.prod(1)).add(x.logSoftmax().sum(1)), [numbers(3, 4)]],
    [
      'a loss of logits',
      (z) => losses.binaryCrossentropy(tensor([[1, 0, 1]]), z, { fromLogits: true }),
      [numbers(1, 3)],
    ],
  ])('%s', async (_, f, inputs) => {
    const report = await gradcheck(f, inputs);
    expect(report.passed, JSON.stringify(report.results)).toBe(true);
    expect(report.results).toHaveLength(inputs.length);
    for (const [i, { name, shape, checked, worst }] of report.results.entries()) {
      expect([name, shape]).toEqual([`input ${i}`, inputs[i].shape]);
      expect(checked).toBeGreaterThan(2);
      expect(worst).toBeLessThan(1);
    }
  });

  test('of a layer, by its weights too, by name', async () => {
    const layer = layers.dense(3, { activation: 'sigmoid' });
    layer.build([null, 4]);
    const { passed, results } = await gradcheck((x) => layer.call(x, { training: true }), [numbers(5, 4)]);
    expect(passed).toBe(true);
    expect(results.map(({ name }) => name)).toEqual(['input 0', 'kernel', 'bias']);
  });

  test('at a kink, any slope between left and right passes, and none beyond', async () => {
    const { passed, results } = await gradcheck((x) => x.relu(), [tensor([-1, 0, 1])]);
    expect([passed, results[0].kinks]).toEqual([true, 1]);
  });
});

describe('what is wrong is found', () => {
  /** y = x², with a backward rule that is told. */
  const squared = (backward: (x: Tensor, g: Tensor) => Tensor) => {
    const op = defineOp({
      name: 'square',
      shape: ([x]) => x,
      dtype: ([x]) => x,
      expression(e, [x], index) {
        const value = e.name(e.value(x, index));
        return `${value} * ${value}`;
      },
      backward: ([x], _y, g) => [backward(x, g)],
    });
    return (x: Tensor): Tensor => apply(op, [x]);
  };

  test('a rule with a wrong factor, at the element that is furthest off', async () => {
    const right = await gradcheck(
      squared((x, g) => g.mul(x).mul(2)),
      [tensor([1, 2, 3])],
    );
    expect(right.passed).toBe(true);
    const wrong = await gradcheck(
      squared((x, g) => g.mul(x).mul(where(x.greater(2.5), 2.02, 2))),
      [tensor([1, 2, 3])],
    );
    expect(wrong.passed).toBe(false);
    const [{ at, got, expected, worst }] = wrong.results;
    expect(at).toEqual([2]);
    expect(got / expected).toBeCloseTo(1.01, 4);
    expect(worst).toBeGreaterThan(5);
  });

  test('a gradient that is NaN, and one of a variable alone', async () => {
    const w = variable([2], { name: 'gain' });
    const bad = squared((x, g) => g.mul(x).mul(Number.NaN));
    const { passed, results } = await gradcheck(() => bad(w), []);
    expect(passed).toBe(false);
    expect(results).toMatchObject([{ name: 'gain', worst: Number.POSITIVE_INFINITY, got: Number.NaN }]);
  });

  test('what cannot be checked is refused', async () => {
    await expect(gradcheck(() => tensor([1]), [])).rejects.toMatchObject({ code: 'GRADIENT' });
    await expect(gradcheck((x) => x, [tensor([1])], { relative: 0 })).rejects.toMatchObject({
      code: 'VALUE',
    });
    await expect(gradcheck((x) => x, [tensor([1])], { eps: 1 } as object)).rejects.toThrow(
      /"eps" is unknown/,
    );
    await expect(gradcheck(() => 1 as never, [])).rejects.toThrow(/returned number/);
  });
});
