/**
 * A GPU object for Node, wherever it runs: the machine's own driver if it has one, else the SwiftShader
 * software driver inside the dev dependency `@sparticuz/chromium` (Linux x64). No part of the package:
 * scripts, tests and benches hand the result to `init({ gpu })`.
 *
 * `WEFT_ADAPTER=system` refuses the fallback, `WEFT_ADAPTER=swiftshader` asks for it.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import { adapterHelp, importDawn, libraryFolders, quietly } from '../../bin/support/dawn.js';
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

const noAdapterMessage = (wanted) =>
  [
    adapterHelp([
      `  SwiftShader in @sparticuz/chromium: ${packedFolder() ? 'yes' : 'not installed'}${wanted === 'system' ? ', not asked (WEFT_ADAPTER=system)' : ''}`,
    ]),
    ...(process.platform === 'linux'
      ? ['  Linux x64, from npm       npm install --save-dev @sparticuz/chromium@147.0.0']
      : []),
  ].join('\n');
