#!/usr/bin/env node
/**
 * A soak: many fits of W2 one after the other, and what process memory and live bytes do meanwhile. Growth is the slope of a
 * line through the second half, when everything that is made once has been made.
 */
import { chooseEngines, describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { line } from './lib/statistics.js';
import { firstLine, short, table } from './lib/table.js';

const help = `node bench/memory.js [options]

  --steps N             steps in all (10,000; quick 400)
${sharedHelp}`;
const options = readOptions(help, { steps: { type: 'string' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
const names = chooseEngines({ ...options, peers: options.peers ?? 'none' }, help);
const steps = Number(options.steps ?? (options.quick ? 400 : 10_000));
const fits = 40;
const lines = [];
console.log(`${introduce(context)}\n`);

for (const engine of names) {
  const row = save('memory', context, { workload: 'W2', engine, ...(await soak(engine)) });
  if (options.json) console.log(JSON.stringify(row));
  if (row.failed) process.exitCode = 1;
  const megabytes = (bytes) => (bytes === undefined ? '–' : short(bytes / 1e6));
  lines.push(
    row.failed
      ? [row.name, `failed: ${firstLine(row.failed)}`]
      : [
          row.name,
          row.steps,
          megabytes(row.rss),
          megabytes(row.driftPerThousandSteps),
          megabytes(row.liveBytes),
          row.liveBytesDrift ?? '–',
          megabytes(row.allocatedBytes),
        ],
  );
}
const header = [
  'engine',
  'steps',
  'RSS, MB',
  'per 1,000 steps',
  'live, MB',
  'change, bytes',
  'allocated, MB',
];
console.log(table(header, lines));

async function soak(engine) {
  const child = new EngineProcess(engine);
  const ask = (kind, request = {}) => child.ask(kind, request, 300);
  try {
    const tuning = readTuning(options.tuning);
    const { name, data } = await ask('prepare', {
      engine,
      workload: 'W2',
      dataFolder: options.data,
      checkSteps: 1,
      tuning,
    });
    const samples = [];
    let total = 0;
    for (let fit = 0; fit < fits; fit++) {
      const { count } = await ask('round', { count: Math.ceil(steps / fits) });
      total += count;
      samples.push({ steps: total, ...(await ask('memory')) });
    }
    const settled = samples.slice(fits / 2);
    const last = samples.at(-1);
    const live = settled.map(({ liveBytes }) => liveBytes);
    return {
      name,
      data,
      steps: total,
      rss: last.rss,
      driftPerThousandSteps: 1000 * line(settled.map(({ steps, rss }) => [steps, rss])).slope,
      ...(last.liveBytes !== undefined && {
        liveBytes: last.liveBytes,
        liveBytesDrift: last.liveBytes - live[0],
        allocatedBytes: last.allocatedBytes,
      }),
      samples,
    };
  } catch (error) {
    return { name: engine, failed: error.message };
  } finally {
    child.end();
  }
}
