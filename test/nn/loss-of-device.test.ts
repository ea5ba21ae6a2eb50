/** F25 and F26 for models: the device goes away in the middle of training. */
import { expect, test } from 'vitest';
import { Engine, layers, sequential, tensor } from '../../src/index.ts';

const rows = 512;
const data = Float32Array.from({ length: rows * 16 }, (_, i) => Math.sin(i));
const labels = Uint8Array.from({ length: rows }, (_, i) => i % 4);

/** A model and its data on an engine of their own. */
async function onOwnEngine() {
  const engine = await Engine.create({ seed: 1 });
  const model = sequential([
    layers.input([16]),
    layers.dense(32, { activation: 'relu' }),
    layers.dense(4, { activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const x = tensor(data, { shape: [rows, 16], engine });
  const y = tensor(labels, { engine });
  return { engine, model, x, y };
}

test.each([0, 5, 40, 150])(
  'fit rejects with DeviceLostError when the device is lost after %i ms',
  async (delay) => {
    const { engine, model, x, y } = await onOwnEngine();
    let lostAt = 0;
    setTimeout(() => {
      lostAt = performance.now();
      engine.device.destroy();
    }, delay);
    const training = model.fit(x, y, { epochs: 100_000, batchSize: 16, verbose: 0, validationSplit: 0.1 });
    await expect(training).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    expect(performance.now() - lostAt).toBeLessThan(1000);
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await expect(model.evaluate(x, y, { verbose: 0 })).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await expect(model.predict(x, { verbose: 0 })).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await expect(model.trainOnBatch(x, y)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
  },
);

test('F25 evaluate and predict reject as well, and another engine trains on', async () => {
  const { engine, model, x, y } = await onOwnEngine();
  await model.evaluate(x, y, { verbose: 0 });
  const pending = [
    model.evaluate(x, y, { verbose: 0, batchSize: 1 }),
    model.predict(x, { verbose: 0, batchSize: 1 }),
  ];
  setTimeout(() => engine.device.destroy(), 5);
  for (const one of await Promise.allSettled(pending))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'DEVICE_LOST' } });
  const other = await onOwnEngine();
  expect((await other.model.fit(other.x, other.y, { verbose: 0 })).history.loss[0]).toBeGreaterThan(0);
  await other.engine.close();
});
