/** Who holds memory, and where it was made. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  type LeakWatch,
  layers,
  StateError,
  sequential,
  tensor,
  variable,
  watchLeaks,
} from '../../src/index.ts';
import { sharedEngine, testEngine } from '../support/engine.ts';

let watch: LeakWatch | undefined;
afterEach(() => watch?.stop());

describe('a watch for leaks', () => {
  test('tells of the tensors that hold memory where they were made, the most bytes first', async () => {
    const engine = await sharedEngine();
    const before = tensor([1, 2, 3], { engine });
    await before.add(1).data();
    watch = watchLeaks();
    const kept: object[] = [];
    const makeOne = async () => {
      const y = tensor([1, 2, 3], { engine }).mul(2);
      await y.data();
      kept.push(y);
    };
    async function makeLarge() {
      const w = variable(tensor(new Float32Array(1000), { engine }));
      await w.data();
      await w.add(1).data();
      kept.push(w);
    }
    for (let i = 0; i < 3; i++) await makeOne();
    await makeLarge();
    const { places, count, bytes } = watch.report(engine);
    const [large] = places;
    expect(large.bytes).toBeGreaterThanOrEqual(4000);
    expect(large.stack[0]).toMatch(/makeLarge/);
    const product = places.find(({ example }) => example.includes('made by mul'))!;
    expect(product).toMatchObject({ count: 3, bytes: 36 });
    expect(product.stack[0]).toMatch(/makeOne.*leaks\.test/);
    expect(places.reduce((sum, one) => sum + one.count, 0)).toBe(count);
    expect(places.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes);
    expect(String(watch.report(engine))).toMatch(/tensors, \d+ bytes on the GPU\n.*\n +(at )?.*makeLarge/);
  });

  test('tells nothing of what was disposed of, of another engine, or after its end', async () => {
    const engine = await sharedEngine();
    const other = await testEngine();
    watch = watchLeaks();
    const x = tensor([1, 2], { engine });
    const y = x.mul(2);
    await y.data();
    expect(watch.report(other).count).toBe(0);
    expect(watch.report().count).toBeGreaterThan(0);
    x.dispose();
    y.dispose();
    expect(watch.report(engine).count).toBe(0);
    expect(() => watchLeaks()).toThrow(StateError);
    watch.stop();
    const z = tensor([1], { engine }).add(1);
    await z.data();
    expect(watch.report(engine).count).toBe(0);
  });

  test('a model that is disposed of after fit, evaluate and predict holds nothing', async () => {
    watch = watchLeaks();
    const model = sequential([
      layers.input([2]),
      layers.dense({ units: 3, activation: 'relu' }),
      layers.dense(1),
    ]);
    model.compile({ optimizer: 'adam', loss: 'mse' });
    const [x, y] = [
      [
        [1, 2],
        [3, 4],
      ],
      [[1], [2]],
    ];
    await model.fit(x, y, { epochs: 2, verbose: 0, validationSplit: 0.5 });
    await model.evaluate(x, y, { verbose: 0 });
    (await model.predict(x, { verbose: 0 })).dispose();
    expect(watch.report().places.some(({ example }) => example.includes('[2, 3]'))).toBe(true);
    model.dispose();
    expect(String(watch.report())).toBe('0 tensors, 0 bytes on the GPU');
  });
});
