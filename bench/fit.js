#!/usr/bin/env node
/** A whole fit, first step to last, cold: compiling, shuffling, reporting and all; W2, two epochs of 40,000 images. */
import { chooseEngines, describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { firstLine, short, table } from './lib/table.js';
import { trainSamples, workloads } from './lib/workloads.js';

const help = `node bench/fit.js [options]

  --epochs N            (2)
${sharedHelp}`;
const options = readOptions(help, { epochs: { type: 'string', default: '2' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
const names = chooseEngines(options, help);
const epochs = options.quick ? 1 : Number(options.epochs);
const workload = workloads.find(({ id }) => id === 'W2');
const lines = [];
console.log(`${introduce(context)}\n`);

for (const engine of names) {
  const row = save('fit', context, { workload: workload.id, engine, epochs, ...(await measure(engine)) });
  if (options.json) console.log(JSON.stringify(row));
  if (row.failed) process.exitCode = 1;
  lines.push(
    row.failed
      ? [row.name, `failed: ${firstLine(row.failed)}`]
      : [row.name, short(row.seconds), row.loss.toFixed(4), row.testAccuracy.toFixed(3)],
  );
}
console.log(table(['engine', `seconds, ${epochs} epochs`, 'loss', 'test accuracy'], lines));

async function measure(engine) {
  const child = new EngineProcess(engine, { MESA_SHADER_CACHE_DISABLE: 'true' });
  const steps = epochs * Math.floor(trainSamples / workload.batchSize);
  try {
    const tuning = readTuning(options.tuning);
    const request = { engine, workload: workload.id, dataFolder: options.data, checkSteps: 1, tuning };
    const { name, data, coldMilliseconds } = await child.ask('prepare', request, 150);
    const { milliseconds, loss, accuracy } = await child.ask('round', { count: steps }, 600);
    const { testAccuracy } = await child.ask('finish', {}, 120);
    if (!(testAccuracy > 0.75)) throw new Error(`test accuracy ${testAccuracy} after ${epochs} epochs`);
    return { name, data, seconds: (coldMilliseconds + milliseconds) / 1000, loss, accuracy, testAccuracy };
  } catch (error) {
    return { name: engine, failed: error.message };
  } finally {
    child.end();
  }
}
