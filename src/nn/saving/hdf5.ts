/**
 * HDF5 files as plain maps, by h5wasm: the HDF5 library itself, in WebAssembly. It is loaded when the first
 * such file is read or written, and sees only a file system in memory, so that links to other files lead
 * nowhere.
 */
import { FormatError } from '../../base/errors.ts';
import { needed } from '../../data/needed.ts';
import { checkedSize, narrowed, type Values } from './values.ts';

export type Attribute = string | readonly string[];

/** A file: paths without a leading slash, '' the root. */
export interface Hdf5 {
  /** Attributes of groups. A group is there when it has an entry, which may be empty. */
  readonly groups: Map<string, Readonly<Record<string, Attribute>>>;
  readonly arrays: Map<string, Values>;
}

type Library = typeof import('h5wasm');
type FileSystem = NonNullable<Library['FS']>;

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const DEEPEST = 16;
const MOST_OBJECTS = 100_000;
/** Data may be twice as large as their file, where it is packed, and this much more. */
const UNPACKED_BYTES = 16 << 20;

export const isHdf5 = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

let loading: Promise<{ library: Library; files: FileSystem }> | null = null;
let made = 0;

/** The library, from the first use on. A failure to load it is not kept. */
function loaded(): Promise<{ library: Library; files: FileSystem }> {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(): Promise<{ library: Library; files: FileSystem }> {
  const library = await needed('h5wasm', () => import('h5wasm'));
  const { FS: files } = await library.ready;
  // The library prints a stack of its own for each error; ours says what matters. Descriptor 2 is stderr.
  files.close((files as unknown as { streams: FS.FSStream[] }).streams[2]);
  files.open('/dev/null', 'w');
  return { library, files };
}

/** Groups with those of their attributes that `wanted` names, and all arrays. */
export async function readHdf5(bytes: Uint8Array, file: string, wanted: readonly string[]): Promise<Hdf5> {
  if (!isHdf5(bytes)) throw new FormatError(`${file}: not an HDF5 file.`);
  const { library, files } = await loaded();
  const name = `/${++made}.h5`;
  files.writeFile(name, bytes, { canOwn: true } as object);
  let open: InstanceType<Library['File']> | null = null;
  try {
    open = new library.File(name, 'r');
    if (Number(open.file_id) < 0) throw new FormatError(`${file}: damaged or cut off; HDF5 cannot open it.`);
    return read(library, open, bytes.length, file, wanted);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${file}: damaged: ${(error as Error).message}`, { cause: error });
  } finally {
    if (open && Number(open.file_id) >= 0) open.close();
    files.unlink(name);
  }
}

function read(
  library: Library,
  open: InstanceType<Library['File']>,
  fileBytes: number,
  file: string,
  wanted: readonly string[],
): Hdf5 {
  const tree: Hdf5 = { groups: new Map(), arrays: new Map() };
  let bytes = 0;
  const visit = (group: InstanceType<Library['Group']>, path: string, depth: number): void => {
    const place = `${file}, ${path || '/'}`;
    if (depth > DEEPEST) throw new FormatError(`${place}: groups are nested more than ${DEEPEST} deep.`);
    tree.groups.set(path, attributes(library, group, wanted, place));
    for (const key of group.keys()) {
      const inner = path ? `${path}/${key}` : key;
      const where = `${file}, ${inner}`;
      if (tree.groups.size + tree.arrays.size > MOST_OBJECTS)
        throw new FormatError(`${file}: holds more than ${MOST_OBJECTS} objects.`);
      const entity = group.get(key);
      if (entity instanceof library.Group) visit(entity, inner, depth + 1);
      else if (entity instanceof library.Dataset) {
        const shape = [...(entity.shape ?? [0])];
        bytes += checkedSize(shape, where) * entity.metadata.size;
        if (bytes > 2 * fileBytes + UNPACKED_BYTES)
          throw new FormatError(`${where}: shape [${shape.join(', ')}] needs more data than the file has.`);
        tree.arrays.set(inner, { shape, data: arrayOf(entity, shape, where) });
      } else throw new FormatError(`${where}: is a link or another thing that model files do not have.`);
    }
  };
  visit(open, '', 0);
  return tree;
}

function attributes(
  library: Library,
  group: InstanceType<Library['Group']>,
  wanted: readonly string[],
  where: string,
): Record<string, Attribute> {
  const found: Record<string, Attribute> = {};
  for (const name of library.Module.get_attribute_names(group.file_id, group.path) as unknown as string[]) {
    if (!wanted.some((one) => name === one || (name.startsWith(one) && /^\d+$/.test(name.slice(one.length)))))
      continue;
    const value = group.get_attribute(name, false);
    // Keras writes an empty list as an array of no numbers.
    if (ArrayBuffer.isView(value) && value.byteLength === 0) found[name] = [];
    else if (typeof value === 'string' || (Array.isArray(value) && value.every((x) => typeof x === 'string')))
      found[name] = value as Attribute;
    else throw new FormatError(`${where}: attribute ${name} is neither text nor a list of texts.`);
  }
  return found;
}

function arrayOf(
  dataset: InstanceType<Library['Dataset']>,
  shape: readonly number[],
  where: string,
): Float32Array | Int32Array {
  const { type, size, total_size: total } = dataset.metadata;
  // Classes 0 and 1 are integers and floats. Half precision has no array to be read into.
  if (!(type === 0 && size <= 8) && !(type === 1 && (size === 4 || size === 8)))
    throw new FormatError(`${where}: holds neither float32 or float64 nor integers.`);
  const value = dataset.value;
  const listed =
    typeof value === 'number'
      ? type === 0
        ? Int32Array.of(value)
        : Float32Array.of(value)
      : typeof value === 'bigint'
        ? BigInt64Array.of(value)
        : value;
  const data = narrowed(listed, where);
  if (data.length !== shape.reduce((a, b) => a * b, 1))
    throw new FormatError(`${where}: has ${data.length} values; its shape says ${total}.`);
  return data;
}

/** The file that holds these groups and arrays. Groups on the way to an array are made as needed. */
export async function writeHdf5({ groups, arrays }: Hdf5): Promise<Uint8Array> {
  const { library, files } = await loaded();
  const name = `/${++made}.h5`;
  const open = new library.File(name, 'w');
  try {
    const known = new Set<string>(['']);
    const group = (path: string): void => {
      if (known.has(path)) return;
      group(parent(path));
      open.create_group(path);
      known.add(path);
    };
    for (const [path, own] of groups) {
      group(path);
      const at = path === '' ? open : open.get(path);
      for (const [key, value] of Object.entries(own)) {
        if (!(at instanceof library.Group)) throw new Error(`no group ${path}`);
        if (value.length === 0) at.create_attribute(key, new Float64Array(0), [0]);
        else at.create_attribute(key, value as string | string[]);
      }
    }
    for (const [path, { shape, data }] of arrays) {
      group(parent(path));
      open.create_dataset({ name: path, data, shape: [...shape] });
    }
  } finally {
    open.close();
  }
  const bytes = files.readFile(name);
  files.unlink(name);
  return bytes;
}

const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
