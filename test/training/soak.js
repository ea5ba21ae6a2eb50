/**
 * node --expose-gc soak.js STEPS: trains a small network for so many steps, with validation, checkpoints and numbers read
 * between epochs, and prints after each tenth what memory it holds and how long its steps took.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callbacks, init, layers, sequential } from 'weft-gpu';
import { findGpu } from '../../scripts/support/software-adapter.js';

const steps = Number(process.argv[2]);
const ROWS = 800;
const BATCH = 16;
const PER_EPOCH = ROWS / BATCH;
const epochs = Math.ceil(steps / PER_EPOCH);
const folder = mkdtempSync(join(tmpdir(), 'weft-soak-'));

const { gpu } = await findGpu();
const engine = await init({ gpu, seed: 1 });
const x = Array.from({ length: ROWS }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(i * (j + 1))));
const y = x.map((row) => row[0] * row[1]);
const model = sequential([
  layers.input([8]),
  layers.dense({ units: 16, activation: 'relu' }),
  layers.dropout(0.1),
  layers.dense(1),
]);
model.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] });

const tenths = [];
let began = performance.now();
let cpu = process.cpuUsage();
const told = Math.max(1, Math.floor(epochs / 10));
const watching = {
  async onEpochEnd(epoch) {
    await model.weights[0].data();
    (await model.predict(x.slice(0, 7), { verbose: 0 })).dispose();
    if ((epoch + 1) % told !== 0) return;
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { tensors, liveBytes, allocatedBytes } = engine.memory();
    const { user, system } = process.cpuUsage(cpu);
    const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
    const heapMiB = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
    const count = told * PER_EPOCH;
    tenths.push({
      tensors,
      liveBytes,
      allocatedBytes,
      rssMiB,
      heapMiB,
      msPerStep: (performance.now() - began) / count,
      cpuMsPerStep: (user + system) / 1000 / count,
    });
    began = performance.now();
    cpu = process.cpuUsage();
  },
};
const { history } = await model.fit(x, y, {
  batchSize: BATCH,
  epochs,
  verbose: 0,
  validationSplit: 0,
  validationData: [x.slice(0, 40), y.slice(0, 40)],
  callbacks: [
    callbacks.modelCheckpoint(join(folder, 'best.keras'), { saveBestOnly: true }),
    callbacks.backupAndRestore(join(folder, 'backup')),
    watching,
  ],
});
rmSync(folder, { recursive: true, force: true });
console.log(
  JSON.stringify({ steps: epochs * PER_EPOCH, tenths, loss: history.loss.at(-1), first: history.loss[0] }),
);
