import { expect, it } from 'vitest';
import { adapterName } from '../../src/engine/profile.ts';
import { registry, type SelfTestResult, selfTest } from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

it('the self-test runs every op, value and gradient, and all of them are right', async () => {
  const engine = await sharedEngine();
  const heard: SelfTestResult[] = [];
  const report = await selfTest({ engine, onResult: (result) => heard.push(result) });
  expect(report.results.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.passed).toBe(report.results.length);
  expect(heard).toEqual(report.results);
  expect(report.adapter).toBe(adapterName(engine.profile));
  const tested = new Set(report.results.map(({ op }) => op));
  expect([...registry].filter(([name, { cases }]) => cases.length > 0 && !tested.has(name))).toEqual([]);
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
