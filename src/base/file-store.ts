/** The disk, as data sets and caches use it, and in a page a folder that the browser keeps (OPFS) or the user gave. */

import { builtin, environment } from './platform.ts';
import { writeWhole } from './write-whole.ts';

export interface FileStore {
  join(...parts: string[]): string;
  /** The user's home folder. */
  home(): string;
  /** A file's bytes, or undefined when there is no such file. Throws RangeError, unread, when it is larger than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Writes all or nothing: whoever opens `path` sees the old file or the whole new one. Makes folders as needed. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Where this user's programs keep what they can make again: Weft's folder in it. */
export const cacheFolder = (disk: FileStore, variable = environment): string =>
  disk.join(
    variable('XDG_CACHE_HOME') || variable('LOCALAPPDATA') || disk.join(disk.home(), '.cache'),
    'weft',
  );

/** The disk in Node; undefined in a page. */
export function diskFileStore(): FileStore | undefined {
  const fs = builtin<typeof import('node:fs/promises')>('node:fs/promises');
  const os = builtin<typeof import('node:os')>('node:os');
  const path = builtin<typeof import('node:path')>('node:path');
  if (!fs || !os || !path) return undefined;
  return {
    join: path.join,
    home: os.homedir,

    async read(file, maxBytes) {
      const stat = await fs.stat(file).catch(absent);
      if (!stat?.isFile()) return undefined;
      if (stat.size > maxBytes) throw new RangeError(`${stat.size} bytes, expected at most ${maxBytes}`);
      const buffer = await fs.readFile(file).catch(absent);
      return buffer && new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    },

    async write(file, bytes) {
      await fs.mkdir(path.dirname(file), { recursive: true });
      await writeWhole(file, bytes);
    },

    async remove(file) {
      await fs.rm(file, { force: true });
    },
  };
}

/** A folder in a page as a disk: what is written appears whole, when its stream is closed. Paths are parted by '/'. */
export function folderFileStore(root: () => Promise<FileSystemDirectoryHandle>): FileStore {
  const folderOf = async (path: string, create: boolean) => {
    const names = path.split('/').filter(Boolean);
    let folder = await root();
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create });
    return { folder, name: names[names.length - 1] };
  };
  const missing = (error: { name?: string }): undefined => {
    if (error.name === 'NotFoundError') return undefined;
    throw error;
  };
  return {
    join: (...parts) => parts.filter(Boolean).join('/'),
    home: () => '',

    async read(path, maxBytes) {
      const place = await folderOf(path, false).catch(missing);
      const handle = await place?.folder.getFileHandle(place.name).catch(missing);
      const file = await handle?.getFile();
      if (!file) return undefined;
      if (file.size > maxBytes) throw new RangeError(`${file.size} bytes, expected at most ${maxBytes}`);
      return new Uint8Array(await file.arrayBuffer());
    },

    async write(path, bytes) {
      const { folder, name } = await folderOf(path, true);
      const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
      try {
        await stream.write(bytes as Uint8Array<ArrayBuffer>);
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => {});
        throw error;
      }
    },

    async remove(path) {
      const place = await folderOf(path, false).catch(missing);
      await place?.folder.removeEntry(place.name).catch(missing);
    },
  };
}

/** A missing file, or a folder where a file should be named, is no error here. */
function absent(error: { code?: string }): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
