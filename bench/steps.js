#!/usr/bin/env node
/**
 * Milliseconds per training step: Weft against TensorFlow.js, jax-js and PyTorch, on the same data and starting weights.
 *
 * Check, then time: every engine first trains a few steps in file order, and its loss must agree with a float64
 * reference. Then they take turns (lib/race.js). Afterwards the loss must have fallen and the test accuracy must be what
 * so many steps give.
 */
import {
  chooseEngines,
  chooseHome,
  describeRun,
  introduce,
  readOptions,
  readTuning,
  refuse,
  sharedHelp,
} from './lib/choose.js';
import { compareSteps, stepsTable } from './lib/compare.js';
import { loadData, syntheticData } from './lib/data.js';
import { save } from './lib/results.js';
import { everyday, workloads } from './lib/workloads.js';

const help = `node bench/steps.js [options]

  --workloads W1,W2     which of ${workloads.map((w) => w.id).join(', ')} (${everyday.join(', ')})
${sharedHelp}`;
const options = readOptions(help, { workloads: { type: 'string', default: everyday.join(',') } });
const chosen = options.workloads
  .split(',')
  .map((id) => workloads.find((w) => w.id === id) ?? refuse(`no workload '${id}'`, help));
const names = chooseEngines(options, help);
const home = await chooseHome(options);
const context = await describeRun(options, home);
const data = options.page ? syntheticData() : await loadData(options.data);
const say = options.json ? () => {} : (text) => console.log(text);
say(`${introduce(context)}\n${data.name}, ${data.train.labels.length} samples, the same for all.\n`);

// From the disk cache a cold start would be quick for whoever ran here before.
const environment = options.quick ? {} : { MESA_SHADER_CACHE_DISABLE: 'true' };
const start = performance.now();
for (const [i, workload] of chosen.entries()) {
  const left = Number(options.minutes ?? 10) * 60 - (performance.now() - start) / 1000;
  const rows = await compareSteps(workload, {
    names,
    data,
    open: (name) => home.open(name, environment),
    request: { dataFolder: options.data, tuning: readTuning(options.tuning) },
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    roundSeconds: Number(options.seconds ?? (options.quick ? 0.4 : 2)),
    seconds: left / (chosen.length - i),
  });
  const saved = rows.map((row) => save('steps', context, { data: data.name, ...row }));
  if (options.json) for (const row of saved) console.log(JSON.stringify(row));
  if (saved.some((row) => row.failed)) process.exitCode = 1;
  say(stepsTable(workload, saved));
}
await home.close();
say(`${((performance.now() - start) / 60_000).toFixed(1)} minutes.`);
