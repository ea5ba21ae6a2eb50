#!/usr/bin/env node
/**
 * Training steps on sequences: an embedding, a recurrent layer over 100 words and one sigmoid, batch 64, adam; and a small GPT.
 * ms and dispatches of a step in the steady state, PyTorch's beside it where `python3` has it. Checked before: the loss of the
 * first epoch must be the same as that of the same network composed of other ops.
 */
import { spawnSync } from 'node:child_process';
import { findGpu } from '../scripts/support/software-adapter.js';
import { describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';
import { table } from './lib/table.js';

const help = `node bench/sequences.js [options]

  --workloads R1,G1     which of them (R1: LSTM(8), R2: GRU(8), R4: LSTM(128), G1: a small GPT)
${sharedHelp}`;
const options = readOptions(help, { workloads: { type: 'string' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
console.log(`${introduce(context)}\n`);

const { init, layers, losses, model, optimizers, sequential, setRandomSeed, tensor } = await import(
  '../dist/index.js'
);
const { gpu } = await findGpu();
const tuning = readTuning(options.tuning);
const engine = await init({ gpu, seed: 1, ...(tuning && { tuning }) });

/** Learns a vector for each place. */
class Positions extends layers.Layer {
  build([, steps, width]) {
    this.table = this.addWeight('positions', [steps, width], 'randomNormal');
  }

  call(x) {
    return x.add(this.table);
  }

  computeOutputShape(shape) {
    return shape;
  }
}

/**
 * A workload: `build(length, plain)` gives a model, `plain` one that is composed of other ops; `data(samples, length)`; `torch`
 * the same for PyTorch: m makes the model, l the loss of a batch x, y.
 */
const recurrent = (layer, units) => ({
  title: `Embedding(500, 16) · ${layer.toUpperCase()}(${units}) · Dense(1)`,
  batch: 64,
  steps: 100,
  build(length, plain) {
    const net = sequential([
      layers.input([length]),
      layers.embedding(500, 16),
      // An activation of one's own is composed step by step.
      layers[layer](units, plain ? { activation: (z) => z.tanh() } : {}),
      layers.dense(1, { activation: 'sigmoid' }),
    ]);
    net.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
    return net;
  },
  data: (samples, length) => [
    tensor(idsOf(samples * length, 500), { shape: [samples, length] }),
    tensor(
      Float32Array.from({ length: samples }, (_, i) => i % 2),
      { shape: [samples, 1] },
    ),
  ],
  torch: `
e = torch.nn.Embedding(500, 16); r = torch.nn.${layer.toUpperCase()}(16, ${units}, batch_first=True); d = torch.nn.Linear(${units}, 1)
m = torch.nn.ModuleList([e, r, d]); o = torch.optim.Adam(m.parameters())
x = torch.randint(0, 500, (64, 100)); y = torch.rand(64, 1).round()
l = lambda: torch.nn.functional.binary_cross_entropy_with_logits(d(r(e(x))[0][:, -1]), y)
clip = lambda: None`,
});

const gpt = {
  title: 'GPT: 3 blocks, 96 wide, 4 heads, 80 characters; adamw, clipped',
  batch: 8,
  steps: 128,
  build(length, plain) {
    const ids = layers.input({ shape: [length], dtype: 'int32' });
    let x = new Positions().apply(layers.embedding(80, 96).apply(ids));
    for (let i = 0; i < 3; i++) {
      const seen = layers.layerNormalization().apply(x);
      const more = { useCausalMask: true, returnAttentionScores: plain };
      const made = layers.multiHeadAttention(4, 24, more).apply([seen, seen]);
      x = layers.add().apply([x, plain ? made[0] : made]);
      const wide = layers.dense(384, { activation: 'gelu' }).apply(layers.layerNormalization().apply(x));
      x = layers.add().apply([x, layers.dense(96).apply(wide)]);
    }
    const scores = layers.dense(80).apply(layers.layerNormalization().apply(x));
    const net = model({ inputs: ids, outputs: scores });
    net.compile({
      optimizer: optimizers.adamw({ learningRate: 1e-3, globalClipnorm: 1 }),
      loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
    });
    return net;
  },
  data: (samples, length) => {
    const ids = idsOf(samples * length + 1, 80);
    return [0, 1].map((from) =>
      tensor(ids.slice(from, from + samples * length), { shape: [samples, length] }),
    );
  },
  torch: `
n = torch.nn
class Block(n.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b = n.LayerNorm(96), n.LayerNorm(96)
        s.qkv, s.o, s.u, s.d = n.Linear(96, 288), n.Linear(96, 96), n.Linear(96, 384), n.Linear(384, 96)
    def forward(s, x):
        q, k, v = s.qkv(s.a(x)).view(8, 128, 3, 4, 24).permute(2, 0, 3, 1, 4)
        h = n.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + s.o(h.transpose(1, 2).reshape(8, 128, 96))
        return x + s.d(n.functional.gelu(s.u(s.b(x))))
m = n.ModuleList([n.Embedding(80, 96), n.Embedding(128, 96), Block(), Block(), Block(), n.LayerNorm(96), n.Linear(96, 80)])
o = torch.optim.AdamW(m.parameters(), 1e-3)
x = torch.randint(0, 80, (8, 128)); y = torch.randint(0, 80, (8, 128)); t = torch.arange(128)
def l():
    z = m[0](x) + m[1](t)
    for one in m[2:]: z = one(z)
    return n.functional.cross_entropy(z.view(-1, 80), y.view(-1))
clip = lambda: n.utils.clip_grad_norm_(m.parameters(), 1.0)`,
};

const all = { R1: recurrent('lstm', 8), R2: recurrent('gru', 8), R4: recurrent('lstm', 128), G1: gpt };

function idsOf(count, words) {
  return Int32Array.from({ length: count }, (_, i) => (i * 7919 + (i >> 3) * 31) % words);
}

function built(workload, length, plain = false) {
  setRandomSeed(1);
  return workload.build(length, plain);
}

/** A short training in both ways: kernels against ops. */
async function check(workload) {
  const length = 5;
  const data = workload.data(64, length);
  const found = [];
  for (const plain of [false, true]) {
    const net = built(workload, length, plain);
    const { history } = await net.fit(...data, { batchSize: 16, verbose: 0, shuffle: false });
    found.push(history.loss[0]);
  }
  if (!(Math.abs(found[0] - found[1]) < 1e-5)) throw new Error(`losses are ${found.join(' and ')}`);
}

/** ms per step of PyTorch on so many threads, or null where `python3` has none. */
function torch(workload, threads) {
  const program = `
import time, torch
torch.set_num_threads(${threads}); torch.manual_seed(0)
${workload.torch}
times = []
for i in range(30):
    start = time.perf_counter(); o.zero_grad()
    l().backward(); clip(); o.step()
    times.append(time.perf_counter() - start)
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
  const { batch, steps } = workload;
  const net = built(workload, steps);
  const data = workload.data(4 * batch, steps);
  const train = (epochs) => net.fit(...data, { batchSize: batch, epochs, verbose: 0 });
  await train(1);
  const rounds = [];
  for (let round = 0; round < Number(options.rounds ?? (options.quick ? 3 : 7)); round++) {
    const start = performance.now();
    await train(2);
    rounds.push((performance.now() - start) / 8);
  }
  const explained = await net.explain({ batchSize: batch, measure: false });
  const peers = [1, 2].map((threads) => torch(workload, threads));
  const row = save('sequences', context, {
    workload: name,
    title: workload.title,
    milliseconds: spread(rounds).median,
    dispatches: explained.kernels.length,
    ...(peers[0] !== null && { torch: peers[0], torchTwoThreads: peers[1] }),
  });
  if (options.json) console.log(JSON.stringify(row));
  lines.push([
    `${name}: ${workload.title}`,
    row.milliseconds.toFixed(2),
    String(row.dispatches),
    ...peers.map((peer) => (peer === null ? '–' : peer.toFixed(2))),
  ]);
}
console.log(table(['', 'ms a step', 'dispatches', 'PyTorch, one thread: ms', 'two threads'], lines));
await engine.close();
