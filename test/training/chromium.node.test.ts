/**
 * Node and Chromium, one seed: the built package runs the same training in both, and the bits are compared:
 * the package's modules in a page, and a minified bundle in a worker. Bound to SwiftShader, since Chromium
 * takes no other software driver.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { host, root } from '../support/static-host.ts';

interface Outcome {
  readonly weights: number[][];
  readonly losses: number[];
  readonly adapter: string;
}

const ORIGIN = 'https://weft.test';

async function inNode(): Promise<Outcome> {
  const script = fileURLToPath(new URL('train-and-print.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--weights'], {
    env: { ...process.env, WEFT_ADAPTER: 'swiftshader' },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

const page = `<!doctype html><script type="module">
  import * as weft from './dist/index.js';
  import { shortTraining } from './test/training/short-training.js';
  globalThis.outcome = shortTraining(weft);
</script>`;

/** The page has no part in it but to start the worker and to hand on what it says. */
const workerPage = `<!doctype html><script>
  globalThis.outcome = new Promise((resolve, reject) => {
    const worker = new Worker('./worker.js');
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
</script>`;

const worker = `
  import * as weft from 'weft-gpu';
  import { shortTraining } from './test/training/short-training.js';
  shortTraining(weft).then(postMessage);
`;

/** As an application would be built: one classic script. */
async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'iife',
    write: false,
    tsconfigRaw: {},
  });
  return outputFiles[0].text;
}

async function inChromium(path: string): Promise<Outcome> {
  const tab = await browser.newPage();
  try {
    await host(tab, ORIGIN, {
      files: { '/page.html': page, '/worker.html': workerPage, '/worker.js': await bundled(worker) },
    });
    await tab.goto(`${ORIGIN}${path}`);
    return await tab.evaluate('outcome');
  } finally {
    await tab.close();
  }
}

let browser: Browser;
let node: Outcome;

beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
  node = await inNode();
}, 180_000);
afterAll(() => browser?.close());

for (const [where, path] of [
  ['in a page, from its modules', '/page.html'],
  ['in a worker, from a minified bundle', '/worker.html'],
])
  test(`50 steps end with the same bits in Node and in Chromium: ${where}`, async ({ skip }) => {
    const there = await inChromium(path);
    if (!/swiftshader/i.test(there.adapter)) skip(`Chromium has another adapter than Node: ${there.adapter}`);
    expect(node.weights.flat().every(Number.isFinite)).toBe(true);
    expect(there.losses).toEqual(node.losses);
    expect(there.weights).toEqual(node.weights);
  }, 180_000);
