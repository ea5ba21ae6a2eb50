/**
 * Files that lie in folders named after their classes, as Keras's `…_dataset_from_directory` has them: on disk, or in a page
 * as the files that a visitor gave.
 */
import { ConfigError, UnsupportedError, ValueError } from '../base/errors.ts';
import { builtin } from '../base/platform.ts';
import { RandomState } from './random-state.ts';

/** A folder's path in Node; in a page its files (of `<input webkitdirectory>`), or a handle of it. */
export type Directory = string | Iterable<File> | FileSystemDirectoryHandle;

export interface DirectoryOptions {
  /** 'inferred' (default): the class is the folder's; null: none; or a number for each file, in the order of their paths. */
  readonly labels?: 'inferred' | null | ArrayLike<number>;
  /** 'int' (default): class numbers; 'binary': 0 or 1 as [n, 1]; 'categorical': a row for each; null: none. */
  readonly labelMode?: 'int' | 'binary' | 'categorical' | null;
  /** The folders, in the order of the class numbers; default: all, by name. */
  readonly classNames?: readonly string[] | null;
  /** Files of a batch; default 32; null: single ones. */
  readonly batchSize?: number | null;
  /** Whether files come in another order in each pass; default true. */
  readonly shuffle?: boolean;
  /** Of the order, and of what is for validation; needed where there is a validationSplit and files are shuffled. */
  readonly seed?: number;
  /** Share of the files that is for validation; default null: none. */
  readonly validationSplit?: number | null;
  /** Which part is wanted. */
  readonly subset?: 'training' | 'validation' | null;
  /** Files that cannot be read are passed over, and named in `skipped`; default false: they are errors. */
  readonly skipUnreadable?: boolean;
}

export const directoryOptions = [
  'labels',
  'labelMode',
  'classNames',
  'batchSize',
  'shuffle',
  'seed',
  'validationSplit',
  'subset',
  'skipUnreadable',
] as const satisfies readonly (keyof DirectoryOptions)[];

/** A file that can be read. */
export interface Listed {
  readonly path: string;
  read(): Promise<Uint8Array>;
}

export interface Labelled extends Listed {
  /** Its class; 0 where there are none. */
  readonly label: number;
}

/** The files with their classes, shuffled once where that is asked for, and of them the part that is wanted. */
export async function labelledFiles(
  called: string,
  directory: Directory,
  endings: RegExp,
  options: DirectoryOptions,
): Promise<{ readonly files: readonly Labelled[]; readonly classNames: readonly string[] | null }> {
  const { labels = 'inferred', classNames = null, shuffle = true, seed, validationSplit = null } = options;
  const { subset = null, labelMode = 'int' } = options;
  if ((validationSplit === null) !== (subset === null))
    throw new ConfigError(
      `${called}: ${validationSplit === null ? `subset is '${subset}'` : `validationSplit is ${validationSplit}`}; give validationSplit and subset together, or neither.`,
    );
  if (validationSplit !== null && !(validationSplit > 0 && validationSplit < 1))
    throw new ValueError(
      `${called}: validationSplit is ${validationSplit}; expected a share between 0 and 1.`,
    );
  if (validationSplit !== null && shuffle && seed === undefined)
    throw new ConfigError(
      `${called}: with validationSplit the two parts must be shuffled alike. Give a seed, or shuffle: false.`,
    );
  if (labels !== 'inferred' && classNames !== null)
    throw new ConfigError(
      `${called}: classNames are those of folders; with labels of your own leave them out.`,
    );
  const all = (await filesOf(called, directory)).filter(({ path }) => endings.test(path));
  if (all.length === 0)
    throw new ValueError(
      `${called}: there is no file that ends in ${endings.source.replace(/[\\^$()]/g, '')} in it.`,
    );
  const byPath = (a: Listed, b: Listed): number => (a.path < b.path ? -1 : 1);

  let found: Labelled[];
  let names: readonly string[] | null = null;
  if (labels === 'inferred') {
    const folder = ({ path }: Listed): string => path.split('/')[0];
    const folders = [...new Set(all.filter(({ path }) => path.includes('/')).map(folder))]
      .filter((name) => !name.startsWith('.'))
      .sort();
    const unknown = classNames?.find((name) => !folders.includes(name));
    if (unknown !== undefined)
      throw new ConfigError(
        `${called}: classNames has ${JSON.stringify(unknown)}; the folders are ${folders.join(', ')}.`,
      );
    names = classNames ?? folders;
    if (names.length === 0)
      throw new ValueError(
        `${called}: files must lie in folders, one for each class. For files without classes, labels: null.`,
      );
    found = names.flatMap((name, label) =>
      all
        .filter((file) => file.path.startsWith(`${name}/`))
        .sort(byPath)
        .map((file) => ({ ...file, label })),
    );
  } else {
    const sorted = all.sort(byPath);
    if (labels !== null && labels.length !== sorted.length)
      throw new ValueError(
        `${called}: ${labels.length} labels for ${sorted.length} files; expected one for each.`,
      );
    if (labels !== null) names = namesOf(labels, called);
    found = sorted.map((file, i) => ({ ...file, label: labels === null ? 0 : labels[i] }));
  }
  if (labelMode === 'binary' && names?.length !== 2)
    throw new ConfigError(
      `${called}: labelMode 'binary' is for two classes; there are ${names?.length ?? 'no'}.`,
    );
  // As Keras, by NumPy's generator, so that the parts are the same files.
  if (shuffle && seed !== undefined) found = new RandomState(seed).shuffle(found);
  if (validationSplit !== null) {
    const held = Math.trunc(validationSplit * found.length);
    if (held === 0)
      throw new ValueError(`${called}: validationSplit ${validationSplit} of ${found.length} files is none.`);
    found = subset === 'training' ? found.slice(0, -held) : found.slice(-held);
  }
  return { files: found, classNames: names };
}

