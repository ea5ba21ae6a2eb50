#!/usr/bin/env node
/**
 * Milliseconds per training step: Weft against TensorFlow.js and jax-js, on the same adapter, data and starting weights.
 *
 * Check, then time: every engine first trains a few steps in file order, and its loss must agree with a float64
 * reference. Then each engine waits in a process of its own and they take turns, A B C A B C, so that a slow moment of
 * the machine meets all of them; ratios are taken within a round. Afterwards the loss must have fallen and the test
 * accuracy must be what so many steps give.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadData } from './data.js';
import { EngineProcess } from './engine-process.js';
import { defaultEngines, engines } from './engines.js';
import { describeMachine } from './machine.js';
import { referenceFit } from './reference.js';
import { label, markdown, quiet, terminalTable } from './report.js';
import { startingWeights, workloads } from './workloads.js';

const help = `node bench/steps.js [options]

  --workloads W1,W2     which of ${workloads.map((w) => w.id).join(', ')} (all)
  --peers tfjs,jax      whom to run beside Weft: ${Object.keys(engines).slice(1).join(', ')}, none (tfjs,jax)
  --without-weft        only the peers
  --rounds N            rounds after the warm-up (5; quick 3)
  --seconds S           length of a round per engine (2; quick 0.4)
  --minutes M           time for everything; rounds are dropped, at most down to 3, to keep it (11)
  --data DIR            where the four Fashion-MNIST files lie
  --quick               a first look: short rounds, and Mesa's disk cache of compiled kernels stays on
  --resume              leave out the workloads that the last unfinished run of this commit has finished
  --json                print one JSON line per result instead of a table
  --markdown            print the last run as a Markdown table and end; runs nothing

Results are appended to bench/results/steps.jsonl. The peers need: npm ci --prefix bench/peers`;

const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string', default: workloads.map((w) => w.id).join(',') },
    peers: { type: 'string', default: defaultEngines.slice(1).join(',') },
    'without-weft': { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    minutes: { type: 'string', default: '11' },
    data: { type: 'string' },
    quick: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const resultsFile = fileURLToPath(new URL('results/steps.jsonl', import.meta.url));
const checkSteps = 5;
const leastRounds = 3;
const patience = { prepare: 150, round: 90, finish: 90 }; // seconds; llvmpipe compiles some kernels for 20 s

if (options.help) console.log(help);
else if (options.markdown) console.log(markdown(lastRun()));
else process.exitCode = await main();

async function main() {
  const chosen = options.workloads.split(',').map((id) =>
    known(
      workloads.find((w) => w.id === id),
      'workload',
      id,
    ),
  );
  const peers = options.peers === 'none' ? [] : options.peers.split(',');
  const names = [...(options['without-weft'] ? [] : ['weft']), ...peers];
  for (const name of names) known(engines[name], 'engine', name);

  const context = await describeRun();
  const data = await loadData(options.data);
  const done = options.resume ? finishedRows(context, names) : [];
  if (done.length > 0) context.run = done[0].run;
  const say = options.json ? () => {} : (text) => console.log(text);
  say(
    `${context.adapter.name}${label(context)}; ${context.runtime}; ${context.machine}; commit ${context.commit}`,
  );
  say(
    `${data.name}, ${data.train.labels.length} samples, the same for all; shuffled by each engine's own generator.`,
  );
  if (context.load > quiet)
    say(`The machine is not quiet (load ${context.load.toFixed(1)}): not numbers to quote.`);
  say('');

  const rows = [...done];
  const start = performance.now();
  const todo = chosen.filter((workload) => !done.some((row) => row.workload === workload.id));
  for (const [i, workload] of todo.entries()) {
    const left = Number(options.minutes) * 60 - (performance.now() - start) / 1000;
    const results = await race(workload, names, data, left / (todo.length - i));
    const finished = results.map((result) => ({ ...context, data: data.name, ...result }));
    save(finished);
    rows.push(...finished);
    say(options.json ? '' : terminalTable(finished));
    if (options.json) for (const row of finished) console.log(JSON.stringify(row));
  }
  say(
    `${((performance.now() - start) / 60_000).toFixed(1)} minutes. As Markdown: node bench/steps.js --markdown`,
  );
  return rows.some((row) => row.failed) ? 1 : 0;
}

/** One workload, all engines, within about `seconds`. */
async function race(workload, names, data, seconds) {
  const start = performance.now();
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
  const roundSeconds = Number(options.seconds ?? (options.quick ? 0.4 : 2));
  const expected = referenceFit(workload, startingWeights(workload), data.train, checkSteps);
  // From the disk cache a cold start would be quick for whoever ran here before.
  const environment = options.quick ? {} : { MESA_SHADER_CACHE_DISABLE: 'true' };
  const runners = names.map((engine) => ({
    engine,
    name: engine,
    process: new EngineProcess(environment),
    rounds: [],
  }));
  const attempt = async (runner, work) => {
    if (runner.failed) return;
    try {
      await work(runner);
    } catch (error) {
      runner.failed = error.message;
      runner.process.end();
    }
  };

  for (const runner of runners) {
    await attempt(runner, async () => {
      const request = { engine: runner.engine, workload: workload.id, dataFolder: options.data, checkSteps };
      Object.assign(runner, await runner.process.ask('prepare', request, patience.prepare));
      compare(runner.check, expected);
      runner.steps = await settle(runner, roundSeconds);
    });
  }
  const raceStart = performance.now();
  for (let round = 0; round < rounds; round++) {
    const now = performance.now();
    const nextEnd = (now - start + (now - raceStart) / round) / 1000;
    if (round >= leastRounds && nextEnd > seconds) break;
    for (const runner of runners) {
      await attempt(runner, async () => {
        runner.rounds.push(await runner.process.ask('round', { steps: runner.steps }, patience.round));
      });
    }
  }
  for (const runner of runners) {
    await attempt(runner, async () => {
      Object.assign(runner, await runner.process.ask('finish', {}, patience.finish));
      judge(runner, workload);
    });
    runner.process.end();
  }
  return runners.map((runner) =>
    summary(
      runner,
      workload,
      runners.find(({ engine }) => engine === 'weft'),
    ),
  );
}

