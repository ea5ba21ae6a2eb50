#!/usr/bin/env node
/**
 * Convolution beside the adapter's own matrix product: forward, gradient of the input and of the filters, each as a share of
 * the GFLOP/s of a product of 512³. The four take turns, and each was checked against float64 before.
 */
import { findGpu } from '../scripts/support/software-adapter.js';
import { describeRun, introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { EngineProcess } from './lib/engine-process.js';
import { generator } from './lib/random.js';
import { save } from './lib/results.js';
import { ratios, spread } from './lib/statistics.js';
import { table } from './lib/table.js';

const help = `node bench/convolution.js [options]

  --layer N,H,W,C,K,O   batch, height, width, channels, filter size, filters (32,14,14,32,3,64)
${sharedHelp}`;
const options = readOptions(help, { layer: { type: 'string' } });
const context = await describeRun(options, { where: 'Node', open: () => new EngineProcess() });
console.log(`${introduce(context)}\n`);

const { capture, conv2d, gradients, init, matmul, tensor, variable, zeros } = await import(
  '../dist/index.js'
);
const { gpu, software } = await findGpu();
const tuning = readTuning(options.tuning);
const engine = await init({ gpu, seed: 1, ...(tuning && { tuning }) });

const [samples, height, width, channels, taps, filters] = (options.layer ?? '32,14,14,32,3,64')
  .split(',')
  .map(Number);
const places = samples * height * width;
const random = generator(7);
/** Whole numbers from −4 to 4: their sums are exact, in whatever order. */
const numbers = (...shape) => {
  const values = Float32Array.from(
    { length: shape.reduce((n, m) => n * m, 1) },
    () => Math.floor(9 * random()) - 4,
  );
  return { shape, values, tensor: tensor(values, { shape }) };
};
const x = numbers(samples, height, width, channels);
const w = numbers(taps, taps, channels, filters);
const g = numbers(samples, height, width, filters);
const [a, b] = [numbers(512, 512), numbers(512, 512)];
const y = () => conv2d(x.tensor, w.tensor, { padding: 'same' });
const flops = 2 * places * taps * taps * channels * filters;

const jobs = [
  {
    name: 'product 512³',
    shape: [512, 512],
    flops: 2 * 512 ** 3,
    run: () => matmul(a.tensor, b.tensor),
    exact: product,
  },
  { name: 'forward', shape: g.shape, flops, run: y, exact: forward },
  { name: 'dX', shape: x.shape, flops, run: () => slope(x), exact: ofInput },
  { name: 'dW', shape: w.shape, flops, run: () => slope(w), exact: ofFilter },
];
for (const job of jobs) {
  const result = variable(zeros(job.shape));
  job.step = capture(() => void result.assign(job.run()), { name: job.name });
  await job.step.replay(1);
  const values = await result.data();
  for (let i = 0; i < values.length; i += Math.ceil(values.length / 97)) {
    const exact = job.exact(i);
    if (values[i] !== exact) throw new Error(`${job.name}: element ${i} is ${values[i]}, exactly ${exact}`);
  }
  job.rounds = [];
  job.processor = [];
}
const rounds = Number(options.rounds ?? (options.quick ? 3 : 9));
const runs = software ? 3 : 200;
for (let round = 0; round < rounds; round++)
  for (const job of jobs) {
    const before = process.cpuUsage();
    const start = performance.now();
    await job.step.replay(runs);
    await engine.idle();
    const { user, system } = process.cpuUsage(before);
    job.rounds.push((performance.now() - start) / runs / job.flops);
    job.processor.push((user + system) / 1000 / runs / job.flops);
  }

const percent = (ratio) => `${Math.round(100 * ratio)} %`;
const lines = jobs.map((job) => {
  const { median } = spread(job.rounds);
  // Round by round: what slows a whole round meets all of them.
  const share = ratios(jobs[0].rounds, job.rounds).median;
  const processorShare = ratios(jobs[0].processor, job.processor).median;
  const row = save('convolution', context, {
    layer: { samples, height, width, channels, taps, filters },
    product: job.name,
    milliseconds: median * job.flops,
    gflops: 1 / median / 1e6,
    share,
    ...(software && { processorShare }),
  });
  if (options.json) console.log(JSON.stringify(row));
  return [
    job.name,
    row.milliseconds.toFixed(2),
    row.gflops.toFixed(2),
    percent(share),
    ...(software ? [percent(processorShare)] : []),
  ];
});
const header = ['', 'ms', 'GFLOP/s', 'of the product', ...(software ? ['the same by processor time'] : [])];
console.log(table(header, lines));
await engine.close();

// ---- the same in plain loops, one element at a time

function slope(of) {
  return gradients(y(), [of.tensor], { seed: g.tensor })[0];
}

function product(i) {
  const [row, column] = [Math.floor(i / 512), i % 512];
  let total = 0;
  for (let k = 0; k < 512; k++) total += a.values[row * 512 + k] * b.values[k * 512 + column];
  return total;
}

/** An element of an array of rank 4, and 0 beside its middle axes. */
function at({ shape, values }, n, i, j, c) {
  const [, rows, columns, depth] = shape;
  return i < 0 || j < 0 || i >= rows || j >= columns ? 0 : values[((n * rows + i) * columns + j) * depth + c];
}

function forward(flat) {
  const [n, i, j, o] = position(flat, g.shape);
  const before = (taps - 1) >> 1;
  let total = 0;
  for (let r = 0; r < taps; r++)
    for (let s = 0; s < taps; s++)
      for (let c = 0; c < channels; c++)
        total += at(x, n, i + r - before, j + s - before, c) * at(w, r, s, c, o);
  return total;
}

function ofInput(flat) {
  const [n, i, j, c] = position(flat, x.shape);
  const before = (taps - 1) >> 1;
  let total = 0;
  for (let r = 0; r < taps; r++)
    for (let s = 0; s < taps; s++)
      for (let o = 0; o < filters; o++)
        total += at(g, n, i - r + before, j - s + before, o) * at(w, r, s, c, o);
  return total;
}

function ofFilter(flat) {
  const [r, s, c, o] = position(flat, w.shape);
  const before = (taps - 1) >> 1;
  let total = 0;
  for (let n = 0; n < samples; n++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        total += at(x, n, i + r - before, j + s - before, c) * at(g, n, i, j, o);
  return total;
}

function position(flat, shape) {
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}
