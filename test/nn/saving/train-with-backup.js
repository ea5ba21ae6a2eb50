/**
 * node train-with-backup.js FOLDER EPOCHS SEED: trains so many epochs with a backup every three batches, says each
 * epoch, and prints a hash of the weights and of the History.
 */
import { createHash } from 'node:crypto';
import { callbacks, init, layers, sequential } from 'weft-gpu';
import { findGpu } from '../../../scripts/support/software-adapter.js';

const [folder, epochs, seed] = process.argv.slice(2);
const x = Array.from({ length: 96 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7]);
const y = x.map((_, i) => i % 3);

const { gpu } = await findGpu();
const engine = await init({ gpu, seed: Number(seed) });
const model = sequential([
  layers.input([3]),
  layers.dense(8, { activation: 'relu' }),
  layers.dropout(0.2),
  layers.dense(3, { activation: 'softmax' }),
]);
model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
const { history } = await model.fit(x, y, {
  batchSize: 7,
  epochs: Number(epochs),
  validationSplit: 0.25,
  verbose: 0,
  callbacks: [
    callbacks.reduceLROnPlateau({ patience: 2 }),
    callbacks.backupAndRestore(folder, { saveFreq: 3 }),
    { onEpochEnd: (epoch) => console.log(`epoch ${epoch}`) },
  ],
});
const hash = createHash('sha256').update(JSON.stringify(history));
for (const weight of model.weights) hash.update(new Uint8Array((await weight.data()).buffer));
console.log(`outcome ${hash.digest('hex')}`);
await engine.close();
