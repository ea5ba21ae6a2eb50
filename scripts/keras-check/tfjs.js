/** Shows TensorFlow.js the model that Weft wrote, and writes one of its own for Weft to read. See README.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const peers = createRequire(new URL('../../bench/peers/package.json', import.meta.url));
const load = (name) => import(pathToFileURL(peers.resolve(name)).href);
const tf = await load('@tensorflow/tfjs-core');
const { layers, loadLayersModel, sequential } = await load('@tensorflow/tfjs-layers');
await load('@tensorflow/tfjs-backend-wasm');
await tf.setBackend('wasm');

const fixtures = new URL('../../test/nn/saving/fixtures/', import.meta.url);
const read = (name) => readFile(new URL(name, fixtures));
const json = async (name) => JSON.parse(await read(name));

const { samples, labels, predictions } = await json('from-weft.expected.json');
const artifacts = await json('from-weft.json');
const [{ paths, weights }] = artifacts.weightsManifest;
const weightData = new Uint8Array(await read(paths[0])).buffer;
const model = await loadLayersModel({
  load: async () => ({ ...artifacts, weightSpecs: weights, weightData }),
});
const found = model.predict(tf.tensor(samples)).dataSync();
const difference = Math.max(...predictions.flat().map((p, i) => Math.abs(p - found[i])));
console.log(`TensorFlow.js ${tf.version_core}: difference ${difference}, ${model.optimizer.getClassName()}`);
if (!(difference < 1e-6)) throw new Error('predictions differ');

const own = sequential({
  layers: [
    layers.flatten({ inputShape: [4, 3] }),
    layers.dense({ units: 5, activation: 'relu' }),
    layers.dropout({ rate: 0.2 }),
    layers.dense({ units: 3, activation: 'softmax' }),
  ],
});
own.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
await own.save({
  save: async ({ weightSpecs, weightData: data, ...rest }) => {
    const parts = [data].flat().map((part) => new Uint8Array(part));
    await writeFile(new URL('from-tfjs.weights.bin', fixtures), Buffer.concat(parts));
    const manifest = [{ paths: ['from-tfjs.weights.bin'], weights: weightSpecs }];
    await writeFile(
      new URL('from-tfjs.json', fixtures),
      JSON.stringify({ ...rest, weightsManifest: manifest }),
    );
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  },
});
await writeFile(
  new URL('from-tfjs.expected.json', fixtures),
  JSON.stringify({ samples, labels, predictions: own.predict(tf.tensor(samples)).arraySync() }),
);
