/**
 * Where the bytes of files come from and go to: disks in Node; blobs, handles of files and folders (of the
 * user or of the origin's private file system) and downloads in a page.
 */
import { ConfigError, FormatError, LoadError, SaveError } from '../../base/errors.ts';
import { plainBytes } from '../../base/plain-bytes.ts';
import { builtin } from '../../base/platform.ts';
import { meantAs, sweepFor, writeWhole } from '../../base/write-whole.ts';
import { isInside } from '../../data/zip.ts';
import { describe } from '../names.ts';

/** What a model can be read from. */
export type FileSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | FileSystemFileHandle
  | readonly File[];

/** What a model can be written to. */
export type FileTarget = string | URL | FileSystemFileHandle | FileSystemDirectoryHandle;

/** A file that was read, and its neighbours, by names that stay inside its folder. */
export interface OpenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  neighbour(name: string): Promise<Uint8Array>;
}

// ---- reading

/** Reads a source. LoadError for what is not there or cannot be read; messages begin with `operation`. */
export async function openFile(source: FileSource, operation: string): Promise<OpenFile> {
  if (source instanceof URL)
    return source.protocol === 'file:' && onDisk()
      ? openOnDisk(pathOf(source), operation)
      : openAddress(source.href, operation);
  if (typeof source === 'string')
    return onDisk() && !/^https?:/.test(source)
      ? openOnDisk(source, operation)
      : openAddress(source, operation);
  if (source instanceof Uint8Array) return alone('the bytes', plainBytes(source));
  if (source instanceof ArrayBuffer) return alone('the bytes', new Uint8Array(source));
  if (source instanceof Blob) return alone(nameOf(source, 'the blob'), await blobBytes(source, operation));
  if (Array.isArray(source)) return openDropped(source, operation);
  if (typeof source === 'object' && source !== null && 'getFile' in source) {
    const file = await source.getFile().catch((error: Error) => {
      throw new LoadError(`${operation}: ${source.name} cannot be read: ${error.message}`, { cause: error });
    });
    return alone(file.name, await blobBytes(file, operation));
  }
  throw new ConfigError(
    `${operation}: source is ${describe(source)}; expected a path, an address, bytes, a blob or a file handle.`,
  );
}

const nameOf = (blob: Blob, otherwise: string): string => (blob instanceof File ? blob.name : otherwise);

async function blobBytes(blob: Blob, operation: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw new LoadError(`${operation}: ${nameOf(blob, 'the blob')} cannot be read.`, { cause: error });
  }
}

const alone = (name: string, bytes: Uint8Array): OpenFile => ({
  name,
  bytes,
  neighbour: async (other) => {
    throw new FormatError(
      `${name}: needs the file ${JSON.stringify(other)} beside it. Give all files in a list.`,
    );
  },
});

/** Names in a file may lead down, never up or away. */
function inside(name: string, file: string): string {
  if (isInside(name)) return name;
  throw new FormatError(`${file}: points elsewhere: ${JSON.stringify(name)}. Only files beside it are read.`);
}

/** Files that were dropped together; the one that describes the others comes first. */
async function openDropped(files: readonly File[], operation: string): Promise<OpenFile> {
  const main = files.find(({ name }) => name.endsWith('.json')) ?? files[0];
  if (!(main instanceof Blob))
    throw new ConfigError(`${operation}: source is an empty list; expected files.`);
  return {
    name: main.name,
    bytes: await blobBytes(main, operation),
    neighbour: async (name) => {
      const last = inside(name, main.name).split('/').at(-1);
      const found = files.find((file) => file.name === last);
      if (found) return blobBytes(found, operation);
      throw new LoadError(
        `${operation}: ${main.name} needs ${JSON.stringify(name)}, which is not among the files.`,
      );
    },
  };
}

