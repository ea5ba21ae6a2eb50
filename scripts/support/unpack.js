/**
 * Unpacks parts of the dev dependency `@sparticuz/chromium` (a headless Chromium with the SwiftShader
 * Vulkan driver, as brotli-packed tars) into the user's cache folder, once. Linux x64 only.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** The folder with the packed files, or undefined: not installed, or another platform. */
export function packedFolder() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    // The package's `exports` hide its files; its entry point is in build/cjs.
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const folder = join(dirname(entry), '..', '..', 'bin');
    return existsSync(join(folder, 'swiftshader.tar.br')) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Unpacks parts (`<part>.tar.br`, a folder of files; `<part>.br`, one executable) into one folder and
 * gives its path. Safe when several processes do it at once: each fills a temporary folder of its own
 * and renames it.
 */
export function unpack(name, parts = [name]) {
  const packed = packedFolder();
  const { version } = JSON.parse(readFileSync(join(packed, '..', 'package.json'), 'utf8'));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weft');
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return folder;

  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, `${name}-`));
  for (const part of parts) {
    const tar = join(packed, `${part}.tar.br`);
    const files = existsSync(tar)
      ? readTar(inflate(tar))
      : [{ name: part, bytes: inflate(join(packed, `${part}.br`)) }];
    for (const file of files) writeExecutable(join(temporary, file.name), file.bytes);
  }
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process was faster
  }
  return folder;
}

const inflate = (path) => brotliDecompressSync(readFileSync(path));

function writeExecutable(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
}

/** The regular files of a ustar archive: 512-byte headers, contents padded to 512. */
function* readTar(bytes) {
  const text = (at, length) => bytes.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = text(at, 100);
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = text(at + 156, 1);
    if (type === '' || type === '0') yield { name, bytes: bytes.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
