/** The package as others get it: what is in the tarball, and applications that esbuild and vite build of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import * as weft from '../../src/index.ts';
import { bundlers, type Consumer, install, ORIGIN, open } from '../support/consumer.ts';
import { host } from '../support/static-host.ts';

let consumer: Consumer;
let browser: Browser;
beforeAll(async () => {
  consumer = install();
  browser = await chromium.launch(chromiumLaunchOptions());
}, 60_000);
afterAll(async () => {
  await browser?.close();
  consumer?.remove();
});

test('the tarball has the built package, its types, its command and three pages of text, and nothing else', () => {
  const others = consumer.files
    .filter((path) => !/^(dist\/(chunks|modules|parts|types)|bin)\//.test(path))
    .sort();
  expect(others).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/index.js',
    'dist/index.js.map',
    'package.json',
  ]);
});

test('every import of its modules is a file of the tarball or a dependency', () => {
  const folder = join(consumer.folder, 'node_modules/weft-gpu');
  const missing = consumer.files
    .filter((path) => path.endsWith('.js'))
    .flatMap((path) =>
      [...readFileSync(join(folder, path), 'utf8').matchAll(/\b(?:import|from) ?\(?"(\.[^"]+)"/g)]
        .map(([, specifier]) => join(dirname(path), specifier))
        .filter((target) => !existsSync(join(folder, target)))
        .map((target) => `${path} imports ${target}`),
    );
  expect(missing).toEqual([]);
});

test('importing it in Node touches nothing, prints nothing and gives everything', () => {
  const code = `const before = Object.keys(globalThis).length;
    const weft = await import('weft-gpu');
    console.log(Object.keys(globalThis).length - before, typeof weft.sequential, typeof weft.tensor([1]).relu);`;
  writeFileSync(join(consumer.folder, 'look.mjs'), code);
  const printed = execFileSync(process.execPath, ['look.mjs'], { cwd: consumer.folder, encoding: 'utf8' });
  expect(printed).toBe('0 function function\n');
});

test('bundlers get modules, everybody else the bundle: both have the names and the ops of the sources', () => {
  const { exports } = JSON.parse(
    readFileSync(join(consumer.folder, 'node_modules/weft-gpu/package.json'), 'utf8'),
  );
  const { module, default: bundle } = exports['.'];
  const code = `const kept = ({ registry, layers, tensor, ...rest }) =>
      [Object.keys(rest).sort(), Object.keys(layers).sort(), [...registry.keys()], typeof tensor([1]).relu];
    const both = ${JSON.stringify([module, bundle])}.map((path) => import('./node_modules/weft-gpu/' + path));
    console.log(JSON.stringify((await Promise.all(both)).map(kept)));`;
  writeFileSync(join(consumer.folder, 'names.mjs'), code);
  const printed = execFileSync(process.execPath, ['names.mjs'], { cwd: consumer.folder, encoding: 'utf8' });
  const { registry, layers, tensor: _, ...rest } = weft;
  const expected = [Object.keys(rest).sort(), Object.keys(layers).sort(), [...registry.keys()], 'function'];
  expect(JSON.parse(printed)).toEqual([expected, expected]);
});

test('its further doors give what the whole gives, one copy of it, with types', () => {
  const { exports } = JSON.parse(
    readFileSync(join(consumer.folder, 'node_modules/weft-gpu/package.json'), 'utf8'),
  );
  const doors = Object.keys(exports).filter((path) => exports[path].types && path !== '.');
  expect(doors).toEqual(['./data', './datasets', './layers', './plot', './tensors']);
  for (const door of doors)
    expect(existsSync(join(consumer.folder, 'node_modules/weft-gpu', exports[door].types)), door).toBe(true);
  const code = `import * as weft from 'weft-gpu';
    for (const name of ${JSON.stringify(doors.map((path) => path.slice(2)))}) {
      const part = await import('weft-gpu/' + name);
      const module = await import('./node_modules/weft-gpu/dist/modules/' + ${JSON.stringify(
        Object.fromEntries(
          doors.map((path) => [path.slice(2), exports[path].module.replace('./dist/modules/', '')]),
        ),
      )}[name]);
      const same = Object.keys(part).filter((key) => part[key] === (weft[name] ?? weft)[key]);
      console.log(name, same.length === Object.keys(part).length, Object.keys(part).join() === Object.keys(module).join());
    }`;
  writeFileSync(join(consumer.folder, 'doors.mjs'), code);
  const printed = execFileSync(process.execPath, ['doors.mjs'], { cwd: consumer.folder, encoding: 'utf8' });
  expect(printed.trim().split('\n')).toEqual(doors.map((path) => `${path.slice(2)} true true`));
});

test.each(['esbuild', 'vite'] as const)(
  'whatever it imports alone, tensors have methods, built by %s',
  async (bundler) => {
    const programs = {
      tensor: "import { tensor } from 'weft-gpu'; console.log(typeof tensor([1]).relu);",
      layers: `import { layers } from 'weft-gpu'; const last = layers.dense(1);
        last.build([null, 1]); console.log(typeof last.weights[0].relu);`,
      door: `import { dense } from 'weft-gpu/layers'; const last = dense(1);
        last.build([null, 1]); console.log(typeof last.weights[0].relu);`,
      optimizers:
        "import { optimizers } from 'weft-gpu'; console.log(typeof optimizers.adam().iterations.relu);",
    };
    for (const [name, code] of Object.entries(programs)) {
      const { files, entry } = await bundlers[bundler](consumer, code);
      const folder = join(consumer.folder, 'built', bundler, name);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      expect(execFileSync(process.execPath, [join(folder, entry)], { encoding: 'utf8' })).toBe('function\n');
    }
  },
);

/** Trains, asks, saves and loads: what an application does. */
const application = `
  import { init, layers, loadModel, sequential, tensor } from 'weft-gpu';
  async function main() {
    await init({ seed: 1 });
    const model = sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] });
    const x = tensor(Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)), { shape: [64, 2] });
    const y = x.matmul(tensor([[1], [-2]]));
    const { history } = await model.fit(x, y, { epochs: 30, verbose: 0 });
    const trained = performance.getEntriesByType('resource').map(({ name }) => name);
    const bytes = await model.toBytes('safetensors');
    await model.loadWeights(bytes);
    const again = await loadModel(await model.toBytes());
    const [a, b] = await Promise.all([model, again].map(async (one) => (await one.predict(x, { verbose: 0 })).data()));
    return { losses: history.loss, trained, same: a.every((one, i) => one === b[i]) };
  }
  globalThis.outcome = main().catch(({ message }) => ({ error: message }));
`;

