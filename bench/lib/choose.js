/** What all parts share: their options, who takes part, and where engines run. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { EngineProcess } from './engine-process.js';
import { engines, inPage } from './engines.js';
import { describeMachine, quiet } from './machine.js';

/** Options of every part. */
export const sharedOptions = {
  peers: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  minutes: { type: 'string' },
  data: { type: 'string' },
  tuning: { type: 'string' },
  page: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

export const sharedHelp = `  --peers tfjs,jax      whom to run beside Weft: ${Object.keys(engines).slice(1).join(', ')},
                        none (all that are there)
  --tuning full         Weft's tuning, as init takes it (its default)
  --page                in a headless Chromium instead of Node
  --rounds N            rounds after the warm-up
  --seconds S           length of a round per engine
  --minutes M           time for everything; rounds are dropped, at most down to 3, to keep it
  --data DIR            where the four Fashion-MNIST files lie
  --quick               a first look with short rounds, never quoted
  --json                print one JSON line per result instead of a table

Results are appended to bench/results. The peers need: npm ci --prefix bench/peers`;

/** Reads the command line; prints the help, or what was wrong with it, and ends. */
export function readOptions(help, own = {}) {
  try {
    const { values } = parseArgs({ options: { ...sharedOptions, ...own } });
    if (!values.help) return values;
    console.log(help);
    process.exit();
  } catch (error) {
    refuse(error.message, help);
  }
}

export function refuse(problem, help) {
  console.error(`bench: ${problem}\n\n${help}`);
  process.exit(2);
}

/** The engines of a run, Weft first: those named, or every one that this machine has. */
export function chooseEngines(options, help, { halfPrecision = false } = {}) {
  if (options.peers) {
    const named = options.peers === 'none' ? [] : options.peers.split(',');
    const unknown = named.find((name) => !engines[name]);
    if (unknown) refuse(`no engine '${unknown}'`, help);
    return ['weft', ...named.filter((name) => name !== 'weft')];
  }
  if (options.page) return inPage;
  const torch = findTorch();
  const cuda = ['torch-cuda', ...(halfPrecision ? ['torch-f16'] : ['torch-graphs'])];
  return [...inPage, ...(torch ? ['torch'] : []), ...(torch === 'cuda' ? cuda : [])];
}

/** 'cuda', 'cpu' or null: what PyTorch there is for python3, or for WEFT_BENCH_PYTHON. */
export function findTorch() {
  const python = process.env.WEFT_BENCH_PYTHON ?? 'python3';
  const code = "import torch; print('cuda' if torch.cuda.is_available() else 'cpu')";
  const { status, stdout } = spawnSync(python, ['-W', 'ignore', '-c', code], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return status === 0 ? stdout.trim() : null;
}

/** How an engine is started: a process, or a tab of a headless Chromium. `close()` when all is over. */
export async function chooseHome(options) {
  if (options.page) {
    const { PageEngines } = await import('./page-engine.js');
    return PageEngines.launch();
  }
  return {
    where: 'Node',
    open: (name, environment) => new EngineProcess(name, environment),
    close: async () => {},
  };
}

/** What every result of this run carries, from the machine and from the adapter that engines here get. */
export async function describeRun(options, home) {
  const probe = await home.open('weft');
  const adapter = await probe.ask('adapter', {}, 60).finally(() => probe.end());
  const { tuning } = options;
  return {
    ...describeMachine(),
    adapter,
    where: home.where,
    ...(home.where !== 'Node' && { runtime: home.runtime }),
    ...(tuning && { tuning }),
    ...(options.quick && { quick: true }),
  };
}

/** One line about the machine, and a word of caution where it is due. */
export function introduce(context) {
  const { adapter, runtime, machine, commit, load } = context;
  const software = adapter.software ? ' (software adapter, no GPU)' : '';
  const caution =
    load > quiet
      ? `\nThe machine is not quiet (others keep ${load.toFixed(1)} cores busy): not numbers to quote.`
      : '';
  return `${adapter.name}${software}; ${runtime}; ${machine}; commit ${commit}${caution}`;
}

/** `init`'s tuning from the command line: a word, or JSON. */
export const readTuning = (text) => (text?.startsWith('{') ? JSON.parse(text) : text);