async function openAddress(address: string, operation: string): Promise<OpenFile> {
  const get = async (url: string): Promise<Uint8Array> => {
    let response: Response;
    try {
      response = await fetch(url);
    } catch (error) {
      throw new LoadError(`${operation}: ${url} cannot be fetched: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (!response.ok) throw new LoadError(`${operation}: ${url} answers ${response.status}.`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    name: address,
    bytes: await get(address),
    neighbour: (name) => {
      const folder = new URL('.', new URL(address, globalThis.location?.href));
      return get(new URL(inside(name, address), folder).href);
    },
  };
}

// ---- writing

/** Files that belong together; the last one is the one that the target names. */
export interface Files {
  readonly parts: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Which neighbours nothing refers to any more once they are written. They are taken away. */
  readonly isObsolete?: (name: string) => boolean;
}

/** Writes files that belong together, the one that the target names last: until then the old ones are whole. */
export async function writeFiles(target: FileTarget, files: Files, operation: string): Promise<void> {
  const { parts, isObsolete } = files;
  if (typeof target === 'string' && onDisk()) return writeOnDisk(target, files, operation);
  if (target instanceof URL && target.protocol === 'file:' && onDisk())
    return writeOnDisk(pathOf(target), files, operation);
  if (typeof target === 'string') {
    for (const { name, bytes } of parts) download(name, bytes);
    return;
  }
  if (typeof target === 'object' && target !== null && 'getFileHandle' in target) {
    for (const { name, bytes } of parts)
      await writeHandle(await target.getFileHandle(name, { create: true }), bytes, operation);
    if (isObsolete) {
      const names: string[] = [];
      for await (const name of target.keys()) names.push(name);
      const read = async (name: string): Promise<string> =>
        (await (await target.getFileHandle(name)).getFile()).text();
      for (const name of await nobodysFiles(names, parts.at(-1)!.name, isObsolete, read))
        await target.removeEntry(name).catch(() => {});
    }
    return;
  }
  if (typeof target === 'object' && target !== null && 'createWritable' in target) {
    if (parts.length > 1)
      throw new ConfigError(`${operation}: this format has ${parts.length} files. Give a folder's handle.`);
    return writeHandle(target, parts[0].bytes, operation);
  }
  throw new ConfigError(
    `${operation}: target is ${describe(target)}; expected a path, or the handle of a file or folder.`,
  );
}

/** What is written to a handle takes the file's place when it is closed, all at once. */
async function writeHandle(
  handle: FileSystemFileHandle,
  bytes: Uint8Array,
  operation: string,
): Promise<void> {
  try {
    const stream = await handle.createWritable();
    try {
      await stream.write(bytes as Uint8Array<ArrayBuffer>);
    } catch (error) {
      await stream.abort();
      throw error;
    }
    await stream.close();
  } catch (error) {
    throw new SaveError(`${operation}: ${handle.name} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Hands a file to the user of a page. */
function download(name: string, bytes: Uint8Array): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  link.download = name;
  link.click();
  // The browser has taken the bytes once the download began.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// ---- disks

const onDisk = (): boolean => builtin('node:fs/promises') !== undefined;

const pathOf = (url: URL): string => builtin<typeof import('node:url')>('node:url')!.fileURLToPath(url);

const disk = () => ({
  fs: builtin<typeof import('node:fs/promises')>('node:fs/promises')!,
  path: builtin<typeof import('node:path')>('node:path')!,
});

/** Why the system refused, in words. */
function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  const words: Record<string, string> = {
    ENOENT: 'no such file or folder',
    ENOTDIR: 'a part of the path is no folder',
    EISDIR: 'it is a folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the name is too long',
  };
  return (code && words[code]) ?? message;
}

async function openOnDisk(file: string, operation: string): Promise<OpenFile> {
  const { fs, path } = disk();
  const read = async (one: string): Promise<Uint8Array> => {
    try {
      const bytes = await fs.readFile(one);
      return plainBytes(bytes);
    } catch (error) {
      throw new LoadError(`${operation}: ${one} cannot be read: ${reason(error)}.`, { cause: error });
    }
  };
  return {
    name: file,
    bytes: await read(file),
    neighbour: (name) => read(path.join(path.dirname(file), inside(name, file))),
  };
}

/** Saves under way, by the file that they are about: one after the other, since they share neighbours. */
const underWay = new Map<string, Promise<void>>();

/** Each file appears under its name whole or not at all, also when the process is killed. */
async function writeOnDisk(target: string, files: Files, operation: string): Promise<void> {
  const { fs, path } = disk();
  // Through a symbolic link, what it points to is replaced and not the link.
  const main = path.resolve(await fs.realpath(target).catch(() => target));
  const before = underWay.get(main);
  const writing = (async () => {
    await before?.catch(() => {});
    await writeBeside(main, files, operation);
  })();
  underWay.set(main, writing);
  try {
    await writing;
  } finally {
    if (underWay.get(main) === writing) underWay.delete(main);
  }
}

async function writeBeside(main: string, { parts, isObsolete }: Files, operation: string): Promise<void> {
  const { fs, path } = disk();
  const folder = path.dirname(main);
  for (const { name, bytes } of parts) {
    const file = name === parts.at(-1)!.name ? main : path.join(folder, name);
    try {
      if ((await fs.stat(file).catch(() => null))?.isDirectory())
        throw Object.assign(new Error(), { code: 'EISDIR' });
      await writeWhole(file, bytes);
    } catch (error) {
      throw new SaveError(`${operation}: ${file} cannot be written: ${reason(error)}.`, { cause: error });
    }
  }
  // The new name outlives a loss of power once the folder is on the disk too. Windows has no such call.
  const handle = await fs.open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
  if (!isObsolete) return;
  const names = await fs.readdir(folder).catch((): string[] => []);
  const read = (name: string): Promise<string> => fs.readFile(path.join(folder, name), 'utf8');
  for (const name of await nobodysFiles(names, path.basename(main), isObsolete, read))
    await fs.rm(path.join(folder, name), { force: true }).catch(() => {});
  // Weights have a new name with each save, so nobody will write again what a killed process left of them.
  for (const meant of new Set(names.map(meantAs)))
    if (meant !== null && isObsolete(meant)) await sweepFor(folder, meant);
}

/** Of the obsolete files those that no other description in the folder, a copy perhaps, still names. */
async function nobodysFiles(
  names: readonly string[],
  main: string,
  isObsolete: (name: string) => boolean,
  read: (name: string) => Promise<string>,
): Promise<string[]> {
  let obsolete = names.filter(isObsolete);
  for (const other of names) {
    if (obsolete.length === 0) break;
    if (other === main || !other.endsWith('.json')) continue;
    const text = await read(other).catch(() => '');
    obsolete = obsolete.filter((name) => !text.includes(name));
  }
  return obsolete;
}