/**
 * Steps that take between half a round and a whole one, found by growing. The first run that is long enough may have been
 * compiling, so it must be long enough twice; the last run is also the warm-up of the rounds that count.
 */
async function settle(runner, roundSeconds) {
  const least = (1000 * roundSeconds) / 2;
  let steps = checkSteps;
  for (let longRuns = 0; longRuns < 2; ) {
    const { milliseconds } = await runner.process.ask('round', { steps }, patience.round);
    if (milliseconds >= least) longRuns++;
    else {
      longRuns = 0;
      steps = Math.min(8 * steps, Math.ceil((1.5 * least * steps) / milliseconds));
    }
  }
  return steps;
}

/** Same weights, same batches: the same loss, but for rounding. */
function compare(check, expected) {
  const difference = Math.abs(check.loss - expected.loss) / expected.loss;
  if (!(difference < 1e-4)) throw new Error(`check: loss ${check.loss}, the reference has ${expected.loss}`);
  if (!(Math.abs(check.accuracy - expected.accuracy) < 0.02)) {
    throw new Error(`check: accuracy ${check.accuracy}, the reference has ${expected.accuracy}`);
  }
}

function judge(runner, workload) {
  const { loss } = runner.rounds.at(-1);
  if (!(loss < runner.check.loss))
    throw new Error(`the loss did not fall: ${runner.check.loss}, then ${loss}`);
  runner.stepsTotal = runner.rounds.reduce((sum, { steps }) => sum + steps, 0);
  const reached = Object.entries(workload.floors).filter(([steps]) => Number(steps) <= runner.stepsTotal);
  const floor = Math.max(0, ...reached.map(([, accuracy]) => accuracy));
  if (!(runner.testAccuracy >= floor)) {
    throw new Error(
      `test accuracy ${runner.testAccuracy} after ${runner.stepsTotal} steps, expected ${floor}`,
    );
  }
}

function summary(runner, workload, weft) {
  const { engine, name, failed } = runner;
  const row = { workload: workload.id, title: workload.title, engine, name };
  if (failed) return { ...row, failed };
  const times = (counted) => counted.rounds.map(({ milliseconds, steps }) => milliseconds / steps);
  const rounds = times(runner);
  const ratios = weft && !weft.failed ? times(weft).map((ms, i) => rounds[i] / ms) : null;
  const { loss, accuracy, calls } = runner.rounds.at(-1);
  const { check, coldMilliseconds, steps, stepsTotal, testAccuracy } = runner;
  return {
    ...row,
    msPerStep: spread(rounds),
    ...(ratios && { ratio: spread(ratios) }),
    rounds,
    stepsPerRound: steps,
    stepsTotal,
    calls,
    coldMilliseconds,
    checkLoss: check.loss,
    loss,
    accuracy,
    testAccuracy,
  };
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return { median: middle, min: sorted[0], max: sorted.at(-1) };
}

async function describeRun() {
  const probe = new EngineProcess();
  const adapter = await probe.ask('adapter', {}, 30).finally(() => probe.end());
  const machine = describeMachine();
  return { run: machine.date, ...machine, adapter };
}

function known(value, what, name) {
  if (value) return value;
  console.error(`bench: no ${what} '${name}'.\n\n${help}`);
  process.exit(2);
}

function save(rows) {
  mkdirSync(new URL('results/', import.meta.url), { recursive: true });
  appendFileSync(resultsFile, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function savedRows() {
  try {
    return readFileSync(resultsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function lastRun() {
  const rows = savedRows();
  if (rows.length === 0) throw new Error('bench: no results yet. Run node bench/steps.js first.');
  return rows.filter(({ run }) => run === rows.at(-1).run);
}

/** Rows of the last run that a resumed one need not repeat: same commit and adapter, all of `names` there and sound. */
function finishedRows({ commit, adapter }, names) {
  const rows = savedRows();
  if (rows.length === 0) return [];
  const last = rows.filter((row) => row.run === rows.at(-1).run);
  if (last[0].commit !== commit || last[0].adapter.name !== adapter.name) return [];
  const sound = ({ workload }) =>
    names.every((name) =>
      last.some((row) => row.workload === workload && row.engine === name && !row.failed),
    );
  return last.filter(sound);
}
