/**
 * Zip archives: `.keras` and `.npz` files are such.
 *
 * The reader trusts the directory at the end and believes it only as far as the bytes bear it out: names
 * stay inside the archive, entries do not overlap, sizes and checksums are right, and what unpacks to many
 * times the archive is refused before it is unpacked.
 */
import { FormatError } from '../base/errors.ts';
import { needed } from './needed.ts';

const DIRECTORY_END = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const LONGEST_COMMENT = 0xffff;

/** An archive may unpack to three times its size and this much more. Weights hardly shrink; bombs do. */
const UNPACKED_BYTES = 16 << 20;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && view(bytes).getUint32(0, true) === LOCAL_ENTRY;

/**
 * The files in an archive by name. Stored ones are views of `bytes`. `mostBytes`: all that they may unpack to.
 *
 * Throws FormatError, naming `file` and the entry, for anything that is not as it should be.
 */
export async function readZip(
  bytes: Uint8Array,
  file: string,
  mostBytes = 3 * bytes.length + UNPACKED_BYTES,
): Promise<Map<string, Uint8Array>> {
  const { entries, directory } = readDirectory(bytes, file);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > mostBytes)
    throw new FormatError(`${file}: ${bytes.length} bytes would unpack to ${total}; refused as a zip bomb.`);
  const isPacked = entries.some(({ method }) => method === 8);
  const fflate = isPacked ? await needed('fflate', () => import('fflate')) : null;
  const files = new Map<string, Uint8Array>();
  let free = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const fail = (why: string): never => {
      throw new FormatError(`${file}: entry ${JSON.stringify(entry.name)} ${why}.`);
    };
    const start = dataStart(bytes, entry, directory, fail);
    if (entry.offset < free) fail('overlaps the one before');
    if (start + entry.packed > directory) fail('reaches beyond the archive');
    free = start + entry.packed;
    if (files.has(entry.name)) fail('is there twice');
    const packed = bytes.subarray(start, free);
    let content = packed;
    if (entry.method === 8) {
      try {
        content = fflate!.inflateSync(packed, { out: new Uint8Array(entry.size) });
      } catch (error) {
        fail(`cannot be unpacked: ${(error as Error).message}`);
      }
    } else if (entry.method !== 0) fail(`is packed by method ${entry.method}; expected stored or deflated`);
    if (content.length !== entry.size) fail(`has ${content.length} bytes; its header says ${entry.size}`);
    if (crc32(content) !== entry.crc) fail('is damaged: its checksum is wrong');
    files.set(entry.name, content);
  }
  return files;
}

/** An archive of stored files, in the order given. The same files make the same bytes. */
export async function writeZip(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const { zipSync } = await needed('fflate', () => import('fflate'));
  return zipSync({ ...files }, { level: 0, mtime: new Date(1980, 0, 1) });
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function readDirectory(bytes: Uint8Array, file: string): { entries: Entry[]; directory: number } {
  const data = view(bytes);
  const broken = (why: string): FormatError => new FormatError(`${file}: not a whole zip archive: ${why}.`);
  const lowest = Math.max(0, bytes.length - LONGEST_COMMENT - 22);
  let end = bytes.length - 22;
  while (end >= lowest && data.getUint32(end, true) !== DIRECTORY_END) end--;
  if (end < lowest) throw broken('the directory at the end is missing');
  const count = data.getUint16(end + 10, true);
  const size = data.getUint32(end + 12, true);
  const directory = data.getUint32(end + 16, true);
  if (directory === 0xffffffff) throw broken('archives of more than 4 GiB are not read');
  if (directory + size > end) throw broken('the directory lies outside of the file');
  const entries: Entry[] = [];
  for (let i = 0, at = directory; i < count; i++) {
    if (at + 46 > end || data.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw broken(`entry ${i} of the directory is cut off`);
    const nameLength = data.getUint16(at + 28, true);
    const next = at + 46 + nameLength + data.getUint16(at + 30, true) + data.getUint16(at + 32, true);
    if (next > end) throw broken(`entry ${i} of the directory is cut off`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (!isInside(name)) throw new FormatError(`${file}: entry ${JSON.stringify(name)} points elsewhere.`);
    if (data.getUint16(at + 8, true) & 1)
      throw new FormatError(`${file}: entry ${JSON.stringify(name)} is encrypted.`);
    if (!name.endsWith('/'))
      entries.push({
        name,
        method: data.getUint16(at + 10, true),
        crc: data.getUint32(at + 16, true),
        packed: data.getUint32(at + 20, true),
        size: data.getUint32(at + 24, true),
        offset: data.getUint32(at + 42, true),
      });
    at = next;
  }
  return { entries, directory };
}

/** Where an entry's data begin. Only name and extra lengths count here; sizes stand in the directory. */
function dataStart(bytes: Uint8Array, entry: Entry, directory: number, fail: (why: string) => never): number {
  const data = view(bytes);
  if (entry.offset + 30 > directory || data.getUint32(entry.offset, true) !== LOCAL_ENTRY)
    fail('is not where the directory says');
  return (
    entry.offset + 30 + data.getUint16(entry.offset + 26, true) + data.getUint16(entry.offset + 28, true)
  );
}

/** Whether a name stays in the folder it is relative to. */
export function isInside(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: such names are what is looked for.
  if (name === '' || /^[/\\]|[\x00-\x1f\\]|^[a-z][a-z0-9+.-]*:/i.test(name)) return false;
  return !name.split('/').includes('..');
}

let table: Uint32Array | null = null;

/** The checksum of zip and gzip (polynomial 0xedb88320). */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
