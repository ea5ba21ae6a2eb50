/**
 * Networks that others trained, from their packages' files: loads each, and compares what it predicts with what Keras made of the
 * same file (pretrained.py). See README.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { init, loadModel, tensor } from 'weft-gpu';
import { findGpu } from '../support/software-adapter.js';

const folder = process.argv[2];
if (!folder) throw new Error('Name the folder that pretrained.py wrote: node pretrained.js FOLDER');
const { gpu, note } = await findGpu();
console.log(note);
const engine = await init({ gpu, seed: 1 });
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
let failed = false;
for (const [name, { file, shape, x, y, params }] of Object.entries(expected)) {
  const model = await loadModel(join(folder, file));
  const input = tensor(Float32Array.from(x), { shape });
  const found = await (await model.predict(input, { verbose: 0 })).data();
  const largest = Math.max(...y.map(Math.abs));
  const difference = Math.max(...y.map((value, i) => Math.abs(value - found[i])));
  const right = found.length === y.length && difference < 1e-4 * Math.max(1, largest);
  failed ||= !right || model.countParams() !== params;
  console.log(
    `${name}: ${model.layers.length} layers, ${model.countParams()} parameters, largest difference ${difference}`,
  );
}
await engine.close();
process.exit(failed ? 1 : 0);
