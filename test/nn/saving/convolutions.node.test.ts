/** Convolutional networks in files: those of real Keras (record_conv_files.py) predict and train here as there, ours come back. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, type Sequential, type Tensor, tensor } from '../../../src/index.ts';

interface Recorded {
  readonly x: readonly number[];
  readonly shape: readonly number[];
  readonly labels: readonly number[];
  readonly params: number;
  readonly predictions: readonly number[];
  readonly loss: number | null;
  readonly after: readonly number[] | null;
}

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const networks: Record<string, Recorded> = JSON.parse(new TextDecoder().decode(file('conv-files.json')));

async function expectClose(y: Tensor, right: readonly number[]): Promise<void> {
  const values = await y.data();
  expect(values.length).toBe(right.length);
  expect(Math.max(...right.map((value, i) => Math.abs(value - values[i])))).toBeLessThan(3e-6);
}

const quiet = { verbose: 0 } as const;

describe.each(Object.entries(networks))('the network "%s"', (name, recorded) => {
  const x = (): Tensor => tensor(Float32Array.from(recorded.x), { shape: recorded.shape });
  const y = (): Tensor => tensor(Int32Array.from(recorded.labels));

  it.each(['keras', 'h5'])(
    'of real Keras is read from .%s, predicts the same and trains on',
    async (ending) => {
      const net = (await loadModel(file(`conv-${name}.${ending}`))) as Sequential;
      expect(net.countParams()).toBe(recorded.params);
      await expectClose(await net.predict(x(), quiet), recorded.predictions);
      const { loss } = await net.trainOnBatch(x(), y());
      if (recorded.loss === null) return;
      expect(loss).toBeCloseTo(recorded.loss, 5);
      await expectClose(await net.predict(x(), quiet), recorded.after!);
    },
  );

  it.each(['keras', 'h5', 'json'] as const)('comes back from our own .%s to the bit', async (format) => {
    const net = (await loadModel(file(`conv-${name}.keras`))) as Sequential;
    const path = join(mkdtempSync(join(tmpdir(), 'weft-conv-')), `model.${format}`);
    await net.save(path);
    const again = (await loadModel(path)) as Sequential;
    expect(again.layers.map((layer) => layer.getConfig())).toEqual(
      net.layers.map((layer) => layer.getConfig()),
    );
    expect([...(await (await again.predict(x(), quiet)).data())]).toEqual([
      ...(await (await net.predict(x(), quiet)).data()),
    ]);
  });
});
