/** Whom the self-test lets pass: the least exact device that WGSL allows, and nobody whose kernels are wrong. */
import { expect, test } from 'vitest';
import { registry, selfTest } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';
import { isLong } from '../support/long.ts';
import { loosened, rewriteShaders } from '../support/loose-shaders.ts';

/** An engine whose device compiles changed shaders. */
async function changedEngine(change: (code: string) => string) {
  const engine = await testEngine();
  // One element at a time, as on llvmpipe: shorter kernels compile faster.
  Object.defineProperty(engine, 'profile', { value: { ...engine.profile, backendName: 'llvmpipe' } });
  rewriteShaders(engine.device, change);
  return engine;
}

// The other way round in `npm run test:long`.
test.each(isLong ? ['this way', 'that way'] : ['this way'])(
  'a device that is as inexact as WGSL allows, %s, passes',
  async (way) => {
    const engine = await changedEngine((code) =>
      way === 'this way' ? loosened(code) : loosened(code).replace('-0x1p-23, 0x1p-23', '0x1p-23, -0x1p-23'),
    );
    const report = await selfTest({ engine });
    expect(report.results.filter(({ passed }) => !passed)).toEqual([]);
    const tested = new Set(report.results.map(({ op }) => op));
    expect([...registry].filter(([name, { cases }]) => cases.length > 0 && !tested.has(name))).toEqual([]);
    // The looseness has arrived.
    expect(report.ops.find(({ op }) => op === 'tanh')!.worstValue).toBeGreaterThan(0.2);
  },
  300_000,
);

test('a driver whose exp is off by a thousandth fails in the ops that use it, and in no others', async () => {
  const engine = await changedEngine((code) => code.replace(/\bexp\(/g, 'exp(1.001 * '));
  const report = await selfTest({ engine, ops: ['exp', 'sigmoid', 'softmax', 'add', 'matmul', 'sum'] });
  expect(report.ops.filter(({ passed }) => !passed).map(({ op }) => op)).toEqual([
    'exp',
    'sigmoid',
    'softmax',
  ]);
  expect(report.failed).toBe(report.results.filter(({ passed }) => !passed).length);
}, 120_000);

test('a matrix product that forgets one term fails', async () => {
  const engine = await changedEngine((code) => code.replace(/\bparams\.inner\b/g, '(params.inner - 1u)'));
  const { ops } = await selfTest({ engine, ops: ['matmul'] });
  expect(ops[0].passed).toBe(false);
}, 120_000);

test('a kernel that does not compile is a failed result with the reason, and the others still run', async () => {
  const engine = await changedEngine((code) => code.replace(/\btanh\(/g, 'no_such_function('));
  const report = await selfTest({ engine, ops: ['tanh', 'add'] });
  expect(report.ops.map(({ op, passed }) => [op, passed])).toEqual([
    ['tanh', false],
    ['add', true],
  ]);
  expect(report.results.find(({ passed }) => !passed)!.message).toMatch(/no_such_function/);
});

test('the self-test stops when it is told to', async () => {
  const engine = await testEngine();
  const controller = new AbortController();
  const seen: number[] = [];
  const running = selfTest({
    engine,
    signal: controller.signal,
    onProgress: (done) => {
      seen.push(done);
      if (done === 3) controller.abort();
    },
  });
  await expect(running).rejects.toThrow(/aborted/);
  expect(seen).toEqual([1, 2, 3]);
});
