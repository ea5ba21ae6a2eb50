/**
 * Pictures kept in this browser's own file system (OPFS), so that they need no network next time. One
 * `.npz` for each source: it is read by the same parser as any other file, checksums included.
 */
import { data as parsers } from 'weft-gpu';
import { arraysIn, type NamedArray, type Pictures, picturesIn } from './data.ts';
import { DATA_SOURCES, type DataSource, SIDE } from './protocol.ts';

const FOLDER = 'weft-playground';

const fileName = (source: DataSource): string => `${source}.npz`;

/** Null where there is no such file system: in a page from disk, or in a private window. */
async function folder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create: true });
  } catch {
    return null;
  }
}

/** Sources that can be opened without files or network. */
export async function keptSources(): Promise<DataSource[]> {
  const kept: DataSource[] = [];
  const home = await folder();
  for (const source of DATA_SOURCES) {
    const handle = await home?.getFileHandle(fileName(source)).catch(() => null);
    if (handle) kept.push(source);
  }
  return kept;
}

/** The kept pictures, or null. A damaged file is deleted, and null too. */
export async function openKept(source: DataSource): Promise<Pictures | null> {
  const home = await folder();
  const handle = await home?.getFileHandle(fileName(source)).catch(() => null);
  if (!home || !handle) return null;
  try {
    const file = await handle.getFile();
    const arrays = await arraysIn({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    const name = arrays.find((array) => array.name.endsWith(', name'));
    const pictures = await picturesIn(arrays.filter((array) => array !== name));
    return { ...pictures, source, name: name ? textOf(name) : pictures.name };
  } catch {
    await forget(source);
    return null;
  }
}

const textOf = ({ data }: NamedArray): string => new TextDecoder().decode(Uint8Array.from(data));

/** Keeps pictures under their source; false where there is no room or no file system. */
export async function keep({ source, name, images, labels, count }: Pictures): Promise<boolean> {
  const home = await folder();
  if (!home) return false;
  try {
    const text = new TextEncoder().encode(name);
    const bytes = await parsers.encodeNpz({
      name: { data: text, shape: [text.length] },
      images: { data: images, shape: [count, SIDE, SIDE] },
      labels: { data: labels, shape: [count] },
    });
    // What is written takes the file's place when it is closed, all at once.
    const stream = await (await home.getFileHandle(fileName(source), { create: true })).createWritable();
    await stream.write(bytes as Uint8Array<ArrayBuffer>);
    await stream.close();
    return true;
  } catch {
    return false;
  }
}

export async function forget(source: DataSource): Promise<void> {
  await (await folder())?.removeEntry(fileName(source)).catch(() => {});
}
