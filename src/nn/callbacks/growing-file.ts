/** Files that grow while a model trains: on disk in Node, through handles in a page. */
import { ConfigError, SaveError } from '../../base/errors.ts';
import { builtin } from '../../base/platform.ts';
import { describe } from '../names.ts';

/** A path in Node, or a handle (of the user's or the origin's own file system) in a page. */
export type GrowingTarget = string | FileSystemFileHandle;
/** A folder's path in Node, or its handle in a page. */
export type FolderTarget = string | FileSystemDirectoryHandle;

/** What is appended is in the file when the promise resolves. */
export interface GrowingFile {
  readonly isEmpty: boolean;
  append(content: string | Uint8Array): Promise<void>;
}

const disk = () => builtin<typeof import('node:fs/promises')>('node:fs/promises');
const paths = () => builtin<typeof import('node:path')>('node:path');

/** Opens a file to add to; what it holds already stays when `keep` is true. SaveError when that is not possible. */
export async function growingFile(
  target: GrowingTarget,
  keep: boolean,
  operation: string,
): Promise<GrowingFile> {
  const fs = disk();
  if (typeof target === 'string' && fs) {
    const append = (content: string | Uint8Array): Promise<void> =>
      saving(target, operation, () => fs.appendFile(target, content));
    await saving(target, operation, () => fs.writeFile(target, '', { flag: keep ? 'a' : 'w' }));
    return { isEmpty: (await fs.stat(target)).size === 0, append };
  }
  if (typeof target === 'object' && target !== null && 'createWritable' in target) {
    const append = (content: string | Uint8Array): Promise<void> =>
      saving(target.name, operation, async () => {
        const { size } = await target.getFile();
        const stream = await target.createWritable({ keepExistingData: true });
        await stream.seek(size);
        await stream.write(content as string);
        await stream.close();
      });
    if (!keep) await saving(target.name, operation, async () => (await target.createWritable()).close());
    return { isEmpty: (await target.getFile()).size === 0, append };
  }
  throw new ConfigError(
    `${operation}: file is ${describe(target)}; expected a path in Node, or a file's handle.`,
  );
}

/** Makes folders, and in the last one a new file. */
export async function newFileIn(
  folder: FolderTarget,
  inner: string,
  name: string,
  operation: string,
): Promise<GrowingFile> {
  const [fs, path] = [disk(), paths()];
  if (typeof folder === 'string' && fs && path) {
    const place = path.join(folder, inner);
    await saving(place, operation, () => fs.mkdir(place, { recursive: true }));
    return growingFile(path.join(place, name), false, operation);
  }
  if (typeof folder === 'object' && folder !== null && 'getDirectoryHandle' in folder) {
    const create = { create: true };
    const file = await (await folder.getDirectoryHandle(inner, create)).getFileHandle(name, create);
    return growingFile(file, false, operation);
  }
  throw new ConfigError(
    `${operation}: folder is ${describe(folder)}; expected a path in Node, or a folder's handle.`,
  );
}

async function saving(place: string, operation: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    throw new SaveError(`${operation}: ${place} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
