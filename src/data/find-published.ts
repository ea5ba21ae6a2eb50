/**
 * Finds a published data set: in a folder that was named, on this machine, or on the network.
 *
 * What a person names is taken at their word and only has to be sound; what we downloaded ourselves is
 * checked against its checksum each time it is opened.
 */

import { DownloadError, FormatError, UnsupportedError, ValueError } from '../base/errors.ts';
import { cacheFolder, diskFileStore, type FileStore } from '../base/file-store.ts';
import { environment } from '../base/platform.ts';
import { type DownloadProgress, download, type PublishedFile, sha256 } from './download.ts';
import { isGzip } from './idx.ts';
import type { PublishedFiles } from './published.ts';

export interface PublishedOptions {
  /**
   * Folder with the four files, gzipped or plain, or with a folder of the data set's name that has them.
   * When given, nothing else is searched, and files that are missing are an error.
   */
  readonly dir?: string;
  /** Base URL to fetch the four `.gz` files from, instead of the official mirrors. A page gives its own. */
  readonly url?: string;
  /** Whether to download when the files are not on this machine; true unless given. */
  readonly download?: boolean;
  /** Called as bytes arrive, and once with 0 bytes as each request begins. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Longest silence of a server in milliseconds; 10,000 unless given. */
  readonly stallMs?: number;
  /** Longest time for one file in milliseconds; 15 minutes unless given. */
  readonly deadlineMs?: number;
}

/** Their names. */
export const publishedOptions = [
  'dir',
  'url',
  'download',
  'onProgress',
  'signal',
  'stallMs',
  'deadlineMs',
] as const satisfies readonly (keyof PublishedOptions)[];

/** What the search touches outside this library; tests bring their own. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  /** Undefined in a page. */
  readonly files: FileStore | undefined;
  readonly environment: (name: string) => string | undefined;
}

export const surroundings = (): Surroundings => ({
  fetch: globalThis.fetch.bind(globalThis),
  files: diskFileStore(),
  environment,
});

/** The bytes of the files, gzipped or plain, each with its path or URL. */
export interface Found {
  readonly source: string;
  readonly files: ReadonlyMap<PublishedFile, FoundFile>;
}

interface FoundFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Finds the files; the order of the search is said at `fashionMnist`. */
export async function find(
  dataset: PublishedFiles,
  options: PublishedOptions,
  around: Surroundings,
): Promise<Found> {
  const { files: disk, environment } = around;
  if (options.dir !== undefined) {
    if (disk) return findIn(options.dir, dataset, disk);
    throw new UnsupportedError(`${dataset.name}: dir needs a file system. In a page, give { url }.`);
  }
  if (!disk) return fetchMissing(dataset, options, around, new Map());

  const look = async (folder: string) => (await readFolder(folder, dataset, disk)).found;
  const given = environment('WEFT_DATA');
  if (given) {
    const found = (await look(disk.join(given, dataset.folder))) ?? (await look(given));
    if (found) return found;
  }
  const cache = new Cache(dataset, disk, environment);
  const cached = await cache.readAll();
  if (cached.size === dataset.files.length) return { source: cache.folder, files: cached };
  const shared = [
    disk.join('/usr/share/datasets', dataset.folder), // Debian's package
    disk.join(disk.home(), '.keras', 'datasets', dataset.folder),
    disk.join(disk.home(), '.keras', 'datasets'),
  ];
  for (const folder of shared) {
    const found = await look(folder);
    if (found) return found;
  }
  return fetchMissing(dataset, options, around, cached, cache);
}

/** The files of a folder that a person named; missing ones are an error. */
async function findIn(dir: string, dataset: PublishedFiles, disk: FileStore): Promise<Found> {
  const inside = await readFolder(disk.join(dir, dataset.folder), dataset, disk);
  if (inside.found) return inside.found;
  const { found, missing } = await readFolder(dir, dataset, disk);
  if (found) return found;
  throw new ValueError(
    `${dataset.name}: the folder ${dir} lacks ${missing.join(', ')}. Put ${missing.length > 1 ? 'the files there, gzipped or plain' : 'it there'}${dataset.archive ? `, or ${dataset.archive.file.name}` : ''}.`,
  );
}

async function readFolder(
  folder: string,
  dataset: PublishedFiles,
  disk: FileStore,
): Promise<{ found?: Found; missing: string[] }> {
  const files = new Map<PublishedFile, FoundFile>();
  const missing: string[] = [];
  for (const file of dataset.files) {
    const found = await readEither(folder, file, disk);
    if (found) files.set(file, found);
    else missing.push(file.name);
  }
  if (missing.length === 0) return { found: { source: folder, files }, missing };
  const { archive } = dataset;
  const packed = archive && (await readEither(folder, archive.file, disk));
  if (!packed) return { missing };
  const unpacked = await archive.unpack(packed.bytes, packed.path);
  return { found: { source: packed.path, files: unpacked }, missing };
}

