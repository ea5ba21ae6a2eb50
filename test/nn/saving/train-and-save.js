/**
 * node train-and-save.js FILE EPOCHS: trains up to so many epochs, saves after each, and prints a hash of the
 * weights. Where FILE is there already it goes on from it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { init, layers, loadModel, sequential } from 'weft-gpu';
import { findGpu } from '../../../scripts/support/software-adapter.js';

const [file, epochs] = process.argv.slice(2);
const SAMPLES = 96;
const BATCH = 16;
const x = Array.from({ length: SAMPLES }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7]);
const y = x.map((_, i) => i % 3);

const { gpu } = await findGpu();
// A resumed run has another seed; the one in the file must win.
const resumed = existsSync(file);
const engine = await init({ gpu, seed: resumed ? 1 : 42 });

async function start() {
  const model = sequential([
    layers.input([3]),
    layers.dense(8, { activation: 'relu' }),
    layers.dropout(0.2),
    layers.dense(3, { activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'rmsprop', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const model = resumed ? await loadModel(file) : await start();
const initialEpoch = (await model.optimizer.iterations.item()) / (SAMPLES / BATCH);
await model.fit(x, y, {
  batchSize: BATCH,
  epochs: Number(epochs),
  initialEpoch,
  verbose: 0,
  callbacks: {
    async onEpochEnd(epoch) {
      await model.save(file);
      console.log(`saved ${epoch}`);
    },
  },
});
const hash = createHash('sha256');
for (const weight of model.weights) hash.update(new Uint8Array((await weight.data()).buffer));
console.log(`weights ${hash.digest('hex')} from ${initialEpoch}`);
await engine.close();
