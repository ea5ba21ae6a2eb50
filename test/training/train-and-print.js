/**
 * A process of its own that trains and prints what came of it as JSON. `node train-and-print.js` gives
 * the losses and a hash of the weights, `--weights` the weights themselves.
 */
import { createHash } from 'node:crypto';
import * as weft from 'weft-gpu';
import { findGpu } from '../../scripts/support/software-adapter.js';
import { shortTraining } from './short-training.js';

const { gpu } = await findGpu();
const { weights, losses, adapter } = await shortTraining(weft, { gpu });
const hash = createHash('sha256');
for (const w of weights) hash.update(Float32Array.from(w));
const outcome = process.argv.includes('--weights') ? { weights } : { hash: hash.digest('hex') };
console.log(JSON.stringify({ ...outcome, losses, adapter }));
