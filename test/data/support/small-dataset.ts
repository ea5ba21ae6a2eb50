/** A published data set of a few 28 × 28 images, with a disk and a network in memory. */

import type { FileStore } from '../../../src/base/file-store.ts';
import { type PublishedFile, sha256 } from '../../../src/data/download.ts';
import type { Surroundings } from '../../../src/data/find-published.ts';
import type { PublishedDataset } from '../../../src/data/published.ts';
import { counting, encodeIdx, gzip } from './idx-files.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface SmallDataset {
  readonly dataset: PublishedDataset;
  /** Contents by file name, gzipped (`….gz`) and plain. */
  readonly contents: ReadonlyMap<string, Bytes>;
  /** The four names, gzipped. */
  readonly names: readonly string[];
}

export async function smallDataset(): Promise<SmallDataset> {
  const contents = new Map<string, Bytes>();
  const publish = async (name: string, plain: Bytes): Promise<PublishedFile> => {
    const packed = await gzip(plain);
    contents.set(name, plain);
    contents.set(`${name}.gz`, packed);
    const fingerprint = async (bytes: Bytes) => ({ bytes: bytes.length, sha256: await sha256(bytes) });
    return { name: `${name}.gz`, gzip: await fingerprint(packed), plain: await fingerprint(plain) };
  };
  const dataset: PublishedDataset = {
    name: 'Small',
    folder: 'small',
    classNames: ['zero', 'one', 'two'],
    height: 28,
    width: 28,
    train: {
      images: await publish('train-images', encodeIdx([5, 28, 28], counting(5 * 784))),
      labels: await publish('train-labels', encodeIdx([5], Uint8Array.of(0, 1, 2, 1, 0))),
    },
    test: {
      images: await publish('test-images', encodeIdx([2, 28, 28], counting(2 * 784).reverse())),
      labels: await publish('test-labels', encodeIdx([2], Uint8Array.of(2, 1))),
    },
    mirrors: ['https://first.test/data', 'https://second.test/'],
    advice: 'Ask a friend.',
  };
  return { dataset, contents, names: [...contents.keys()].filter((name) => name.endsWith('.gz')) };
}

/** A disk in memory. */
export class MemoryFiles implements FileStore {
  readonly files = new Map<string, Uint8Array>();
  full = false;

  join(...parts: string[]): string {
    return parts.join('/').replace(/\/+/g, '/');
  }
  home(): string {
    return '/home/user';
  }
  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const bytes = this.files.get(path);
    if (bytes && bytes.length > maxBytes)
      throw new RangeError(`${bytes.length} bytes, expected at most ${maxBytes}`);
    return bytes;
  }
  async write(path: string, bytes: Uint8Array): Promise<void> {
    if (this.full) throw new Error('ENOSPC');
    this.files.set(path, bytes.slice());
  }
  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }

  /** Puts all files of a data set into a folder, but those named. */
  put(folder: string, { contents, names }: SmallDataset, except: string[] = []): void {
    for (const name of names)
      if (!except.includes(name)) this.files.set(`${folder}/${name}`, contents.get(name)!.slice());
  }
}

/** A network in memory that serves a data set below some base URLs; `requests` tells what was asked for. */
export function network({ contents }: SmallDataset, bases: readonly string[]) {
  const requests: string[] = [];
  const fetch = async (input: string | URL | Request): Promise<Response> => {
    const url = String(input);
    requests.push(url);
    const base = bases.find((start) => url.startsWith(start));
    const bytes = base && contents.get(url.slice(base.length).replace(/^\//, ''));
    return bytes
      ? new Response(bytes)
      : new Response('no such file', { status: 404, statusText: 'Not Found' });
  };
  return { fetch: fetch as typeof globalThis.fetch, requests };
}

export function surroundings(
  files: FileStore | undefined,
  fetch: typeof globalThis.fetch,
  variables: Record<string, string> = {},
): Surroundings {
  return { files, fetch, environment: (name) => variables[name] };
}
