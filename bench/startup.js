#!/usr/bin/env node
/**
 * Seconds from the import of an engine to its first training step done, in a fresh process each time: cold (without the
 * driver's cache of compiled kernels), then again with the cache that a run before has filled.
 *
 * Reading the data is not counted; uploading it is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chooseEngines,
  describeRun,
  introduce,
  readOptions,
  readTuning,
  refuse,
  sharedHelp,
} from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';
import { firstLine, short, table } from './lib/table.js';
import { everyday, workloads } from './lib/workloads.js';

const help = `node bench/startup.js [options]\n\n  --workloads W1,W2     (${everyday.join(', ')})\n${sharedHelp}`;
const options = readOptions(help, { workloads: { type: 'string', default: everyday.join(',') } });
const home = { where: 'Node', open: () => new EngineProcess() };
const context = await describeRun(options, home);
const names = chooseEngines(options, help);
const runs = Number(options.rounds ?? (options.quick ? 1 : 3));
console.log(`${introduce(context)}\n`);

const lines = [];
for (const id of options.workloads.split(',')) {
  if (!workloads.some((workload) => workload.id === id)) refuse(`no workload '${id}'`, help);
  for (const engine of names) {
    const caches = mkdtempSync(join(tmpdir(), 'weft-bench-'));
    const cold = { MESA_SHADER_CACHE_DISABLE: 'true' };
    const warm = { MESA_SHADER_CACHE_DIR: caches };
    try {
      report(id, engine, true, await measure(engine, id, cold));
      await once(engine, id, warm).catch(() => {});
      report(id, engine, false, await measure(engine, id, warm));
    } finally {
      rmSync(caches, { recursive: true, force: true });
    }
  }
}
console.log(table(['engine', 'caches', 'seconds', '(least–most)', 'before the first step'], lines));

async function once(engine, workload, environment) {
  const process = new EngineProcess(engine, environment);
  const request = { engine, workload, dataFolder: options.data, tuning: readTuning(options.tuning) };
  try {
    return await process.ask('startup', request, 180);
  } finally {
    process.end();
  }
}

async function measure(engine, workload, environment) {
  try {
    const answers = [];
    for (let run = 0; run < runs; run++) answers.push(await once(engine, workload, environment));
    const { name, data } = answers[0];
    return {
      name,
      data,
      milliseconds: spread(answers.map(({ milliseconds }) => milliseconds)),
      prepareMilliseconds: spread(answers.map(({ prepareMilliseconds }) => prepareMilliseconds)),
    };
  } catch (error) {
    process.exitCode = 1;
    return { name: engine, failed: error.message };
  }
}

function report(workload, engine, cold, result) {
  const row = save('startup', context, { workload, engine, cold, ...result });
  if (options.json) console.log(JSON.stringify(row));
  const what = [`${row.name}, ${workload}`, cold ? 'none' : 'filled'];
  if (row.failed) return lines.push([...what, `failed: ${firstLine(row.failed)}`]);
  const { median, min, max } = row.milliseconds;
  const seconds = (value) => short(value / 1000);
  lines.push([
    ...what,
    seconds(median),
    `(${seconds(min)}–${seconds(max)})`,
    seconds(row.prepareMilliseconds.median),
  ]);
}
