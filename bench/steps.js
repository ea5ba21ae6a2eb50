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
import { loadData } from './lib/data.js';
import { race, timing } from './lib/race.js';
import { referenceLoss } from './lib/reference.js';
import { save } from './lib/results.js';
import { firstLine, perStep, short, table } from './lib/table.js';
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
const data = await loadData(options.data);
const say = options.json ? () => {} : (text) => console.log(text);
say(`${introduce(context)}\n${data.name}, ${data.train.labels.length} samples, the same for all.\n`);

const start = performance.now();
for (const [i, workload] of chosen.entries()) {
  const left = Number(options.minutes ?? 10) * 60 - (performance.now() - start) / 1000;
  const rows = await compare(workload, left / (chosen.length - i));
  const saved = rows.map((row) => save('steps', context, { data: data.name, ...row }));
  if (options.json) for (const row of saved) console.log(JSON.stringify(row));
  if (saved.some((row) => row.failed)) process.exitCode = 1;
  say(terminalTable(workload, saved));
}
await home.close();
say(`${((performance.now() - start) / 60_000).toFixed(1)} minutes.`);

async function compare(workload, seconds) {
  const { checkSteps } = workload;
  const expected = referenceLoss(workload, data, checkSteps);
  // From the disk cache a cold start would be quick for whoever ran here before.
  const environment = options.quick ? {} : { MESA_SHADER_CACHE_DISABLE: 'true' };
  const runners = await race({
    names,
    open: (name) => home.open(name, environment),
    kinds: { prepare: 'prepare', round: 'round', finish: 'finish' },
    request: {
      workload: workload.id,
      dataFolder: options.data,
      checkSteps,
      tuning: readTuning(options.tuning),
    },
    check: ({ check }) => agree(check, expected),
    judge: (runner) => judge(runner, workload),
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    roundSeconds: Number(options.seconds ?? (options.quick ? 0.4 : 2)),
    seconds,
  });
  return runners.map((runner) => summary(runner, workload, runners));
}

/** Same weights, same batches: the same loss, but for rounding. */
function agree(check, expected) {
  const difference = Math.abs(check.loss - expected.loss) / expected.loss;
  if (!(difference < 1e-4)) throw new Error(`check: loss ${check.loss}, the reference has ${expected.loss}`);
  if (!(Math.abs(check.accuracy - expected.accuracy) < 0.02))
    throw new Error(`check: accuracy ${check.accuracy}, the reference has ${expected.accuracy}`);
}

function judge(runner, { floors }) {
  runner.stepsTotal = runner.rounds.reduce((sum, { count }) => sum + count, 0);
  const { loss } = runner.rounds.at(-1);
  if (runner.stepsTotal >= 20 && !(loss < runner.check.loss))
    throw new Error(`the loss did not fall: ${runner.check.loss}, then ${loss}`);
  const reached = Object.entries(floors).filter(([steps]) => Number(steps) <= runner.stepsTotal);
  const floor = Math.max(0, ...reached.map(([, accuracy]) => accuracy));
  if (!(runner.testAccuracy >= floor))
    throw new Error(
      `test accuracy ${runner.testAccuracy} after ${runner.stepsTotal} steps, expected ${floor}`,
    );
}

function summary(runner, { id, title }, runners) {
  const { engine, name, failed } = runner;
  const row = { workload: id, title, engine, name };
  if (failed) return { ...row, failed };
  const { loss, accuracy, calls, kernels } = runner.rounds.at(-1);
  const { check, coldMilliseconds, stepsTotal, testAccuracy } = runner;
  return {
    ...row,
    ...timing(runner, runners),
    calls,
    ...(engine === 'weft' && { kernels }),
    coldMilliseconds,
    checkLoss: check.loss,
    loss,
    accuracy,
    stepsTotal,
    testAccuracy,
  };
}

function terminalTable({ id, title }, rows) {
  const header = [
    'engine',
    'ms/step',
    '(min–max)',
    '× Weft',
    'dispatches',
    'submits',
    'cold ms',
    'loss',
    'test',
  ];
  const lines = rows.map((row) => {
    if (row.failed) return [row.name, `failed: ${firstLine(row.failed)}`];
    const { milliseconds, ratio, calls } = row;
    return [
      row.name,
      short(milliseconds.median),
      `(${short(milliseconds.min)}–${short(milliseconds.max)})`,
      ratio ? ratio.median.toFixed(2) : '–',
      calls ? perStep(calls.dispatches) : '–',
      calls ? perStep(calls.submits) : '–',
      row.coldMilliseconds.toFixed(0),
      row.loss.toFixed(4),
      row.testAccuracy.toFixed(3),
    ];
  });
  return `${id}  ${title}\n${table(header, lines)}\n`;
}
