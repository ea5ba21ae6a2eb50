#!/usr/bin/env node
/**
 * What a training step costs as batch, width, depth and data grow, and where that starts to matter: the knee is where a
 * step takes twice what it takes at the smallest size; before it, dispatching is what is paid for.
 */
import { describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { knee, spread } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { scaled } from './lib/workloads.js';

const help = `node bench/scaling.js [options]

  --curves batch,depth  which of batch, width, depth, data, stream (all)
${sharedHelp}`;
const options = readOptions(help, { curves: { type: 'string' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
const onGpu = !context.adapter.software;
/** A step longer than this ends its curve. */
const longest = onGpu ? 1000 : 400;
const powers = (from, to, by = 2) => {
  const values = [];
  for (let value = from; value <= to; value *= by) values.push(value);
  return values;
};

/** The last is 251 MB of pixels: more than one binding of 128 MiB. */
const dataSizes = [5000, 20_000, 80_000, 320_000];

const curves = {
  batch: {
    title: 'batch, 784→100→10',
    sizes: powers(8, 8192, 4),
    at: (batchSize) => ({ batchSize, width: 100, depth: 1 }),
  },
  width: {
    title: 'width, one hidden layer, batch 32',
    sizes: powers(8, 8192, 4),
    at: (width) => ({ batchSize: 32, width, depth: 1 }),
  },
  depth: {
    title: 'depth, hidden layers of 64, batch 32',
    sizes: powers(1, 32),
    at: (depth) => ({ batchSize: 32, width: 64, depth }),
  },
  data: {
    title: 'samples, resident, 784→100→10, batch 32',
    sizes: dataSizes,
    at: (samples) => ({ batchSize: 32, width: 100, depth: 1, samples }),
  },
  stream: {
    title: 'streamed samples, 784→100→10, batch 32',
    sizes: dataSizes,
    at: (samples) => ({ batchSize: 32, width: 100, depth: 1, samples, stream: true }),
  },
};
const wanted = options.curves?.split(',') ?? Object.keys(curves);
console.log(`${introduce(context)}\n`);

for (const name of wanted) {
  const { title, sizes, at } = curves[name];
  const points = [];
  for (const size of sizes) {
    const milliseconds = await measure(at(size)).catch((error) => {
      console.log(`  ${title}: ${size} failed: ${error.message.split('\n')[0]}`);
      process.exitCode = 1;
    });
    if (!milliseconds) break;
    points.push({ at: size, milliseconds });
    if (milliseconds.median > longest) break;
  }
  if (points.length === 0) continue;
  const bend = knee(points.map(({ at, milliseconds }) => [at, milliseconds.median]));
  const row = save('scaling', context, { engine: 'weft', curve: title, points, knee: bend });
  if (options.json) console.log(JSON.stringify(row));
  const lines = points.map(({ at, milliseconds: { median, min, max } }) => [
    at,
    short(median),
    `(${short(min)}–${short(max)})`,
  ]);
  console.log(`${table([title, 'ms/step', '(least–most)'], lines)}`);
  console.log(`  twice the least at ${bend === null ? 'none of these' : short(bend)}\n`);
}

async function measure(network) {
  const child = new EngineProcess('weft');
  const ask = (kind, request) => child.ask(kind, request, 180);
  try {
    const workload = scaled(network);
    const tuning = readTuning(options.tuning);
    await ask('prepare', {
      engine: 'weft',
      workload,
      dataFolder: options.data,
      checkSteps: 1,
      trainSamples: network.samples,
      tuning,
    });
    const least = options.quick ? 100 : 600;
    let count = 1;
    for (let long = 0; long < 2; ) {
      const { milliseconds } = await ask('round', { count });
      if (milliseconds >= least) long++;
      else count = Math.ceil(count * Math.min(8, (1.3 * least) / milliseconds));
    }
    const rounds = [];
    for (let round = 0; round < 3; round++) rounds.push(await ask('round', { count }));
    if (rounds.some(({ loss }) => !Number.isFinite(loss))) throw new Error('check: the loss is not a number');
    return spread(rounds.map(({ milliseconds, count }) => milliseconds / count));
  } finally {
    child.end();
  }
}
