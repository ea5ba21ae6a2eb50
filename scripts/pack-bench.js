#!/usr/bin/env node
/**
 * Packs the benchmark into one folder that a bare Linux machine (x64) with a GPU needs nothing else for: Node, Dawn, the
 * built package, the peers, a Vulkan loader and, in case there is no driver, SwiftShader. There: `./run.sh`.
 *
 *   npm run build && npm run bench:install && node scripts/pack-bench.js [folder]
 *
 * PyTorch is not packed: it takes part where the machine's python3 has it. The data are the built-in garments unless
 * `./run.sh --data DIR` names the four Fashion-MNIST files.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describeMachine } from '../bench/lib/machine.js';
import { packedFolder, unpack } from './support/unpack.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const out = process.argv[2] ?? join(root, 'bench/results/weft-bench');
const app = join(out, 'app');
const mostMegabytes = 60;
/** What CommonJS has and ES modules have not. */
const commonJs = [
  "import { createRequire } from 'node:module';",
  "import { dirname as folderOf } from 'node:path';",
  "import { fileURLToPath as pathOf } from 'node:url';",
  'const require = createRequire(import.meta.url);',
  'const [__filename, __dirname] = [pathOf(import.meta.url), folderOf(pathOf(import.meta.url))];',
].join('\n');

if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('pack-bench: packs this very Node and Dawn, so it runs on Linux x64 only.');
for (const needed of ['dist/index.js', 'bench/peers/node_modules/@jax-js/jax'])
  if (!existsSync(join(root, needed)))
    throw new Error(`pack-bench: ${needed} is missing. Run npm run build and npm run bench:install first.`);

rmSync(out, { recursive: true, force: true });
const put = (path, content) => {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), content);
};
const copy = (from, to, wanted = () => true) => {
  mkdirSync(dirname(join(out, to)), { recursive: true });
  cpSync(join(root, from), join(out, to), { recursive: true, dereference: true, filter: wanted });
};
const zip = (from, to) => put(to, gzipSync(readFileSync(from), { level: 9 }));

// A checkout in small: the bench finds 'weft' by its name, as it does at home.
copy('package.json', 'app/package.json');
for (const name of ['dist/index.js', 'dist/chunks', 'bin', 'scripts/support'])
  copy(name, `app/${name}`, (path) => !path.endsWith('.map'));
copy('LICENSE', 'app/LICENSE');
put('app/COMMIT', `${describeMachine().commit}\n`);
for (const name of readdirSync(join(root, 'bench')))
  if (name.endsWith('.js')) copy(`bench/${name}`, `app/bench/${name}`);
copy('bench/lib', 'app/bench/lib');
copy('node_modules/fflate', 'app/node_modules/fflate');

const dawn = 'node_modules/webgpu/dist/linux-x64/dawn.node';
for (const name of ['package.json', 'index.js'])
  copy(`node_modules/webgpu/${name}`, `app/node_modules/webgpu/${name}`);
zip(join(root, dawn), `app/${dawn}.gz`);
zip(process.execPath, 'bin/node.gz');

await packPeers();
packDrivers();
copyFileSync(fileURLToPath(new URL('support/run-bench.sh', import.meta.url)), join(out, 'run.sh'));
chmodSync(join(out, 'run.sh'), 0o755);

// What is missing shows here and not on the other machine.
const imports = "await import('weft-gpu'); await import('./bench/lib/child.js'); process.exit()";
copy(dawn, `app/${dawn}`);
execFileSync(process.execPath, ['--input-type=module', '-e', imports], { cwd: app, stdio: 'inherit' });
rmSync(join(app, dawn));

const megabytes = sizeOf(out) / 1e6;
console.log(`${out}: ${megabytes.toFixed(1)} MB`);
for (const name of ['bin', 'app/node_modules', 'app/bench', 'lib', 'app/dist'])
  console.log(`  ${(sizeOf(join(out, name)) / 1e6).toFixed(1).padStart(5)} MB  ${name}`);
console.log(`There: ./run.sh. Results come in ${basename(out)}/results, to be put into bench/results here.`);
if (megabytes > mostMegabytes) throw new Error(`pack-bench: more than ${mostMegabytes} MB`);

/** Each peer as one file; versions and WASM files where the bench looks for them. */
async function packPeers() {
  const peers = 'bench/peers';
  for (const name of ['tfjs.js', 'jax.js', 'torch_steps.py'])
    copy(`${peers}/${name}`, `app/${peers}/${name}`);
  copy(`${peers}/package.json`, `app/${peers}/package.json`);
  await build({
    absWorkingDir: join(root, peers),
    entryPoints: ['tfjs-modules.js', 'jax-modules.js'],
    outdir: join(app, peers),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // The Node flavour of TensorFlow.js's WASM backend is CommonJS at heart.
    banner: { js: commonJs },
    logLevel: 'error',
  });
  const modules = `${peers}/node_modules`;
  for (const name of ['@jax-js/jax', '@tensorflow/tfjs-core']) {
    const { version } = JSON.parse(readFileSync(join(root, modules, name, 'package.json'), 'utf8'));
    put(`app/${modules}/${name}/package.json`, JSON.stringify({ name, version }));
  }
  const wasm = `${modules}/@tensorflow/tfjs-backend-wasm`;
  for (const file of readdirSync(join(root, wasm, 'dist')).filter((name) => name.endsWith('.wasm')))
    copy(`${wasm}/dist/${file}`, `app/${wasm}/dist/${file}`);
  put(`app/${wasm}/package.json`, '{"main": "dist/folder.js"}');
  put(`app/${wasm}/dist/folder.js`, '// The bench asks where this lies.\n');
}

/** The Vulkan loader, SwiftShader as it came, and what Node needs of C++ where a machine has none. */
function packDrivers() {
  const packed = packedFolder();
  if (!packed) throw new Error('pack-bench: @sparticuz/chromium is not installed. Run npm ci first.');
  copyFileSync(join(unpack('swiftshader'), 'libvulkan.so.1'), mkdir('lib/vulkan/libvulkan.so.1'));
  const chromium = 'app/node_modules/@sparticuz/chromium';
  put(`${chromium}/package.json`, '{"version": "147.0.0", "main": "build/cjs/index.js"}');
  put(`${chromium}/build/cjs/index.js`, '// Only the driver of this package is here.\n');
  copyFileSync(join(packed, 'swiftshader.tar.br'), mkdir(`${chromium}/bin/swiftshader.tar.br`));

  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1']) {
    const [, path] = libraries.match(new RegExp(`${name.replaceAll('+', '\\+')} => (\\S+)`)) ?? [];
    if (path) copyFileSync(path, mkdir(`lib/cpp/${name}`));
  }
}

function mkdir(path) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  return join(out, path);
}

function sizeOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
