/** Builds the package: one ES module for Node and pages in `dist/`, its types in `dist/types/`. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = resolve(root, 'dist');

/** `import code from './kernel.wgsl?raw'` as vite has it. */
const rawWgsl = {
  name: 'raw-wgsl',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wgsl\?raw$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace('?raw', '')),
      namespace: 'wgsl',
    }));
    onLoad({ filter: /.*/, namespace: 'wgsl' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
      watchFiles: [path],
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
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
const compiler = resolve(root, 'node_modules/typescript/bin/tsc');
const types = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = types.status ?? 1;
