/**
 * Builds the demos: each `demo/NAME/` with an index.html and a main.ts becomes a page in `dist/demo/NAME/`
 * that works from a static host and from disk.
 *
 * - `main.ts` becomes `main.js`, `style.css` is bundled, index.html and everything else that is no TypeScript
 *   is copied. The page says `<script defer src="main.js">`: browsers load no modules from `file:`.
 * - `import TrainWorker from './worker.ts?worker&inline'` gives the worker's constructor, as it does in vite.
 *   Its text travels inside main.js and starts from a blob: no browser starts a worker from `file:`.
 * - A page states its own Content-Security-Policy in a meta tag; a page without one, or with code or
 *   styles between its tags, is refused here rather than in front of its visitors.
 *
 * Usage: node scripts/build-demo.js [NAME …]
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

function demoNames() {
  const folders = existsSync(join(root, 'demo')) ? readdirSync(join(root, 'demo')) : [];
  return folders.filter((name) =>
    ['index.html', 'main.ts'].every((file) => existsSync(join(root, 'demo', name, file))),
  );
}

async function buildDemo(name) {
  const from = join(root, 'demo', name);
  const to = join(root, 'dist/demo', name);
  checkPage(join(from, 'index.html'));
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const built = ['main.ts', 'style.css'].map((file) => join(from, file)).filter(existsSync);
  await bundle({ entryPoints: built, outdir: to });
  cpSync(from, to, {
    recursive: true,
    filter: (source) => extname(source) !== '.ts' && !built.includes(source),
  });
  console.log(sizeLine(`demo/${name}`, to));
}

function bundle(options) {
  return build({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    plugins: [inlineWorkers],
    logLevel: 'warning',
    ...options,
  });
}

/** `import Worker from './worker.ts?worker&inline'`: the worker is a bundle of its own inside the page's. */
const inlineWorkers = {
  name: 'inline-workers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?worker&inline$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace('?worker&inline', '')),
      namespace: 'worker',
    }));
    onLoad({ filter: /.*/, namespace: 'worker' }, async ({ path }) => {
      const { outputFiles } = await bundle({ entryPoints: [path], write: false });
      return {
        loader: 'js',
        contents: `const code = ${JSON.stringify(outputFiles[0].text)};
          export default function InlineWorker(options) {
            const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
            try { return new Worker(url, options); } finally { URL.revokeObjectURL(url); }
          }`,
        watchFiles: [path],
      };
    });
  },
};

/** Throws unless the page brings a policy and keeps code and styles in files of their own. */
function checkPage(file) {
  const html = readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  const name = `demo/${basename(join(file, '..'))}/index.html`;
  const faults = [
    [!/<meta\s+http-equiv="Content-Security-Policy"/.test(html), 'no Content-Security-Policy in a meta tag'],
    [/unsafe-(inline|eval)/.test(html), 'a policy that allows inline code or eval'],
    [/<script(?![^>]*\ssrc=)/.test(html), 'a script without src'],
    [/<style/.test(html) || /\sstyle=/.test(html), 'styles outside style.css'],
    [/<[^>]+\son[a-z]+=/.test(html), 'an event handler written as an attribute'],
  ];
  const found = faults.filter(([isWrong]) => isWrong).map(([, text]) => text);
  if (found.length > 0) throw new Error(`${name}: ${found.join(', ')}.`);
}

/** What a visitor loads, as it is and as a host sends it. */
function sizeLine(name, folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const total = (sizes) => sizes.reduce((sum, size) => sum + size, 0) / 1024;
  const raw = total(files.map((bytes) => bytes.length));
  const gzip = total(files.map((bytes) => gzipSync(bytes).length));
  return `${name}: ${files.length} files, ${raw.toFixed(0)} KiB, ${gzip.toFixed(0)} KiB gzip`;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : demoNames();
for (const name of names) await buildDemo(name);
