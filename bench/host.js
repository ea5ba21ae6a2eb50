#!/usr/bin/env node
/**
 * What a training step costs the host: whole fits on Dawn's null backend, whose GPU takes no time. Beside it the floor that
 * the binding sets: the calls that a dispatch needs (setPipeline, setBindGroup, dispatchWorkgroups) and nothing else.
 * Nothing is computed there, so nothing is checked here; bench/steps.js trains the same networks and checks them.
 */
import { create, globals } from 'webgpu';
import { init, layers, sequential, tensor } from 'weft-gpu';
import { chooseHome, describeRun, introduce, readOptions, refuse, sharedHelp } from './lib/choose.js';
import { save } from './lib/results.js';
import { spread } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { everyday, inputSize, workloads } from './lib/workloads.js';

const help = `node bench/host.js [options]

  --workloads W1,M32  which of them (${everyday})
${sharedHelp}`;
const options = readOptions(help, { workloads: { type: 'string', default: everyday.join() } });
const chosen = options.workloads.split(',').map((id) => {
  return workloads.find((workload) => workload.id === id) ?? refuse(`no workload '${id}'`, help);
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 15));
const adapter = { name: 'Dawn null backend', vendor: '', architecture: 'null', software: true };
const context = { ...(await describeRun(options, await chooseHome(options))), adapter };
console.log(`${introduce(context)}\n`);

Object.assign(globalThis, globals);
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
const engine = await init({ gpu, seed: 1 });
const STEPS = 2000;

const measured = [];
for (const workload of chosen)
  measured.push({ workload, train: await trainingOf(workload), microseconds: [] });
const floor = await floorOf(10);
const calls = [];
// In turns, so that what slows a round meets all of them.
for (let round = -1; round < rounds; round++) {
  for (const { train, microseconds } of measured) {
    const taken = await train();
    if (round >= 0) microseconds.push(taken);
  }
  const taken = floor();
  if (round >= 0) calls.push(taken);
}

const lines = measured.map(({ workload: { id, title }, train, microseconds }) => {
  const row = save('host', context, {
    engine: 'weft',
    workload: id,
    title,
    dispatches: train.dispatches,
    microseconds: spread(microseconds),
    callsMicroseconds: spread(calls.map((one) => one * train.dispatches)),
  });
  if (options.json) console.log(JSON.stringify(row));
  const { dispatches, microseconds: all, callsMicroseconds: least } = row;
  return [id, `${dispatches}`, short(all.median), short(all.median / dispatches), short(least.median)];
});
console.log(table(['workload', 'dispatches', 'µs a step', 'µs a dispatch', 'its calls alone, µs'], lines));
process.exit();

/** A function that trains so many steps and gives the microseconds of one. */
async function trainingOf({ layers: dense, optimizer, batchSize }) {
  const count = (batchSize * STEPS) / 2;
  const x = tensor(new Uint8Array(count * inputSize), { shape: [count, inputSize] });
  const y = tensor(new Float32Array(count * 10), { shape: [count, 10] });
  const model = sequential([
    layers.input([inputSize]),
    layers.rescaling(1 / 255),
    ...dense.map(({ units, activation }) => layers.dense(units, { activation })),
  ]);
  // Class numbers would be checked by reading them, and what is read here is zeros.
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const train = async () => {
    const { dispatches } = engine.stats();
    const start = performance.now();
    await model.fit(x, y, { batchSize, epochs: 2, verbose: 0 });
    const microseconds = (1000 * (performance.now() - start)) / STEPS;
    train.dispatches = Math.floor((engine.stats().dispatches - dispatches) / STEPS);
    return microseconds;
  };
  return train;
}

/** A function that gives the microseconds of a dispatch among `kinds` that take turns, as kernels of a step do. */
async function floorOf(kinds) {
  const { device } = engine;
  const buffer = device.createBuffer({ size: 1 << 16, usage: GPUBufferUsage.STORAGE });
  const kernels = Array.from({ length: kinds }, (_, i) => {
    const code = `
      @group(0) @binding(0) var<storage, read_write> a: array<f32>;
      @group(0) @binding(1) var<storage, read_write> b: array<f32>;
      @group(0) @binding(2) var<storage, read_write> c: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { a[id.x] = b[id.x] + c[id.x] + ${i}; }`;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const entries = [0, 1, 2].map((binding) => {
      return { binding, resource: { buffer, offset: 4096 * binding, size: 4096 } };
    });
    return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
  });
  const times = 256;
  return () => {
    const start = performance.now();
    for (let submit = 0; submit < 4; submit++) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < times; i++)
        for (const { pipeline, group } of kernels) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(16);
        }
      pass.end();
      device.queue.submit([encoder.finish()]);
    }
    return (1000 * (performance.now() - start)) / (4 * times * kinds);
  };
}
