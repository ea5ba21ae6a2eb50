/** The map of the house: who imports whom. A line that points upward fails with both file names. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from 'vitest';

/** From the ground up: each layer and what it may import. */
const layers: Record<string, string[]> = {
  base: [],
  shaders: [],
  data: ['base'],
  plot: ['base'],
  engine: ['base'],
  ops: ['engine', 'shaders', 'base'],
  graph: ['ops', 'engine', 'shaders', 'base'],
  nn: ['graph', 'ops', 'data', 'base'],
};

const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file))
    .filter((file) => /\.(ts|js)$/.test(file) && !file.endsWith('.d.ts'));

/** Specifiers of static imports, re-exports and literal dynamic imports. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g)].map(
    ([, , specifier]) => specifier,
  );

const layerOf = (file: string): string => file.split('/')[1];

test('imports in src point down', () => {
  const arrows: Record<string, Record<string, number>> = {};
  const wrong: string[] = [];
  for (const file of sourceFiles('src')) {
    const from = layerOf(file);
    if (!(from in layers)) continue; // the public surface may import all
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith('.')) continue; // types of Node; the build refuses `node:` values
      const target = posix.join(posix.dirname(file), specifier);
      const to = layerOf(target);
      if (to === from) continue;
      arrows[from] ??= {};
      arrows[from][to] = (arrows[from][to] ?? 0) + 1;
      if (!layers[from].includes(to)) wrong.push(`${file} imports ${target}: ${from} may not know ${to}`);
    }
  }
  console.log(drawing(arrows));
  expect(wrong).toEqual([]);
});

test('scripts, benches and demos import the built package, never the sources', () => {
  const outside = ['scripts', 'bench', 'demo'].filter((folder) => readdirSync('.').includes(folder));
  const wrong = outside
    .flatMap(sourceFiles)
    .filter((file) => !file.includes('/node_modules/'))
    .filter((file) => importsOf(file).some((specifier) => join(dirname(file), specifier).startsWith('src/')));
  expect(wrong).toEqual([]);
});

test('only shaders/index.ts and shaders/functions.ts import WGSL', () => {
  const importers = sourceFiles('src').filter((file) =>
    importsOf(file).some((name) => name.includes('.wgsl')),
  );
  expect(importers.sort()).toEqual(['src/shaders/functions.ts', 'src/shaders/index.ts']);
});

test('F51 no source runs text as code or writes markup by text', () => {
  const dangerous = /\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\b/;
  const found = ['src', 'scripts', 'demo']
    .filter((folder) => readdirSync('.').includes(folder))
    .flatMap(sourceFiles)
    .filter((file) => dangerous.test(readFileSync(file, 'utf8')));
  expect(found).toEqual([]);
});

function drawing(arrows: Record<string, Record<string, number>>): string {
  const lines = Object.keys(layers)
    .reverse()
    .map((layer) => {
      const targets = Object.entries(arrows[layer] ?? {}).map(([to, count]) => `${to} (${count})`);
      return `  ${layer.padEnd(8)} ${targets.length > 0 ? `→ ${targets.join(', ')}` : ''}`.trimEnd();
    });
  return ['who imports whom:', ...lines].join('\n');
}
