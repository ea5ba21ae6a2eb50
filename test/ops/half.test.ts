/** Operands kept as f16: what is rounded, what is not, and what an adapter without shader-f16 does. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { ConfigError, capture, gradients, half, matmul, tensor, variable } from '../../src/index.ts';
import { roundToHalf } from '../../src/ops/half.ts';
import { generator } from '../reference/random.ts';
import { testEngine } from '../support/engine.ts';

// Adapters without shader-f16 say so.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));

/** Numbers that f16 holds: up to 11 significant bits, in reach of its exponents. */
function halves(count: number, seed: number): Float32Array {
  const random = generator(seed);
  return Float32Array.from({ length: count }, () => (random.below(4095) - 2047) / 1024);
}

function randoms(count: number, seed: number): Float32Array {
  const random = generator(seed);
  return Float32Array.from({ length: count }, () => random.between(-2, 2));
}

/** a[m, k] · b[k, n] in float64, with Σ|a·b| beside each sum. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number) {
  const sums = new Float64Array(m * n);
  const sizes = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++) {
        sums[i * n + j] += a[i * k + l] * b[l * n + j];
        sizes[i * n + j] += Math.abs(a[i * k + l] * b[l * n + j]);
      }
  return { sums, sizes };
}

/** WGSL's bound of a sum of k products in f32, and `unit` for each product's rounded factors. */
function expectProduct(
  got: ArrayLike<number>,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [m, k, n]: readonly [number, number, number],
  unit = 0,
): void {
  const { sums, sizes } = product(a, b, m, k, n);
  expect(got.length).toBe(sums.length);
  for (const [i, sum] of sums.entries())
    expect(Math.abs(got[i] - sum)).toBeLessThanOrEqual((2 ** -23 * k + unit) * sizes[i]);
}

const sizes = [
  [1, 1, 1],
  [5, 7, 3],
  [8, 16, 32],
  [33, 65, 31],
  [32, 784, 10],
  [3, 5000, 2],
] as const;

const onBoth = async (): Promise<[string, Engine][]> => [
  ['as it is', await testEngine()],
  ['without features', await testEngine({ features: [] })],
];

describe('rounding to f16', () => {
  test('goes to the nearest, to the even one of two, and to infinity beyond 65,504', () => {
    for (const [x, rounded] of [
      [1 + 2 ** -10, 1 + 2 ** -10],
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [-(1 + 2 ** -11 + 2 ** -20), -(1 + 2 ** -10)],
      [65_504, 65_504],
      [65_519, 65_504],
      [65_520, Number.POSITIVE_INFINITY],
      [-1e9, Number.NEGATIVE_INFINITY],
      [2 ** -24, 2 ** -24],
      [2 ** -25, 0],
      [3 * 2 ** -25, 2 ** -23],
      [2 ** -14 - 2 ** -25, 2 ** -14],
      [0.1, 0.0999755859375],
      [1e-10, 0],
    ])
      expect(roundToHalf(x)).toBe(rounded);
    expect(roundToHalf(Number.NaN)).toBeNaN();
    expect(roundToHalf(-0)).toBe(-0);
  });

  test('leaves every f16 as it is', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const exponent = bits >> 10;
      const fraction = bits & 0x3ff;
      const x = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      expect(roundToHalf(x)).toBe(x);
    }
  });

  test('on the GPU is one of the two neighbours, and NaN and infinity stay', async () => {
    for (const [setting, engine] of await onBoth()) {
      const x = randoms(501, 1);
      const got = await half(tensor(x, { engine })).data();
      for (const [i, value] of x.entries()) {
        expect(roundToHalf(got[i]), setting).toBe(got[i]);
        expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(2 ** -10 * Math.abs(value) + 2 ** -14);
      }
      const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65_504];
      expect([...(await half(tensor(odd, { engine })).data())], setting).toEqual(odd);
    }
  });
});

