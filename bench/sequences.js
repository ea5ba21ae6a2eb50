#!/usr/bin/env node
/**
 * Training steps on sequences: an embedding, a recurrent layer over 100 words and one sigmoid, batch 64, adam. ms and dispatches
 * of a step in the steady state, PyTorch's beside it where `python3` has it. Checked before: the loss of the first epoch must be the
 * same as that of the layer composed step by step.
 */
import { spawnSync } from 'node:child_process';
import { findGpu } from '../scripts/support/software-adapter.js';
import { describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';
import { table } from './lib/table.js';

const help = `node bench/sequences.js [options]

  --workloads R1,R2,R4  which of them (R1: LSTM(8), R2: GRU(8), R4: LSTM(128))
${sharedHelp}`;
const options = readOptions(help, { workloads: { type: 'string' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
console.log(`${introduce(context)}\n`);

const { init, layers, sequential, setRandomSeed, tensor } = await import('../dist/index.js');
const { gpu } = await findGpu();
const tuning = readTuning(options.tuning);
const engine = await init({ gpu, seed: 1, ...(tuning && { tuning }) });

const [words, size, steps, batch] = [500, 16, 100, 64];
const all = {
  R1: { layer: 'lstm', units: 8 },
  R2: { layer: 'gru', units: 8 },
  R4: { layer: 'lstm', units: 128 },
};
const count = batch * 4;
const ids = Int32Array.from({ length: count * steps }, (_, i) => (i * 7919 + (i >> 3) * 31) % words);
const labels = Float32Array.from({ length: count }, (_, i) => i % 2);

/** `more` makes the layer one that is composed step by step: an activation of one's own. */
function modelOf({ layer, units }, length, more = {}) {
  setRandomSeed(1);
  const model = sequential([
    layers.input([length]),
    layers.embedding(words, size),
    layers[layer](units, more),
    layers.dense(1, { activation: 'sigmoid' }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
  return model;
}

/** A short training in both ways: kernels against ops. */
async function check(workload) {
  const length = 5;
  const x = tensor(ids.slice(0, batch * length), { shape: [batch, length] });
  const y = tensor(labels.slice(0, batch), { shape: [batch, 1] });
  const losses = [];
  for (const more of [{}, { activation: (z) => z.tanh() }]) {
    const { history } = await modelOf(workload, length, more).fit(x, y, {
      batchSize: 16,
      verbose: 0,
      shuffle: false,
    });
    losses.push(history.loss[0]);
  }
  if (!(Math.abs(losses[0] - losses[1]) < 1e-5)) throw new Error(`losses are ${losses.join(' and ')}`);
}

/** ms per step of PyTorch on one thread, or null. */
function torch({ layer, units }) {
  const program = `
import time, torch
torch.set_num_threads(1); torch.manual_seed(0)
e = torch.nn.Embedding(${words}, ${size}); r = torch.nn.${layer.toUpperCase()}(${size}, ${units}, batch_first=True); d = torch.nn.Linear(${units}, 1)
o = torch.optim.Adam([*e.parameters(), *r.parameters(), *d.parameters()])
x = torch.randint(0, ${words}, (${batch}, ${steps})); y = torch.rand(${batch}, 1).round()
times = []
for i in range(30):
    t = time.perf_counter(); o.zero_grad()
    torch.nn.functional.binary_cross_entropy_with_logits(d(r(e(x))[0][:, -1]), y).backward(); o.step()
    times.append(time.perf_counter() - t)
print(1000 * sorted(times[5:])[12])`;
  const { status, stdout } = spawnSync(process.env.WEFT_BENCH_PYTHON ?? 'python3', ['-c', program], {
    encoding: 'utf8',
  });
  return status === 0 ? Number(stdout) : null;
}

const lines = [];
for (const name of (options.workloads ?? Object.keys(all).join()).split(',')) {
  const workload = all[name];
  if (!workload) throw new Error(`no workload ${name}; there are ${Object.keys(all).join(', ')}`);
  await check(workload);
  const model = modelOf(workload, steps);
  const data = [tensor(ids, { shape: [count, steps] }), tensor(labels, { shape: [count, 1] })];
  const train = (epochs) => model.fit(...data, { batchSize: batch, epochs, verbose: 0 });
  await train(1);
  const rounds = [];
  for (let round = 0; round < Number(options.rounds ?? (options.quick ? 3 : 7)); round++) {
    const start = performance.now();
    await train(2);
    rounds.push((performance.now() - start) / 8);
  }
  const explained = await model.explain({ batchSize: batch });
  const peer = torch(workload);
  const row = save('sequences', context, {
    workload: name,
    ...workload,
    milliseconds: spread(rounds).median,
    dispatches: explained.kernels.length,
    ...(peer !== null && { torch: peer }),
  });
  if (options.json) console.log(JSON.stringify(row));
  lines.push([
    `${name}: Embedding(${words}, ${size}) · ${workload.layer.toUpperCase()}(${workload.units}) · Dense(1)`,
    row.milliseconds.toFixed(2),
    String(row.dispatches),
    peer === null ? '–' : peer.toFixed(2),
  ]);
}
console.log(table(['', 'ms a step', 'dispatches', 'PyTorch, one thread: ms'], lines));
await engine.close();
