/**
 * The benchmark in a page: one classic script, so that the page opens from disk as well. `weftBench.ask` answers what
 * `lib/host.js` answers in a process, for whoever drives the page; the button runs everything here, each engine in a
 * frame of its own (this same page), thrown away afterwards.
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

/** An engine in a frame. From disk a frame is a stranger, so they talk by messages. */
async function openFrame() {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.src = `${location.pathname}#engine`;
  document.body.append(frame);
  const hear = (wanted) =>
    new Promise((resolve) => {
      const listener = ({ source, data }) => {
        if (source !== frame.contentWindow || !(wanted in data)) return;
        removeEventListener('message', listener);
        resolve(data);
      };
      addEventListener('message', listener);
    });
  await hear('ready');
  return {
    async ask(kind, request) {
      const answer = hear('kind');
      frame.contentWindow.postMessage({ kind, request }, '*');
      const { result, failure } = await answer;
      if (failure) throw new Error(failure);
      return result;
    },
    end: async () => frame.remove(),
  };
}

if (location.hash === '#engine') {
  addEventListener('message', async ({ source, data: { kind, request } }) => {
    if (source === parent) parent.postMessage({ kind, ...(await weftBench.ask(kind, request)) }, '*');
  });
  parent.postMessage({ ready: true }, '*');
}

const [button, output, save] = ['run', 'output', 'save'].map((id) => document.getElementById(id));
button.addEventListener('click', async () => {
  button.disabled = true;
  const rows = [];
  const say = (text) => {
    output.textContent += `${text}\n`;
  };
  const short = { rounds: 3, roundSeconds: 1, seconds: 120 };
  try {
    const data = place.loadData();
    const { adapter } = await installWebGPU();
    say(`${adapter.name}${adapter.software ? ' (software adapter, no GPU)' : ''}; ${navigator.userAgent}\n`);
    const context = { date: new Date().toISOString(), adapter, runtime: navigator.userAgent };
    const keep = (part, found) => rows.push(...found.map((row) => ({ part, ...context, ...row })));
    for (const product of [squares[1], ...skinny]) {
      const found = await compareProducts(product, { names: inPage, open: openFrame, request: {}, ...short });
      keep('matmul', found);
      say(productsTable(product, found));
    }
    for (const workload of workloads.filter(({ id }) => everyday.includes(id))) {
      const found = await compareSteps(workload, {
        names: inPage,
        open: openFrame,
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
