/**
 * What a visitor loads, minified and gzipped: of the package before anything runs, by what an application
 * imports, and of each demo in all. What is loaded on demand (planner, engine, training, file formats) is
 * measured while pages train, in trained.node.test.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundlers, type Consumer, gzipped, install } from '../support/consumer.ts';
import { root } from '../support/static-host.ts';

/** What is imported, from where, and what of it is used. */
const applications = {
  plot: "import { plot } from 'weft-gpu'; console.log(plot.history);",
  tensors: "import { tensor } from 'weft-gpu'; console.log(tensor);",
  autograd:
    "import { tensor, variable, capture, gradients } from 'weft-gpu'; console.log(tensor, variable, capture, gradients);",
  core: `import { sequential, layers, tensor, variable, capture, gradients } from 'weft-gpu';
    console.log(sequential, layers.input, layers.dense, tensor, variable, capture, gradients);`,
  'plot by its door': "import { history } from 'weft-gpu/plot'; console.log(history);",
  'tensors by their door': "import { tensor } from 'weft-gpu/tensors'; console.log(tensor);",
  everything: "import * as weft from 'weft-gpu'; console.log(weft);",
} as const;

type Name = keyof typeof applications;

/** Most KB of 1000 bytes, a little above what holds. */
const MOST_KB = {
  vite: { plot: 6, tensors: 18, autograd: 22.5, core: 50 },
  esbuild: {
    plot: 12.5,
    'plot by its door': 4.2,
    tensors: 28.5,
    'tensors by their door': 19,
    autograd: 28.5,
    core: 106,
  },
};

const kb = (bytes: number): number => bytes / 1000;
let consumer: Consumer;
const sizes: Record<'esbuild' | 'vite', Record<Name, { atOnce: number; all: number }>> = {
  esbuild: {} as never,
  vite: {} as never,
};

beforeAll(async () => {
  consumer = install();
  for (const bundler of ['vite', 'esbuild'] as const)
    for (const [name, code] of Object.entries(applications)) {
      const built = await bundlers[bundler](consumer, code);
      sizes[bundler][name as Name] = { atOnce: kb(gzipped(built, built.atOnce)), all: kb(gzipped(built)) };
    }
  const cell = (x: number) => x.toFixed(1).padStart(8);
  const lines = Object.keys(applications).map((name) => {
    const [vite, esbuild] = [sizes.vite[name as Name], sizes.esbuild[name as Name]];
    return `${name.padEnd(22)}${[vite.atOnce, vite.all, esbuild.atOnce, esbuild.all].map(cell).join('')}`;
  });
  console.log(
    ['KB gzip', '                          vite: first, all    esbuild: first, all', ...lines].join('\n'),
  );
}, 120_000);
afterAll(() => consumer?.remove());

test.each(['vite', 'esbuild'] as const)('what %s loads before it runs is small', (bundler) => {
  for (const [name, most] of Object.entries(MOST_KB[bundler]))
    expect(sizes[bundler][name as Name].atOnce, name).toBeLessThan(most);
});

test('whoever imports less loads less', () => {
  const { tensors, autograd, core, everything } = sizes.vite;
  expect(tensors.atOnce).toBeLessThanOrEqual(autograd.atOnce);
  expect(autograd.atOnce).toBeLessThan(core.atOnce);
  expect(core.all).toBeLessThan(everything.all);
  expect(sizes.esbuild.tensors.atOnce).toBeLessThan(sizes.esbuild.core.atOnce);
  expect(sizes.esbuild.core.all).toBeLessThan(sizes.esbuild.everything.all);
});

test('the demos are built, and each is stated in all', () => {
  const demos = join(root, 'dist/demo');
  const names = readdirSync(join(root, 'demo')).filter((name) =>
    existsSync(join(root, 'demo', name, 'main.ts')),
  );
  for (const name of names) {
    const files = readdirSync(join(demos, name), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const bytes = files.map((one) => gzipSync(readFileSync(join(one.parentPath, one.name))).length);
    const total = kb(bytes.reduce((sum, one) => sum + one, 0));
    console.log(`demo/${name}: ${total.toFixed(1)} KB gzip in ${files.length} files`);
    expect(total).toBeGreaterThan(1);
    expect(total).toBeLessThan(400);
  }
});
