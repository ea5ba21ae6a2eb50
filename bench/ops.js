#!/usr/bin/env node
/**
 * Microseconds per op, over Weft's op registry: check, then time.
 *
 * Each op first runs once and is held against the float64 reference of its registry entry. Then it is replayed many
 * times from one recording; GFLOP/s and GB/s come from the entry's own cost, and the share is of the better of two
 * ceilings that lib/micro.js measures on this adapter without Weft: a copy, and multiply-adds in registers.
 */
import { introduce, readOptions, readTuning, sharedHelp } from './lib/choose.js';
import { installWebGPU } from './lib/dawn.js';
import { describeMachine } from './lib/machine.js';
import { measureCeilings } from './lib/micro.js';
import { generator } from './lib/random.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';

const help = `node bench/ops.js [options]

  --ops matmul,sum      only these
${sharedHelp}`;
const options = readOptions(help, { ops: { type: 'string' } });

const { adapter } = await installWebGPU();
const weft = await import('weft-gpu');
const tuning = readTuning(options.tuning);
const engine = await weft.init({ gpu: navigator.gpu, ...(tuning && { tuning }) });

/** Rows of the first input that the reference computes; where an op mixes rows, it computes all. */
const checkedRows = 16;
const samples = options.quick ? 2 : 5;
const sampleMilliseconds = options.quick ? 30 : 120;
const mostInOneSubmit = 256;

const square = [1024, 1024];
const transposed = (transposeA, transposeB) => ({ transposeA, transposeB });

/**
 * Ops with a shader of their own, and movements. `args` follow the tensors in the public call, `attributes` are the same
 * for the reference. `byRows`: which inputs have the rows of the result; none: rows are mixed.
 */
const special = [
  ...[
    [512, 512, 512],
    [256, 256, 256],
    [32, 784, 10],
    [32, 784, 100],
    [128, 784, 512],
  ].map(([m, k, n]) => ({
    op: 'matmul',
    shapes: [
      [m, k],
      [k, n],
    ],
    attributes: transposed(false, false),
    byRows: [0],
    terms: k,
  })),
  {
    op: 'matmul',
    shapes: [
      [32, 784],
      [32, 100],
    ],
    attributes: transposed(true, false),
    byRows: [],
    terms: 32,
  },
  {
    op: 'matmul',
    shapes: [
      [128, 10],
      [512, 10],
    ],
    attributes: transposed(false, true),
    byRows: [0],
    terms: 10,
  },
  ...['sum', 'max'].flatMap((kind) => [
    {
      op: kind,
      shapes: [square],
      args: [-1],
      attributes: { kind, axes: [1], keepDims: false },
      byRows: [0],
      terms: 1024,
    },
    {
      op: kind,
      shapes: [square],
      args: [0],
      attributes: { kind, axes: [0], keepDims: false },
      byRows: [],
      terms: 1024,
    },
  ]),
  { op: 'softmax', shapes: [[4096, 10]], byRows: [0] },
  { op: 'softmax', shapes: [square], byRows: [0], terms: 1024 },
  { op: 'logSoftmax', shapes: [[4096, 10]], byRows: [0] },
  { op: 'argMax', shapes: [[4096, 10]], args: [1], attributes: { axis: 1, largest: true }, byRows: [0] },
];

/** Elementwise ops need no table: everything of the registry with a cost that takes equal shapes and no attributes. */
function elementwise() {
  const entries = [...weft.registry.values()].filter(
    ({ name, kernel, cost, cases }) =>
      cost &&
      !kernel &&
      typeof weft[name] === 'function' &&
      cases[0].shapes.length > 0 &&
      !cases[0].attributes,
  );
  return entries.map(({ name, cases: [{ shapes, dtypes, range }] }) => ({
    op: name,
    shapes: shapes.map(() => square),
    dtypes,
    range,
    byRows: shapes.map((_, i) => i),
  }));
}

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const random = generator(7);

function randomInputs({ shapes, dtypes, range: [low, high] = [-2, 2] }) {
  return shapes.map((shape, i) => {
    const dtype = dtypes?.[i] ?? 'f32';
    const type = dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array;
    return { shape, dtype, values: type.from({ length: size(shape) }, () => low + random() * (high - low)) };
  });
}

/** The op as one recorded step that keeps its result in `y`. */
function recorded(one, inputs) {
  const operands = inputs.map(({ values, shape, dtype }) => weft.tensor(values, { shape, dtype }));
  const call = () =>
    weft[one.op](...operands, ...(one.args ?? (one.op === 'matmul' ? [one.attributes] : [])));
  const { shape, dtype } = call();
  const y = weft.variable(weft.zeros(shape, dtype));
  const step = weft.capture(() => y.assign(call()) && undefined, { name: one.op });
  return { step, y };
}

