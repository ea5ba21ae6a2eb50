/**
 * Builds the package: `dist/index.js`, one ES module for Node and pages, with what is loaded on demand in
 * `dist/chunks/`, and the types in `dist/types/`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { stripWgsl } from './support/strip-wgsl.js';
import { withPureConstants } from './support/tree-shaking.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** `import code from './kernel.wgsl?raw'` as vite has it, without its comments. */
const rawWgsl = {
  name: 'raw-wgsl',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wgsl\?raw$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace('?raw', '')),
      namespace: 'wgsl',
    }));
    onLoad({ filter: /.*/, namespace: 'wgsl' }, async ({ path }) => ({
      contents: stripWgsl(await readFile(path, 'utf8')),
      loader: 'text',
      watchFiles: [path],
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/index.ts'],
  outdir: 'dist',
  bundle: true,
  // `await import()` in the sources is where a chunk of its own begins.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  // Neither node nor browser: an import of `node:` anything fails here, so that one module serves both.
  platform: 'neutral',
  target: 'es2022',
  // Loaded when a file needs them.
  external: ['webgpu', 'fflate', 'papaparse'],
  sourcemap: true,
  plugins: [rawWgsl],
  logLevel: 'warning',
});
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
  if (file.endsWith('.js')) {
    const path = join(dist, file);
    writeFileSync(path, withPureConstants(readFileSync(path, 'utf8')));
  }

const compiler = join(root, 'node_modules/typescript/bin/tsc');
const types = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = types.status ?? 1;