const plainName = (file: PublishedFile) =>
  file.gzip.sha256 === file.plain.sha256 ? file.name : file.name.replace(/\.gz$/, '');

/** A file under its gzipped or its plain name. */
async function readEither(
  folder: string,
  file: PublishedFile,
  disk: FileStore,
): Promise<FoundFile | undefined> {
  for (const name of [file.name, plainName(file)]) {
    const path = disk.join(folder, name);
    try {
      // Nothing that unpacks to the plain size is larger than it by more than gzip's own frame.
      const bytes = await disk.read(path, file.plain.bytes + 64 * 1024);
      if (bytes) return { path, bytes };
    } catch (cause) {
      throw new FormatError(`${path}: cannot be read: ${(cause as Error).message}.`, { cause });
    }
  }
  return undefined;
}

/** What we downloaded earlier. Every copy is checked when it is opened; a damaged one is deleted. */
class Cache {
  readonly folder: string;
  readonly damaged: string[] = [];
  private readonly dataset: PublishedFiles;
  private readonly disk: FileStore;

  constructor(dataset: PublishedFiles, disk: FileStore, environment: Surroundings['environment']) {
    this.dataset = dataset;
    this.disk = disk;
    this.folder = disk.join(cacheFolder(disk, environment), 'datasets', dataset.folder);
  }

  async readAll(): Promise<Map<PublishedFile, FoundFile>> {
    const files = new Map<PublishedFile, FoundFile>();
    for (const file of this.dataset.files) {
      const found = await readEither(this.folder, file, this.disk).catch(() => undefined);
      if (!found) continue;
      const expected = isGzip(found.bytes) ? file.gzip : file.plain;
      if ((await sha256(found.bytes)) === expected.sha256) files.set(file, found);
      else await this.discard(found.path);
    }
    return files.size < this.dataset.files.length ? ((await this.readArchive()) ?? files) : files;
  }

  private async readArchive(): Promise<Map<PublishedFile, FoundFile> | undefined> {
    const { archive } = this.dataset;
    const found = archive && (await readEither(this.folder, archive.file, this.disk).catch(() => undefined));
    if (!found) return undefined;
    if ((await sha256(found.bytes)) === archive.file.plain.sha256)
      return archive.unpack(found.bytes, found.path);
    await this.discard(found.path);
    return undefined;
  }

  /** A cache that cannot be written (a full disk, a read-only home) costs a download next time, no more. */
  async write(file: PublishedFile, bytes: Uint8Array): Promise<void> {
    const name = isGzip(bytes) ? file.name : plainName(file);
    await this.disk.write(this.disk.join(this.folder, name), bytes).catch(() => {});
  }

  private async discard(path: string): Promise<void> {
    this.damaged.push(path);
    await this.disk.remove(path).catch(() => {});
  }
}

/** Downloads what is not there yet, each file from the first mirror that delivers it. */
async function fetchMissing(
  dataset: PublishedFiles,
  options: PublishedOptions,
  { fetch }: Surroundings,
  present: ReadonlyMap<PublishedFile, FoundFile>,
  cache?: Cache,
): Promise<Found> {
  const damaged = cache?.damaged.length ? ` (damaged and deleted: ${cache.damaged.join(', ')})` : '';
  if (options.download === false) {
    throw new DownloadError(
      `${dataset.name}: not found on this machine${damaged}, and download is off. ${dataset.advice}`,
    );
  }
  const bases = (options.url === undefined ? dataset.mirrors : [options.url]).map((base) =>
    base.replace(/\/*$/, '/'),
  );
  const source = (base: string) => (cache ? `${base} (kept in ${cache.folder})` : base);
  const failures: DownloadError[] = [];
  const fetchFrom = async (bases: readonly string[], file: PublishedFile): Promise<FoundFile | undefined> => {
    for (const base of bases) {
      const path = base + file.name;
      try {
        const bytes = await download(path, file, { ...options, fetch });
        await cache?.write(file, bytes);
        return { path, bytes };
      } catch (error) {
        if (!(error instanceof DownloadError)) throw error;
        failures.push(error);
      }
    }
    return undefined;
  };

  const files = new Map(present);
  for (const file of dataset.files) {
    const found = files.get(file) ?? (await fetchFrom(bases, file));
    if (!found) break;
    files.set(file, found);
  }
  if (files.size === dataset.files.length) return { source: source(bases[0]), files };
  const { archive } = dataset;
  const base = options.url === undefined ? archive?.mirror : bases[0];
  const found = archive && base && (await fetchFrom([base], archive.file));
  if (found) return { source: source(base), files: await archive.unpack(found.bytes, found.path) };
  const reasons = failures.map(({ message }) => `\n  ${message}`).join('');
  throw new DownloadError(
    `${dataset.name}: not found on this machine${damaged} and not downloaded:${reasons}\n${dataset.advice}`,
    { cause: failures[0] },
  );
}