/** Throws unless the result is the reference's within the op's tolerance, widened by the length of its sums. */
async function check(one, entry, inputs, y) {
  const cut = inputs.map(({ shape, values }, i) => {
    const rows = one.byRows.includes(i) ? checkedRows : shape[0];
    const cutShape = [rows, ...shape.slice(1)];
    return { shape: cutShape, data: Float64Array.from(values.subarray(0, size(cutShape))) };
  });
  const expected = entry.reference(cut, one.attributes ?? {}).data;
  const got = await y.data();
  const { relative = 0, absolute = 0 } = entry.tolerance ?? {};
  const largest = Math.max(...(one.range ?? [-2, 2]).map(Math.abs)) ** (one.op === 'matmul' ? 2 : 1);
  const summation = (2 ** -23 * (one.terms ?? 0) * largest) / 5;
  for (let i = 0; i < expected.length; i++) {
    const allowed = absolute + summation + relative * Math.abs(expected[i]);
    if (!(Math.abs(got[i] - expected[i]) <= allowed))
      throw new Error(`element ${i} is ${got[i]}, not ${expected[i]}`);
  }
}

/** Milliseconds of one run of the step: each sample of a few submits that fill the time. */
async function time(step) {
  const timed = async (count) => {
    const start = performance.now();
    for (let left = count; left > 0; left -= mostInOneSubmit)
      await step.replay(Math.min(left, mostInOneSubmit));
    await engine.idle();
    return performance.now() - start;
  };
  let count = 1;
  for (let elapsed = await timed(1); elapsed < sampleMilliseconds / 3; elapsed = await timed(count))
    count *= 2;
  const results = [];
  for (let s = 0; s < samples; s++) results.push((await timed(count)) / count);
  return spread(results);
}

/** What the adapter can do at best: GB/s of a copy, in or out of the caches, and GFLOP/s of multiply-adds. */
async function ceilings() {
  const device = await (await navigator.gpu.requestAdapter()).requestDevice();
  const { fmaGigaflops, copyNearGigabytes, copyFarGigabytes } = await measureCeilings(device, {
    seconds: options.quick ? 3 : 10,
    software: adapter.software,
  });
  device.destroy();
  return {
    gigaflops: fmaGigaflops.max,
    gigabytes: Math.max(copyNearGigabytes.max, copyFarGigabytes.max),
  };
}

const wanted = options.ops?.split(',');
const machine = describeMachine();
const context = {
  ...machine,
  adapter,
  where: 'Node',
  ...(tuning && { tuning }),
  ...(options.quick && { quick: true }),
};
const most = await ceilings();
const say = options.json ? () => {} : (text) => console.log(text);
say(introduce(context));
say(
  `Ceilings here: ${most.gigabytes.toFixed(1)} GB/s (copy), ${most.gigaflops.toFixed(1)} GFLOP/s (multiply-adds).`,
);
say(
  `${'op'.padEnd(18)} ${'shapes'.padEnd(24)} ${'µs'.padStart(9)}  ${'(min–max)'.padStart(17)}  GFLOP/s    GB/s  share`,
);

for (const one of [...special, ...elementwise()].filter(({ op }) => !wanted || wanted.includes(op))) {
  const entry = weft.registry.get(one.op);
  const row = { op: one.op, shapes: one.shapes, attributes: one.attributes };
  try {
    const inputs = randomInputs(one);
    const { step, y } = recorded(one, inputs);
    await step.prepare();
    await step.replay();
    await check(one, entry, inputs, y);
    const milliseconds = await time(step);
    const { flops, bytes } = entry.cost(inputs, y, one.attributes ?? {});
    const gigaflops = flops / milliseconds.median / 1e6;
    const gigabytes = bytes / milliseconds.median / 1e6;
    const share = Math.max(gigaflops / most.gigaflops, gigabytes / most.gigabytes);
    Object.assign(row, { milliseconds, gigaflops, gigabytes, share, dispatches: step.dispatches });
    step.dispose();
    y.dispose();
  } catch (error) {
    row.failed = error.message;
    process.exitCode = 1;
  }
  save('ops', context, row);
  say(line(row));
  if (options.json) console.log(JSON.stringify(row));
}
await engine.close();

function line({ op, shapes, attributes, failed, milliseconds, gigaflops, gigabytes, share }) {
  const marks = [
    attributes?.transposeA && 'aᵀ',
    attributes?.transposeB && 'bᵀ',
    attributes?.axes && `axis ${attributes.axes}`,
  ];
  const what = [shapes.map((shape) => shape.join('×')).join(' · '), ...marks.filter(Boolean)].join(' ');
  const start = `${op.padEnd(18)} ${what.padEnd(24)}`;
  if (failed) return `${start} failed: ${failed}`;
  const micro = (value) => (1000 * value).toFixed(0);
  return [
    start,
    micro(milliseconds.median).padStart(9),
    `(${micro(milliseconds.min)}–${micro(milliseconds.max)})`.padStart(18),
    gigaflops.toFixed(2).padStart(8),
    gigabytes.toFixed(2).padStart(7),
    `${(100 * share).toFixed(0)} %`.padStart(6),
  ].join(' ');
}
