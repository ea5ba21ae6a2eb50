/**
 * node save-for-ever.js FILE FROM: saves one model again and again, its weights all equal to a number that counts up, and
 * says so after the first time.
 */
import { init, layers, sequential } from 'weft-gpu';
import { findGpu } from '../../../scripts/support/software-adapter.js';

const [file, from] = process.argv.slice(2);
const { gpu } = await findGpu();
await init({ gpu, seed: 1 });
const model = sequential([layers.input([300]), layers.dense({ units: 400, useBias: false })]);
for (let i = Number(from); ; i++) {
  await model.setWeights([new Float32Array(120_000).fill(i)]);
  await model.save(file);
  if (i === Number(from)) process.stdout.write('saved');
}