describe("matmul with storage 'f16'", () => {
  test.each(sizes)('of %i×%i×%i sums products of f16 in f32', async (m, k, n) => {
    const [a, b] = [halves(m * k, 2), halves(k * n, 3)];
    for (const [, engine] of await onBoth()) {
      const x = tensor(a, { shape: [m, k], engine });
      const y = tensor(b, { shape: [k, n], engine });
      expectProduct(await matmul(x, y, { storage: 'f16' }).data(), a, b, [m, k, n]);
      // Operands that f16 does not hold are rounded, by 2⁻¹⁰ at most each.
      const [p, q] = [randoms(m * k, 4), randoms(k * n, 5)];
      const rounded = matmul(tensor(p, { shape: [m, k], engine }), tensor(q, { shape: [k, n], engine }), {
        storage: 'f16',
      });
      expectProduct(await rounded.data(), p, q, [m, k, n], 2 ** -9 + 2 ** -12);
    }
  });

  test('passes gradients in f32, made with the operands as they were rounded', async () => {
    const [m, k, n] = [4, 9, 5] as const;
    const [a, b] = [halves(m * k, 8), halves(k * n, 9)];
    const seed = randoms(m * n, 10);
    for (const [, engine] of await onBoth()) {
      const w = variable(tensor(b, { shape: [k, n], engine }));
      const x = tensor(a, { shape: [m, k], engine });
      const y = matmul(x, w, { storage: 'f16' });
      const [dx, dw] = gradients(y, [x, w], { seed: tensor(seed, { shape: [m, n], engine }) });
      const turned = (source: Float32Array, rows: number, columns: number) =>
        Float32Array.from(source, (_, i) => source[(i % rows) * columns + Math.floor(i / rows)]);
      expectProduct(await dx.data(), seed, turned(b, k, n), [m, n, k]);
      expectProduct(await dw.data(), turned(a, m, k), seed, [k, m, n]);
    }
  });

  test('keeps operands in half the bytes where the adapter has shader-f16, and says so', async () => {
    for (const [, engine] of await onBoth()) {
      const x = tensor(randoms(32 * 64, 11), { shape: [32, 64], engine });
      const w = variable(tensor(randoms(64 * 48, 12), { shape: [64, 48], engine }));
      const step = capture(() => matmul(x.add(1).exp(), w, { storage: 'f16' }), { engine });
      await step();
      const kernels = step.explain();
      const product = kernels.find(({ label }) => label.includes('matmul'))!;
      expect(product.shader.includes('array<f16>')).toBe(engine.profile.f16);
      const bytes = product.reads.map((read) => read.bytes).sort((p, q) => p - q);
      if (engine.profile.f16) expect(bytes).toEqual([32 * 64 * 2, 64 * 48 * 2]);
    }
  });

  test('trains: a captured step with f16 operands lowers its loss', async () => {
    for (const [, engine] of await onBoth()) {
      const x = tensor(randoms(64 * 20, 13), { shape: [64, 20], engine });
      const target = tensor(randoms(64 * 3, 14), { shape: [64, 3], engine });
      const w1 = variable(
        tensor(
          randoms(20 * 33, 15).map((v) => v / 4),
          { shape: [20, 33], engine },
        ),
      );
      const w2 = variable(
        tensor(
          randoms(33 * 3, 16).map((v) => v / 4),
          { shape: [33, 3], engine },
        ),
      );
      const step = capture(
        () => {
          const hidden = matmul(x, w1, { storage: 'f16' }).relu();
          const loss = matmul(hidden, w2, { storage: 'f16' }).sub(target).square().mean();
          const [d1, d2] = gradients(loss, [w1, w2]);
          w1.assign(w1.sub(d1.mul(0.1)));
          w2.assign(w2.sub(d2.mul(0.1)));
          return loss;
        },
        { engine },
      );
      const first = await (await step()).item();
      for (let i = 0; i < 30; i++) await step();
      expect(await (await step()).item()).toBeLessThan(0.6 * first);
    }
  });

  test('says once per engine that an adapter without shader-f16 saves nothing', async () => {
    const warn = vi.spyOn(console, 'warn');
    warn.mockClear();
    const engine = await testEngine({ features: [] });
    for (let i = 0; i < 3; i++) await half(tensor([i], { engine })).data();
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/has no shader-f16.*saves no memory/)]]);
  });

  test('refuses another word', () => {
    expect(() => matmul([[1]], [[1]], { storage: 'f8' as never })).toThrow(ConfigError);
  });
});
