/** Optimizers with means of weights, accumulated gradients and restarts, in files of real Keras and of our own. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadModel, type Sequential, tensor } from '../../../src/index.ts';
import golden from '../fixtures/optimizers.json' with { type: 'json' };

const line = (rows: number, columns: number, seed: number) =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 1.7 + seed)),
    { shape: [rows, columns] },
  );
const [x, y] = [line(8, 3, 5), line(8, 2, 6)];

const farthest = async (model: Sequential, wanted: readonly (readonly number[])[]): Promise<number> => {
  const values = await Promise.all(model.weights.map((one) => one.data()));
  return Math.max(...values.flatMap((one, i) => Array.from(one, (x, j) => Math.abs(x - wanted[i][j]))));
};

test.each(['muon', 'averaged'] as const)(
  'a file of Keras with %s goes on as in Keras, written again and read too',
  async (name) => {
    const { weights, fitted } = golden.files[name];
    const bytes = new Uint8Array(
      readFileSync(new URL(`../fixtures/optimizer-${name}.keras`, import.meta.url)),
    );
    const first = (await loadModel(bytes)) as Sequential;
    const again = (await loadModel(await first.toBytes('keras'))) as Sequential;
    expect(again.optimizer.getConfig()).toEqual(first.optimizer.getConfig());
    for (const model of [first, again]) {
      for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y);
      expect(await farthest(model, weights)).toBeLessThan(1e-5);
      await model.fit(x, y, { batchSize: 4, epochs: 2, shuffle: false, verbose: 0 });
      expect(await farthest(model, fitted)).toBeLessThan(2e-5);
    }
  },
);
