/**
 * HDF5 files as plain maps. Model files use a small part of the format, and that is read and written here: the
 * HDF5 library, in WebAssembly, is fifty times the size of all our code, and hostile files make it loop forever.
 */
import { FormatError } from '../../base/errors.ts';
import { needed } from '../../data/needed.ts';
import type { Hdf5 } from './hdf5-contents.ts';
import { parseHdf5 } from './hdf5-reader.ts';
import { formatHdf5 } from './hdf5-writer.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

export const isHdf5 = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** Groups with those of their attributes that `wanted` names (or name0, name1, …), and all arrays. */
export async function readHdf5(bytes: Uint8Array, file: string, wanted: readonly string[]): Promise<Hdf5> {
  if (!isHdf5(bytes)) throw new FormatError(`${file}: not an HDF5 file.`);
  const read = (inflate: Parameters<typeof parseHdf5>[2]): Hdf5 => {
    try {
      return parseHdf5(bytes, wanted, inflate);
    } catch (error) {
      throw new FormatError(`${file}, ${(error as Error).message}.`, { cause: error });
    }
  };
  // Few files are packed, Weft's own never: what unpacks is loaded when a packed chunk is met.
  let isPacked = false;
  try {
    return read(() => {
      isPacked = true;
      throw new Error('packed');
    });
  } catch (error) {
    if (!isPacked) throw error;
  }
  const { unzlibSync } = await needed('fflate', () => import('fflate'));
  return read((packed, out) => unzlibSync(packed, { out }));
}

/** The file that holds these groups and arrays. The same contents make the same bytes. */
export const writeHdf5 = (contents: Hdf5): Uint8Array => formatHdf5(contents);
