/**
 * Every variant of every kernel family that can run here, behind one contract: the cases of the family's ops against
 * their float64 twins, and for products what rides on them. In a page the first variant and the last: the kernels are
 * the same. `npm run test:long` gives every variant every case.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { capture, gradients, matmul, sum, type Tensor, tensor } from '../../src/index.ts';
import type { KernelFamily, ProvenOp as Op } from '../../src/ops/define.ts';
import { familyOf } from '../../src/ops/families/index.ts';
import { registry } from '../../src/ops/registry.ts';
import { generator } from '../reference/random.ts';
import { testEngine } from '../support/engine.ts';
import { isLong } from '../support/long.ts';
import { call, caseName, exactly, expectClose, inputsOf, toTensors } from './check.ts';
import { expectBytesAsCopies } from './packed-rows.ts';

// Adapters without shader-f16 say so.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));

const families = new Map<KernelFamily, Op[]>();
for (const entry of registry.values()) {
  const kernel = 'kernel' in entry ? entry.kernel : undefined;
  if (!kernel) continue;
  const family = familyOf(kernel);
  families.set(family, [...(families.get(family) ?? []), entry as Op]);
}

/** Cases of a family's ops on this engine: every `stride`th, from the `first`. */
async function runFamily(
  ops: readonly Op[],
  engine: Engine,
  setting: string,
  [first, stride]: readonly [number, number] = [0, 1],
): Promise<void> {
  for (const op of ops)
    for (const [index, one] of op.cases.entries()) {
      if (index % stride !== first % stride) continue;
      const inputs = inputsOf(one, index + 1);
      const exact = exactly(
        op,
        inputs.map((x) => x.exact),
        one,
      );
      const y = await call(op, toTensors(inputs, engine), one).data();
      expectClose(y, exact.data, op.tolerance ?? {}, `${op.name} of ${caseName(one)} with ${setting}`);
    }
}

/** The bias gradient rides on the weight gradient. */
async function expectByProduct(engine: Engine, setting: string): Promise<void> {
  const random = generator(5);
  const [x, g] = [random.array(33 * 44, -1, 1), random.array(33 * 20, -1, 1)];
  const step = capture((rows: Tensor, upstream: Tensor, w: Tensor, b: Tensor) =>
    gradients(sum(matmul(rows, w).add(b).mul(upstream)), [w, b]),
  );
  const on = (values: Float32Array, ...shape: number[]) => tensor(values, { shape, engine });
  const [, db] = await step(
    on(x, 33, 44),
    on(g, 33, 20),
    on(new Float32Array(880), 44, 20),
    on(new Float32Array(20), 20),
  );
  expect(step.dispatches).toBe(1);
  (await db.data()).forEach((value, n) => {
    let column = 0;
    for (let k = 0; k < 33; k++) column += g[20 * k + n];
    expect(value, setting).toBeCloseTo(column, 4);
  });
}

/** Products of operands that are kept as f16 are summed in f32. */
async function expectHalfProduct(engine: Engine, setting: string): Promise<void> {
  const random = generator(6);
  const [m, k, n] = [33, 65, 31] as const;
  // Numbers that f16 holds.
  const halves = (count: number) =>
    Float32Array.from({ length: count }, () => (random.below(4095) - 2047) / 1024);
  const [a, b] = [halves(m * k), halves(k * n)];
  const x = tensor(a, { shape: [m, k], engine }).transpose();
  const y = await matmul(x, tensor(b, { shape: [k, n], engine }), {
    storage: 'f16',
    transposeA: true,
  }).data();
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let [total, size] = [0, 0];
      for (let l = 0; l < k; l++) {
        const term = a[i * k + l] * b[l * n + j];
        total += term;
        size += Math.abs(term);
      }
      expect(Math.abs(y[i * n + j] - total), setting).toBeLessThanOrEqual(2 ** -23 * k * size);
    }
}

describe.each([...families])('kernel family $name', (family, ops) => {
  test(
    'gives the right numbers in every variant that can run here',
    async () => {
      const probe = await testEngine();
      const variants = (family.candidates?.(probe.profile) ?? []).filter(({ refused }) => refused === null);
      // Two ways to multiply or more, behind one contract; the other families may have one.
      expect(variants.length).toBeGreaterThanOrEqual(family.name === 'matmul' ? 2 : 0);
      const tried = isNode || isLong ? variants : [...new Set([variants.at(0), variants.at(-1)])];
      for (const [index, variant] of tried.entries()) {
        if (!variant) continue;
        const engine = await testEngine({ tuning: { [family.name]: { ...variant.tuning } } });
        const setting = JSON.stringify(variant.tuning);
        // Neither 3 nor 7 has a factor in common with the four pairs of flags: each variant meets all of these. A
        // barrier costs software drivers so much that kernels with workgroup memory take half of the time.
        const isSlow = variant.tuning.shader === 'matmul_workgroup';
        await runFamily(
          ops,
          engine,
          setting,
          isLong || variants.length < 3 ? [0, 1] : [index, isSlow ? 7 : 3],
        );
        if (family.name !== 'matmul') continue;
        await expectByProduct(engine, setting);
        await expectBytesAsCopies(engine, isLong ? 784 : 320, setting);
        await expectHalfProduct(engine, setting);
      }
      // llvmpipe compiles at the first dispatch, a barrier tile in a second.
    },
    isLong ? 1_200_000 : 300_000,
  );

  test('gives the right numbers on the smallest adapter: 128 invocations, no optional feature', async () => {
    const limits = { maxComputeInvocationsPerWorkgroup: 128, maxStorageBuffersPerShaderStage: 8 };
    await runFamily(ops, await testEngine({ limits, features: [] }), 'the least limits');
  });
});