interface Outcome {
  readonly error?: string;
  readonly losses: number[];
  readonly trained: string[];
  readonly same: boolean;
}

describe.each(['esbuild', 'vite'] as const)('an application built by %s', (bundler) => {
  test('trains, saves and loads under a policy without inline code, loading parts as it goes', async () => {
    const built = await bundlers[bundler](consumer, application);
    const { error, losses, trained, same } = await open<Outcome>(browser, built);
    expect(error).toBeUndefined();
    expect(losses.at(-1)!).toBeLessThan(losses[0] / 2);
    expect(same).toBe(true);
    const names = trained.map((url) => new URL(url).pathname.slice(1)).filter((name) => name in built.files);
    const later = [
      'formats',
      'matmul_broadcast',
      'matmul_subgroup',
      'matmul_workgroup',
      'scatter_sum',
      'sgd_linear',
    ];
    const found = (among: readonly string[]) =>
      later.filter((one) => among.some((name) => name.includes(one)));
    expect(found(Object.keys(built.files))).toEqual(later);
    expect(found(names)).toEqual([]);
  }, 120_000);
});

describe('without a bundler', () => {
  const outcomeOf = async (page: string, files: Record<string, string> = {}): Promise<Outcome> => {
    const tab = await browser.newPage();
    await host(tab, ORIGIN, { folder: consumer.folder, files: { '/': page, '/favicon.ico': '', ...files } });
    await tab.goto(ORIGIN);
    const outcome = await tab.evaluate(() => (globalThis as unknown as { outcome: Outcome }).outcome);
    await tab.close();
    return outcome;
  };

  test('an import map finds the package and what it unpacks files with', async () => {
    const imports = {
      'weft-gpu': './node_modules/weft-gpu/dist/index.js',
      fflate: './node_modules/fflate/esm/browser.js',
    };
    const { error, same } = await outcomeOf(
      `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
      <script type="module">${application}</script>`,
    );
    expect(error).toBeUndefined();
    expect(same).toBe(true);
  }, 60_000);

  test('a module worker imports it by its path', async () => {
    const worker = `
      import { init, tensor } from './node_modules/weft-gpu/dist/index.js';
      onmessage = async ({ data }) => {
        await init({ seed: 1 });
        const doubled = await tensor(data).mul(2).data();
        postMessage(doubled, [doubled.buffer]);
      };`;
    const page = `<!doctype html><script type="module">
      const worker = new Worker('./worker.js', { type: 'module' });
      const numbers = new Float32Array([1, 2, 3]);
      worker.postMessage(numbers, [numbers.buffer]);
      globalThis.outcome = new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve({ losses: [...data] });
      });
    </script>`;
    expect((await outcomeOf(page, { '/worker.js': worker })).losses).toEqual([2, 4, 6]);
  }, 60_000);
});
