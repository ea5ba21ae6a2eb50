/**
 * Builds the package three times over: `dist/index.js`, one ES module for Node and pages, with what is loaded on
 * demand in `dist/chunks/`; the same for bundlers in `dist/modules/`, where each source file stays a file of its
 * own, so that what nobody uses can go; and the types in `dist/types/`. `dist/parts/` gives the bundle's names for the
 * package's further doors (`weft-gpu/layers`), so that whoever comes through two doors has one copy.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { stripWgsl } from './support/strip-wgsl.js';
import { withPureConstants } from './support/tree-shaking.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/**
 * `import code from './kernel.wgsl?raw'` as vite has it, without its comments. Paths are from the root on: they are
 * in the bundle and its hashes, which must not tell where it was built.
 */
const rawWgsl = {
  name: 'raw-wgsl',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wgsl\?raw$/ }, ({ path, resolveDir }) => ({
      path: relative(root, resolve(resolveDir, path.replace('?raw', ''))).replaceAll('\\', '/'),
      namespace: 'wgsl',
    }));
    onLoad({ filter: /.*/, namespace: 'wgsl' }, async ({ path }) => ({
      contents: stripWgsl(await readFile(join(root, path), 'utf8')),
      loader: 'text',
      watchFiles: [join(root, path)],
    }));
  },
};

/** `import { x } from './y.ts'` stays an import, of './y.js'. */
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\..*\.ts$/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/ts$/, 'js'), external: true },
    );
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  // Neither node nor browser: an import of `node:` anything fails here, so that one module serves both.
  platform: 'neutral',
  target: 'es2022',
  // Loaded when a file needs them.
  external: ['webgpu', 'fflate', 'papaparse'],
  logLevel: 'warning',
};

/** Paths of a folder's files that end so, from the folder on. */
const filesIn = (folder, ending) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(ending));

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  ...common,
  entryPoints: ['src/index.ts'],
  metafile: true,
  outdir: 'dist',
  // `await import()` in the sources is where a chunk of its own begins.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  sourcemap: true,
  plugins: [rawWgsl],
});

const sources = filesIn(join(root, 'src'), '.ts').filter((path) => !path.endsWith('.d.ts'));
await build({
  ...common,
  entryPoints: sources.map((path) => join('src', path)),
  outbase: 'src',
  outdir: 'dist/modules',
  // For WGSL that is loaded on demand; sources are files of their own anyway.
  splitting: true,
  chunkNames: 'shaders/[name]-[hash]',
  plugins: [rawWgsl, apart],
});
for (const path of filesIn(join(dist, 'modules'), '.js').map((file) => join(dist, 'modules', file)))
  writeFileSync(path, withPureConstants(readFileSync(path, 'utf8')));

const { exports: doors } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const whole = new Set(metafile.outputs['dist/index.js'].exports);
mkdirSync(join(dist, 'parts'));
for (const { default: door, module } of Object.values(doors).slice(1))
  if (door) writeFileSync(join(root, door), await part(basename(door, '.js'), module));

/** The names of a door's module, from the bundle: as they are, or out of the namespace of the door's name. */
async function part(name, module) {
  const source = module.replace('./dist/modules', 'src').replace(/js$/, 'ts');
  const { metafile } = await build({
    ...common,
    entryPoints: [source],
    outdir: 'dist',
    splitting: true,
    write: false,
    metafile: true,
    plugins: [rawWgsl],
  });
  const names = Object.values(metafile.outputs)
    .find(({ entryPoint }) => entryPoint === source)
    .exports.join(', ');
  return whole.has(name)
    ? `import { ${name} } from '../index.js';\nexport const { ${names} } = ${name};\n`
    : `export { ${names} } from '../index.js';\n`;
}

const compiler = join(root, 'node_modules/typescript/bin/tsc');
const types = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = types.status ?? 1;
