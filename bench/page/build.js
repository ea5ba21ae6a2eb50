#!/usr/bin/env node
/** Bundles the page's one script, peers and WASM files included, into bench/page/dist. Then index.html opens from disk. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { engines } from '../lib/engines.js';
import { versionOf } from '../lib/machine.js';

export const pageFile = fileURLToPath(new URL('index.html', import.meta.url));

export async function buildPage() {
  const versions = Object.fromEntries(
    Object.values(engines)
      .filter(({ module }) => module)
      .map(({ module, versionFile }) => [module, versionOf(versionFile)]),
  );
  await build({
    entryPoints: [fileURLToPath(new URL('main.js', import.meta.url))],
    outfile: fileURLToPath(new URL('dist/main.js', import.meta.url)),
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    loader: { '.wasm': 'dataurl' },
    // Dawn for Node; a page never asks for it.
    external: ['webgpu'],
    define: { VERSIONS: JSON.stringify(versions) },
    logLevel: 'error',
  });
  return pageFile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildPage());
