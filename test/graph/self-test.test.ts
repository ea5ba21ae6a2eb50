import { expect, it } from 'vitest';
import { adapterName } from '../../src/engine/profile.ts';
import { registry, type SelfTestResult, selfTest } from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

/** One of each kind; all of them run in the built page (test/demo/selftest) and on the least exact device. */
const SOME = ['add', 'tanh', 'sum', 'softmaxCrossEntropy', 'concat', 'mish'];

it('the self-test runs the ops that it is asked for, value and gradient, and all of them are right', async () => {
  const engine = await sharedEngine();
  const heard: SelfTestResult[] = [];
  const report = await selfTest({ engine, ops: SOME, onResult: (result) => heard.push(result) });
  expect(report.results.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.passed).toBe(report.results.length);
  expect(heard).toEqual(report.results);
  expect(report.adapter).toBe(adapterName(engine.profile));
  expect([...new Set(report.results.map(({ op }) => op))].sort()).toEqual([...SOME].sort());
  expect(report.results.some(({ kind }) => kind === 'gradient')).toBe(true);
}, 300_000);

it('the self-test finds an op whose twin disagrees', async () => {
  const engine = await sharedEngine();
  const relu = registry.get('relu')!;
  const { reference } = relu;
  try {
    relu.reference = (inputs, attributes) => {
      const y = reference(inputs, attributes);
      return { shape: y.shape, data: y.data.map((x) => x * 1.00001) };
    };
    const { failed } = await selfTest({ engine, ops: ['relu'] });
    expect(failed).toBeGreaterThan(0);
  } finally {
    relu.reference = reference;
  }
});
