#!/usr/bin/env node
/** `predict`: how long one image takes from the CPU and back, and how many a second go through in bulk (W2's network). */
import {
  chooseEngines,
  chooseHome,
  describeRun,
  introduce,
  readOptions,
  readTuning,
  sharedHelp,
} from './lib/choose.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';
import { firstLine, short, table } from './lib/table.js';

const help = `node bench/predict.js [options]\n\n${sharedHelp}`;
const options = readOptions(help);
const home = await chooseHome(options);
const context = await describeRun(options, home);
const names = chooseEngines(options, help);
const rounds = Number(options.rounds ?? (options.quick ? 3 : 7));
console.log(`${introduce(context)}\n`);

const workload = 'W2';
const lines = [];
for (const engine of names) {
  const row = save('predict', context, { workload, engine, ...(await measure(engine)) });
  if (options.json) console.log(JSON.stringify(row));
  if (row.failed) {
    process.exitCode = 1;
    lines.push([row.name, `failed: ${firstLine(row.failed)}`]);
  } else {
    const { latency, imagesPerSecond } = row;
    lines.push([
      row.name,
      short(latency.median),
      `(${short(latency.min)}–${short(latency.max)})`,
      short(imagesPerSecond.median),
      `(${short(imagesPerSecond.min)}–${short(imagesPerSecond.max)})`,
    ]);
  }
}
await home.close();
console.log(table(['engine', 'one image, ms', '(least–most)', 'images per second', '(least–most)'], lines));

async function measure(engine) {
  const process = await home.open(engine);
  const ask = (kind, request) => process.ask(kind, request, 150);
  try {
    const tuning = readTuning(options.tuning);
    const { name, data } = await ask('prepare', {
      engine,
      workload,
      dataFolder: options.data,
      checkSteps: 1,
      tuning,
    });
    const times = async (what, least) => {
      let count = 1;
      for (let long = 0; long < 2; ) {
        const { milliseconds } = await ask('predict', { what, count });
        if (milliseconds >= least) long++;
        else count = Math.ceil(count * Math.min(8, (1.3 * least) / milliseconds));
      }
      const samples = [];
      for (let round = 0; round < rounds; round++) samples.push(await ask('predict', { what, count }));
      return samples;
    };
    const one = await times('one', options.quick ? 50 : 300);
    const all = await times('all', options.quick ? 50 : 600);
    // Probabilities add up to one for each image.
    const wrong = [
      [one, 1],
      [all, all[0].samples],
    ].find(([samples, sum]) => samples.some((sample) => Math.abs(sample.sum - sum) > 1e-3 * sum));
    if (wrong) throw new Error(`check: probabilities add up to ${wrong[0][0].sum}, expected ${wrong[1]}`);
    return {
      name,
      data,
      latency: spread(one.map(({ milliseconds, count }) => milliseconds / count)),
      imagesPerSecond: spread(
        all.map(({ milliseconds, count, samples }) => (1000 * count * samples) / milliseconds),
      ),
    };
  } catch (error) {
    return { name: engine, failed: error.message };
  } finally {
    await process.end();
  }
}
