/** One engine in a process of its own, driven by messages from `engine-process.js`. */
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { installWebGPU } from './dawn.js';
import { engines } from './engines.js';
import { failureText, makeHost } from './host.js';
import { versionOf } from './machine.js';

const modules = {
  weft: () => import('./weft.js'),
  tfjs: () => import('../peers/tfjs.js'),
  jax: () => import('../peers/jax.js'),
};

/** Reading the data imports Weft, whose own start-up counts all the same. */
let weftImport = 0;
async function importWeft() {
  const start = performance.now();
  await import('weft-gpu');
  weftImport = performance.now() - start;
}

const handlers = makeHost({
  installWebGPU,
  async loadData({ dataFolder, trainSamples }) {
    await importWeft();
    const { loadData } = await import('./data.js');
    return loadData(dataFolder, trainSamples);
  },
  importedBefore: (name) => (name === 'weft' ? weftImport : 0),
  loadEngine: (name) => modules[engines[name].module](),
  where: (name) => ({
    version: versionOf(engines[name].versionFile),
    assets: engines[name].module === 'tfjs' ? wasmFolder() : undefined,
  }),
  rss: () => process.memoryUsage.rss(),
});

function wasmFolder() {
  const peers = createRequire(new URL('../peers/package.json', import.meta.url));
  return join(dirname(peers.resolve('@tensorflow/tfjs-backend-wasm')), sep);
}

process.on('message', async ({ kind, ...request }) => {
  try {
    process.send({ result: await handlers[kind](request) });
  } catch (error) {
    process.send({ failure: failureText(error) });
  }
});

// Nobody is left to talk to.
process.on('disconnect', () => process.exit());
