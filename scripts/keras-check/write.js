/** Writes what Weft makes of one model in every format, and what it predicts, for Keras to be shown. */
import { readFile, writeFile } from 'node:fs/promises';
import * as weft from 'weft-gpu';
import { findGpu } from '../support/software-adapter.js';
import { labels, makeModel, samples } from './model.js';

const fixtures = new URL('../../test/nn/saving/fixtures/', import.meta.url);
const { gpu } = await findGpu();
const engine = await weft.init({ gpu, seed: 42 });
const model = await makeModel(weft);
for (const name of ['from-weft.keras', 'from-weft.h5', 'from-weft.json'])
  await model.save(new URL(name, fixtures));
for (const name of ['from-weft.weights.h5', 'from-weft.safetensors'])
  await model.saveWeights(new URL(name, fixtures));
model.compile({
  optimizer: weft.optimizers.sgd(
    weft.schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 2, decayRate: 0.5 }),
    { momentum: 0.9 },
  ),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});
model.optimizer.build(model.trainableWeights);
await model.save(new URL('from-weft-schedule.keras', fixtures));
const layers = JSON.parse(await readFile(new URL('from-keras-layers.expected.json', fixtures), 'utf8'));
const trained = await weft.loadModel(new URL('from-keras-layers.keras', fixtures));
await trained.trainOnBatch(layers.samples, layers.labels);
await trained.save(new URL('from-weft-layers.keras', fixtures));
const told = await (await trained.predict(layers.samples)).array();
const { loss } = await trained.trainOnBatch(layers.samples, layers.labels);
await writeFile(
  new URL('from-weft-layers.expected.json', fixtures),
  JSON.stringify({ predictions: told, loss }),
);
const arrays = {
  floats: { data: Float32Array.of(1.5, Number.NaN, -0, 4, 5, Number.POSITIVE_INFINITY), shape: [2, 3] },
  bytes: { data: Uint8Array.of(1, 2, 255), shape: [3] },
  whole: { data: Int32Array.of(-7), shape: [] },
};
await writeFile(new URL('from-weft.npz', fixtures), await weft.data.encodeNpz(arrays));
const predictions = await (await model.predict(samples)).array();
await writeFile(
  new URL('from-weft.expected.json', fixtures),
  JSON.stringify({ samples, labels, predictions }),
);
await engine.close();
