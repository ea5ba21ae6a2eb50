/**
 * A GPU object for Node, wherever it runs: the machine's own driver if it has one, else the SwiftShader
 * software driver inside the dev dependency `@sparticuz/chromium` (Linux x64). No part of the package:
 * scripts, tests and benches hand the result to `init({ gpu })`.
 *
 * `WEFT_ADAPTER=system` refuses the fallback, `WEFT_ADAPTER=swiftshader` asks for it.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { packedFolder, unpack } from './unpack.js';

/** Dawn aborts the process when an instance is collected while one of its devices lives. */
const instances = [];
let found;

/**
 * Finds a GPU object, preferring real hardware, then llvmpipe, then SwiftShader.
 *
 * `dawn`: flags for Dawn, for example `['disable-dawn-features=timestamp_quantization']`.
 * Gives `gpu` (hand it to `init`), `note` (one line that names the adapter and says if it is software),
 * `software`, and `environment` (what a child process needs to find the same adapter by itself).
 * Throws with what was looked for and what to install when there is none.
 *
 * ```js
 * const { gpu, note } = await findGpu();
 * console.log(note);
 * const engine = await init({ gpu });
 * ```
 */
export function findGpu({ dawn = [] } = {}) {
  found ??= search(dawn).catch((error) => {
    found = undefined;
    throw error;
  });
  return found;
}

async function search(dawn) {
  const wanted = process.env.WEFT_ADAPTER || 'any';
  if (!['any', 'system', 'swiftshader'].includes(wanted)) {
    throw new Error(`WEFT_ADAPTER is '${wanted}'; it takes 'system' or 'swiftshader'.`);
  }
  const { create } = await importDawn();

  if (wanted !== 'swiftshader' && (process.platform !== 'linux' || libraryFolders().length > 0)) {
    const system = await tryDawn(create, dawn);
    if (system) return describe(system, {});
  }
  if (wanted !== 'system' && packedFolder()) {
    const environment = swiftShaderEnvironment();
    const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = environment;
    Object.assign(process.env, { VK_DRIVER_FILES, VK_ICD_FILENAMES });
    loadLibrary(join(VK_DRIVER_FILES, '..', 'libvulkan.so.1'));
    // A fresh instance: one that failed once stays failed.
    const software = await tryDawn(create, dawn);
    if (software) return describe(software, environment);
  }
  throw new Error(noAdapterMessage(wanted));
}

/** The variables by which a child process (a test worker, a browser) finds SwiftShader at its start. */
export function swiftShaderEnvironment() {
  const folder = unpack('swiftshader');
  const json = join(folder, 'vk_swiftshader_icd.json');
  return {
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
    VK_DRIVER_FILES: json,
    VK_ICD_FILENAMES: json,
  };
}

async function importDawn() {
  try {
    return await import('webgpu');
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND';
    const fix = missing
      ? 'npm install webgpu'
      : `it needs glibc 2.34 or newer on Linux (Debian 12, Ubuntu 22.04; not musl). ${error.message}`;
    throw new Error(`WebGPU in Node comes from the package 'webgpu', which did not load. Fix: ${fix}`);
  }
}

async function tryDawn(create, flags) {
  const [gpu, adapter] = quietly(() => {
    const instance = create(flags);
    return [instance, instance.requestAdapter()];
  });
  instances.push(gpu);
  const info = (await adapter.catch(() => null))?.info;
  return info ? { gpu, info } : undefined;
}

function describe({ gpu, info }, environment) {
  const name = info.description || info.device || info.vendor || 'unnamed adapter';
  const software = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(
    [info.vendor, info.architecture, info.device, info.description].join(' '),
  );
  const origin = environment.VK_DRIVER_FILES ? ' that comes with @sparticuz/chromium' : '';
  const note = software ? `${name}${origin} (software, no GPU)` : name;
  return { gpu, note, software, environment };
}

/** Maps a shared library into this process for good, so that Dawn finds it by its name. */
function loadLibrary(path) {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  const RTLD_NODELETE = 0x1000; // without it Node closes the library again: it is no add-on
  try {
    process.dlopen({ exports: {} }, path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // "Module did not self-register": expected.
  }
}

/**
 * Runs `work` with native stderr pointing at /dev/null: Dawn warns there about harmless limits of
 * software drivers, and offers no switch. `WEFT_DAWN_LOG=1` lets it speak. Linux only: the lowest free
 * descriptor is the one just closed.
 */
function quietly(work) {
  if (process.platform !== 'linux' || process.env.WEFT_DAWN_LOG) return work();
  let stderr;
  try {
    // A file opened twice has two positions, and the writers would overwrite each other.
    if (fstatSync(2).isFile()) return work();
    stderr = openSync('/proc/self/fd/2', 'a');
  } catch {
    return work(); // stderr is a socket, or closed
  }
  const redirect = (path) => {
    closeSync(2);
    openSync(path, 'a');
  };
  redirect('/dev/null');
  try {
    return work();
  } finally {
    redirect(`/proc/self/fd/${stderr}`);
    closeSync(stderr);
  }
}

/** Folders that hold a Vulkan loader. Asked first because Dawn without one complains on stderr. */
function libraryFolders() {
  const configured = readText('/etc/ld.so.cache').includes('libvulkan.so.1') ? ['(ldconfig)'] : [];
  const folders = [
    ...(process.env.LD_LIBRARY_PATH ?? '').split(':'),
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
    '/usr/local/lib',
  ];
  return [...configured, ...folders.filter((folder) => folder && existsSync(join(folder, 'libvulkan.so.1')))];
}

function driverManifests() {
  const folders = [
    '/usr/share/vulkan/icd.d',
    '/usr/local/share/vulkan/icd.d',
    '/etc/vulkan/icd.d',
    join(homedir(), '.local/share/vulkan/icd.d'),
  ];
  return folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((f) => join(folder, f)) : [],
  );
}

function noAdapterMessage(wanted) {
  const lines = ['No WebGPU adapter: neither a GPU driver nor a software one was found.'];
  if (process.platform === 'linux') {
    const variable = (name) => `${name}=${process.env[name] ?? '(unset)'}`;
    lines.push(
      `  Vulkan loader libvulkan.so.1: ${libraryFolders().join(', ') || 'none'}`,
      `  loader mapped in this process: ${/libvulkan/.test(readText('/proc/self/maps')) ? 'yes' : 'no'}`,
      `  driver manifests (vulkan/icd.d): ${driverManifests().join(', ') || 'none'}`,
      `  ${variable('VK_DRIVER_FILES')}  ${variable('VK_ICD_FILENAMES')}`,
      `  SwiftShader in @sparticuz/chromium: ${packedFolder() ? 'yes' : 'not installed'}${wanted === 'system' ? ', not asked (WEFT_ADAPTER=system)' : ''}`,
      'Fix: install the Vulkan driver of your GPU, or a software one:',
      '  Debian 13, Ubuntu 24.04   apt-get install libvulkan1 mesa-vulkan-drivers',
      '  Debian 12                 apt-get install -t bookworm-backports libvulkan1 mesa-vulkan-drivers',
      '  Linux x64, from npm       npm install --save-dev @sparticuz/chromium@147.0.0',
    );
  } else {
    lines.push(
      'Fix: update the graphics driver (Direct3D 12 on Windows, Metal on macOS); WebGPU needs a GPU here.',
    );
  }
  return lines.join('\n');
}

function readText(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