/** The numbers of classes as their names: 0 to the greatest. */
function namesOf(labels: ArrayLike<number>, called: string): string[] {
  const all = Array.from(labels);
  const bad = all.findIndex((label) => !Number.isSafeInteger(label) || label < 0);
  if (bad >= 0)
    throw new ValueError(`${called}: label ${all[bad]} of file ${bad}; expected whole numbers from 0.`);
  const count = all.reduce((most, label) => Math.max(most, label), -1) + 1;
  return Array.from({ length: count }, (_, label) => String(label));
}

/** Every file, with its path from the folder. */
async function filesOf(called: string, directory: Directory): Promise<Listed[]> {
  if (typeof directory === 'string') return onDisk(called, directory);
  if (
    typeof directory !== 'object' ||
    directory === null ||
    !('kind' in directory || Symbol.iterator in directory)
  )
    throw new ValueError(`${called}: expected a folder's path, its files, or a handle of it.`);
  if ('kind' in directory) return inHandle(directory, '');
  return [...directory].map((file) => ({
    // The first part of a path is the name of the folder that was chosen.
    path: file.webkitRelativePath.replace(/^[^/]+\//, '') || file.name,
    read: async () => new Uint8Array(await file.arrayBuffer()),
  }));
}

async function onDisk(called: string, folder: string): Promise<Listed[]> {
  const fs = builtin<typeof import('node:fs/promises')>('node:fs/promises');
  const path = builtin<typeof import('node:path')>('node:path');
  if (!fs || !path)
    throw new UnsupportedError(
      `${called}: a page has no folders by name. Give the files that a visitor chose.`,
    );
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new ValueError(`${called}: the folder ${folder} cannot be read: ${cause.message}.`, { cause });
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const whole = path.join(entry.parentPath, entry.name);
      return {
        path: path.relative(folder, whole).split(path.sep).join('/'),
        read: async () => new Uint8Array(await fs.readFile(whole)),
      };
    });
}

async function inHandle(handle: FileSystemDirectoryHandle, before: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for await (const [name, entry] of handle.entries()) {
    const path = `${before}${name}`;
    if (entry.kind === 'directory')
      found.push(...(await inHandle(entry as FileSystemDirectoryHandle, `${path}/`)));
    else
      found.push({
        path,
        read: async () =>
          new Uint8Array(await (await (entry as FileSystemFileHandle).getFile()).arrayBuffer()),
      });
  }
  return found;
}

/** A label in the form that is wanted. */
export function labelAs(
  label: number,
  mode: DirectoryOptions['labelMode'],
  classes: number,
): number | { data: Float32Array; shape: number[] } {
  if (mode === 'binary') return { data: Float32Array.of(label), shape: [1] };
  if (mode !== 'categorical') return label;
  const data = new Float32Array(classes);
  data[label] = 1;
  return { data, shape: [classes] };
}
