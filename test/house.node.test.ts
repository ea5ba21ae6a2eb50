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

/**
 * The floors of nn, from the ground up; a file may import its own floor and those below. The longest path that a file
 * begins with says where it stands.
 */
const floors: readonly (readonly string[])[] = [
  ['names.ts', 'seeds.ts', 'check.ts', 'targets.ts', 'options.ts', 'registered.ts', 'activations.ts'],
  ['weights', 'initializers', 'schedules', 'losses'],
  ['layers', 'optimizers', 'metrics'],
  ['report', 'saving/files.ts', 'saving/places.ts', 'saving/values.ts'],
  [
    'training/feed/feed.ts',
    'training/feed/samples.ts',
    'training/feed/class-weights.ts',
    'training/origin.ts',
  ],
  [
    'training/objective.ts',
    'training/tally.ts',
    'training/steps.ts',
    'training/trainable.ts',
    'callbacks',
    'training/meter.ts',
  ],
  ['training/feed'],
  ['training'],
  ['models', 'saving', 'linear'],
  ['index.ts', 'parts.ts', 'models/index.ts'],
];

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

const floorOf = (file: string): number => {
  const name = file.replace(/^src\/nn\//, '');
  const found = floors
    .flatMap((entries, floor) => entries.map((entry) => ({ entry, floor })))
    .filter(({ entry }) => name === entry || name.startsWith(`${entry}/`))
    .sort((a, b) => b.entry.length - a.entry.length);
  return found[0]?.floor ?? Number.NaN;
};

/** What each file of a layer imports of it. */
const withinLayer = (layer: string) =>
  new Map(
    sourceFiles(`src/${layer}`).map((file) => {
      const own = importsOf(file).filter((specifier) => specifier.startsWith('.'));
      const targets = own.map((specifier) => posix.join(posix.dirname(file), specifier));
      return [
        file,
        targets.filter((target) => target.startsWith(`src/${layer}/`) && target !== file),
      ] as const;
    }),
  );

const within = withinLayer('nn');

test('imports in nn point down, from floor to floor', () => {
  const wrong: string[] = [];
  for (const [file, targets] of within)
    for (const target of targets)
      if (!(floorOf(file) >= floorOf(target)))
        wrong.push(`${file} (floor ${floorOf(file)}) imports ${target} (floor ${floorOf(target)})`);
  expect(wrong).toEqual([]);
});

test('no imports in nn, graph and engine go in a circle, types and what is loaded on demand counted', () => {
  expect(['nn', 'graph', 'engine'].flatMap((layer) => circlesOf(withinLayer(layer)))).toEqual([]);
});

/** Groups of files each of which reaches every other of its group. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const reached = new Map<string, Set<string>>();
  for (const file of imports.keys()) {
    const seen = new Set<string>();
    const waiting = [...imports.get(file)!];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      if (!seen.has(next)) {
        seen.add(next);
        waiting.push(...(imports.get(next) ?? []));
      }
    reached.set(file, seen);
  }
  const groups: string[][] = [];
  const placed = new Set<string>();
  for (const [file, seen] of reached) {
    if (!seen.has(file) || placed.has(file)) continue;
    const group = [...seen].filter((other) => reached.get(other)?.has(file));
    for (const one of group) placed.add(one);
    groups.push(group);
  }
  return groups;
}

test('what is loaded on demand is nothing that the package offers at once', () => {
  // A bundler would put it into the first file, and what others share with it into small ones: 4 KB of a page that trains.
  const offered = new Set(['src/index.ts']);
  const onDemand = new Map<string, string>();
  const resolve = (file: string, specifier: string) => posix.join(posix.dirname(file), specifier);
  for (const file of offered) {
    const text = readFileSync(file, 'utf8');
    for (const [, kind, , specifier] of text.matchAll(
      /^(import|export)(?! type\b)[^;]*?(['"])(\.[^'"]+\.ts)\2;$/gm,
    ))
      if (kind) offered.add(resolve(file, specifier));
    for (const [, , specifier] of text.matchAll(/\bimport\((['"])(\.[^'"]+\.ts)\1\)/g))
      onDemand.set(resolve(file, specifier), file);
  }
  expect(onDemand.size).toBeGreaterThan(5);
  expect([...onDemand].filter(([target]) => offered.has(target))).toEqual([]);
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
