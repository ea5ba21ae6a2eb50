/**
 * Node and Chromium, one seed: the built package runs the same training in both, and the bits are
 * compared. Bound to SwiftShader in both, since Chromium takes no other software driver.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright';
import { expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';

interface Outcome {
  readonly weights: number[][];
  readonly losses: number[];
  readonly adapter: string;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function inNode(): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [here('train-and-print.js'), '--weights'], {
    env: { ...process.env, WEFT_ADAPTER: 'swiftshader' },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

const page = `<!doctype html><script type="module">
  import * as weft from '/weft.js';
  import { shortTraining } from '/short-training.js';
  globalThis.outcome = shortTraining(weft);
</script>`;

/** Serves page and modules under a made-up https address: a secure context without any server. */
async function inChromium(): Promise<Outcome> {
  const browser = await chromium.launch(chromiumLaunchOptions());
  try {
    const tab = await browser.newPage();
    const modules: Record<string, string> = {
      '/weft.js': here('../../dist/index.js'),
      '/short-training.js': here('short-training.js'),
    };
    await tab.route('https://weft.test/**', async (route) => {
      const file = modules[new URL(route.request().url()).pathname];
      if (!file) return route.fulfill({ contentType: 'text/html', body: page });
      return route.fulfill({ contentType: 'text/javascript', body: await readFile(file, 'utf8') });
    });
    await tab.goto('https://weft.test/');
    return await tab.evaluate('outcome');
  } finally {
    await browser.close();
  }
}

test('50 steps end with the same bits in Node and in Chromium', async ({ skip }) => {
  const [node, page] = [await inNode(), await inChromium()];
  if (!/swiftshader/i.test(page.adapter)) skip(`Chromium has another adapter than Node: ${page.adapter}`);
  expect(node.weights.flat().every(Number.isFinite)).toBe(true);
  expect(page.losses).toEqual(node.losses);
  expect(page.weights).toEqual(node.weights);
}, 180_000);
