/** Small texts that outlive the program: files in Node, IndexedDB in a page and its workers. */
import { cacheFolder, diskFileStore, type FileStore } from './file-store.ts';

export interface TextStore {
  /** Where a text lies, for messages. */
  place(name: string): string;
  /** The text of this name, or undefined. Rejects when it cannot be read, or is larger than {@link MOST_BYTES}. */
  read(name: string): Promise<string | undefined>;
  /** All or nothing: whoever reads at the same time sees the old text or the whole new one. */
  write(name: string, text: string): Promise<void>;
}

/** A text beyond this size was not written by us. */
export const MOST_BYTES = 4 << 20;

/** The texts of one kind (`'tuning'`), or undefined where nothing can be kept. */
export function textStore(kind: string): TextStore | undefined {
  const disk = diskFileStore();
  if (disk) return fileTexts(disk, disk.join(cacheFolder(disk), kind));
  return globalThis.indexedDB ? databaseTexts(globalThis.indexedDB, kind) : undefined;
}

/** Texts as the files of a folder. */
export function fileTexts(disk: FileStore, folder: string): TextStore {
  const place = (name: string): string => disk.join(folder, name);
  return {
    place,
    async read(name) {
      const bytes = await disk.read(place(name), MOST_BYTES);
      return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    },
    write: (name, text) => disk.write(place(name), new TextEncoder().encode(text)),
  };
}

const TEXTS = 'texts';

/** Texts in the database `weft` of this origin. */
function databaseTexts(factory: IDBFactory, kind: string): TextStore {
  const key = (name: string): string => `${kind}/${name}`;

  async function within<T>(
    mode: IDBTransactionMode,
    act: (texts: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    const opening = factory.open('weft', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TEXTS);
    const database = await outcome(opening);
    try {
      const transaction = database.transaction(TEXTS, mode);
      const result = await outcome(act(transaction.objectStore(TEXTS)));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      return result;
    } finally {
      database.close();
    }
  }

  return {
    place: (name) => `IndexedDB weft/${key(name)}`,
    async read(name) {
      const found: unknown = await within('readonly', (texts) => texts.get(key(name)));
      return typeof found === 'string' ? found : undefined;
    },
    async write(name, text) {
      await within('readwrite', (texts) => texts.put(text, key(name)));
    },
  };
}

const outcome = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
