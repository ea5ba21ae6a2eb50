/** The page for people who come from elsewhere: its lines run, and its counts are those of today's exports. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coverage, pages } from '../../scripts/docs/keras-coverage.js';
import * as weft from '../../src/index.ts';
import { root, runExample } from './read-examples.ts';

const here = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-from-'));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(here);
  await rm(folder, { recursive: true });
});

describe('what Weft writes beside Keras runs', () => {
  const page = readFileSync(join(root, 'docs/from-keras.md'), 'utf8');
  const lines = [
    ...page.matchAll(/^\| `.*?` \| `(.*?)` \| /gm),
    ...page.matchAll(/^\| `[^|]*`, `[^|]*` \| `(.*?)` \| /gm),
  ];
  const unique = [...new Set(lines.map(([, code]) => code))];
  const rows = page
    .slice(page.indexOf('## Line beside line'), page.indexOf('## What to keep'))
    .match(/^\| [`@]/gm)!;

  test('every row has its line', () => expect(unique).toHaveLength(rows.length));

  const setting = `const x = random.normal([8, 4], { seed: 1 }), y = random.normal([8, 1], { seed: 2 });
const a = tensor([[1, 2], [3, 4]]), b = ones([2, 2]);
const net = sequential([layers.input([4]), layers.dense(1)]);
net.compile({ optimizer: 'sgd', loss: 'mse' });
const [fit, evaluate] = [net.fit.bind(net), net.evaluate.bind(net)];
net.fit = (x, y, options) => fit(x, y, { ...options, verbose: 0 });
net.evaluate = (x, y) => evaluate(x, y, { verbose: 0 });
net.summary = () => weft.sequential([layers.input([4])]).summary({ print: () => {} });`;
  test.each(unique)('%s', async (code) => {
    await runExample(code.replaceAll('; ', '\n'), setting, {});
  });
});

describe('the share of Keras’s calls that are there', () => {
  test('is what the pages say: `node scripts/docs/keras-coverage.js` writes it', async () => {
    for (const { now, due, marked } of await pages(weft)) {
      expect(marked).toBe(true);
      expect(now).toBe(due);
    }
  });

  test('has not fallen, kind by kind', async () => {
    const least: Record<string, number> = {
      layers: 3146,
      optimizers: 563,
      schedules: 13,
      losses: 513,
      metrics: 511,
      callbacks: 187,
      activations: 909,
      functions: 340,
      'models and data': 4529,
      applications: 0,
    };
    for (const { kind, there } of await coverage(weft))
      expect(there, kind).toBeGreaterThanOrEqual(least[kind]);
  });

  test('counts what is taken away', async () => {
    const { ...without } = weft as unknown as Record<string, unknown>;
    without.layers = { ...weft.layers, lstm: undefined, LSTM: undefined };
    delete (without.layers as Record<string, unknown>).lstm;
    delete (without.layers as Record<string, unknown>).LSTM;
    const [layers] = await coverage(without);
    expect(layers.missing).toContainEqual(['LSTM', 64]);
  });
});
