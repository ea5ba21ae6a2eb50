/** Dawn in Node: loading it, listening to it, and what to say where it finds no GPU. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The package 'webgpu'; throws with what to install. */
export async function importDawn() {
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

/**
 * Runs `work` with native stderr pointing at /dev/null: Dawn warns there about harmless limits of
 * software drivers, and offers no switch. `WEFT_DAWN_LOG=1` lets it speak. Linux only: the lowest free
 * descriptor is the one just closed.
 */
export function quietly(work) {
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

/** Every adapter that Dawn sees, as it lists them when asked for one that there is not: a promise of lines. */
export function findAdapters(create) {
  try {
    return create(['adapter=(none of them)'])
      .requestAdapter()
      .then(
        () => [],
        (error) => error.message.split('\n').filter((line) => line.trim().startsWith('*')),
      );
  } catch {
    return Promise.resolve([]);
  }
}

/** Folders that hold a Vulkan loader. Asked first because Dawn without one complains on stderr. */
export function libraryFolders() {
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

/** What was looked for and what to install. `notes`: further lines about what was tried. */
export function adapterHelp(notes = []) {
  const lines = ['No WebGPU adapter: neither a GPU driver nor a software one was found.'];
  if (process.platform !== 'linux')
    return [
      ...lines,
      ...notes,
      'Fix: update the graphics driver (Direct3D 12 on Windows, Metal on macOS); WebGPU needs a GPU here.',
    ].join('\n');
  const variable = (name) => `${name}=${process.env[name] ?? '(unset)'}`;
  return [
    ...lines,
    `  Vulkan loader libvulkan.so.1: ${libraryFolders().join(', ') || 'none'}`,
    `  loader mapped in this process: ${/libvulkan/.test(readText('/proc/self/maps')) ? 'yes' : 'no'}`,
    `  driver manifests (vulkan/icd.d): ${driverManifests().join(', ') || 'none'}`,
    `  ${variable('VK_DRIVER_FILES')}  ${variable('VK_ICD_FILENAMES')}`,
    ...notes,
    'Fix: install the Vulkan driver of your GPU, or a software one:',
    '  Debian 13, Ubuntu 24.04   apt-get install libvulkan1 mesa-vulkan-drivers',
    '  Debian 12                 apt-get install -t bookworm-backports libvulkan1 mesa-vulkan-drivers',
  ].join('\n');
}

function readText(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
