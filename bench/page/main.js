/**
 * The benchmark in a page: one classic script, so that the page opens from disk as well. `weftBench.ask` answers what
 * `lib/host.js` answers in a process, for whoever drives the page; the button runs everything right here.
 */

import { compareProducts, compareSteps, productsTable, stepsTable } from '../lib/compare.js';
import { syntheticData } from '../lib/data.js';
import { engines, inPage } from '../lib/engines.js';
import { failureText, makeHost } from '../lib/host.js';
import { skinny, squares } from '../lib/product.js';
import { everyday, workloads } from '../lib/workloads.js';
import plainWasm from '../peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm';
import simdWasm from '../peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';

/* global VERSIONS: written into the bundle by build.js */

const modules = {
  weft: () => import('../lib/weft.js'),
  tfjs: () => import('../peers/tfjs.js'),
  jax: () => import('../peers/jax.js'),
};
const assets = {
  'tfjs-backend-wasm.wasm': plainWasm,
  'tfjs-backend-wasm-simd.wasm': simdWasm,
  'tfjs-backend-wasm-threaded-simd.wasm': simdWasm,
};

/** All engines in one tab keep their data: fewer samples than where each has a tab of its own. */
const samplesByHand = 10_000;

let data;
const place = {
  installWebGPU,
  loadData: () => {
    data ??= syntheticData();
    return data;
  },
  loadEngine: (name) => modules[engines[name].module](),
  where: (name) => ({ version: VERSIONS[engines[name].module], assets }),
};

/** As lib/dawn.js has it, for the browser's own WebGPU. */
async function installWebGPU() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU, or no adapter for it.');
  const { description, device, vendor, architecture } = adapter.info;
  const name = description || device || `${vendor} ${architecture}`;
  const software = adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${name} ${architecture}`);
  const errors = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const opened = await requestDevice.apply(this, args);
    opened.addEventListener('uncapturederror', ({ error }) => errors.push(error.message.split('\n')[0]));
    return opened;
  };
  return { adapter: { name, vendor, architecture, software }, errors };
}

const host = makeHost(place);
globalThis.weftBench = {
  async ask(kind, request) {
    try {
      return { result: await host[kind](request) };
    } catch (error) {
      return { failure: failureText(error) };
    }
  },
};

/** All engines in this one tab, one host each; they take turns anyway. */
const local = () => {
  const own = makeHost(place);
  return { ask: (kind, request) => own[kind](request), end: async () => {} };
};

const [button, output, save] = ['run', 'output', 'save'].map((id) => document.getElementById(id));
button.addEventListener('click', async () => {
  button.disabled = true;
  const rows = [];
  const say = (text) => {
    output.textContent += `${text}\n`;
  };
  const short = { rounds: 3, roundSeconds: 1, seconds: 120 };
  try {
    data = syntheticData(samplesByHand);
    const { adapter } = await installWebGPU();
    say(`${adapter.name}${adapter.software ? ' (software adapter, no GPU)' : ''}; ${navigator.userAgent}\n`);
    const context = { date: new Date().toISOString(), adapter, runtime: navigator.userAgent };
    const keep = (part, found) => rows.push(...found.map((row) => ({ part, ...context, ...row })));
    for (const product of [squares[1], ...skinny]) {
      const found = await compareProducts(product, { names: inPage, open: local, request: {}, ...short });
      keep('matmul', found);
      say(productsTable(product, found));
    }
    for (const workload of workloads.filter(({ id }) => everyday.includes(id))) {
      const found = await compareSteps(workload, {
        names: inPage,
        open: local,
        data,
        request: {},
        ...short,
      });
      keep('steps', found);
      say(stepsTable(workload, found));
    }
  } catch (error) {
    say(failureText(error));
  }
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  save.href = URL.createObjectURL(new Blob(lines, { type: 'application/x-ndjson' }));
  save.hidden = false;
  button.disabled = false;
});
