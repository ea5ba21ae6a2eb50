/** NumPy's `.npz`: a zip archive of `.npy` files. */

import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { NdArray } from './nd-array.ts';
import { encodeNpy, type NpyOptions, parseNpy } from './npy.ts';
import { readZip, writeZip } from './zip.ts';

export interface NpzOptions extends NpyOptions {
  /** Most bytes that the archive may unpack to; three times its size and 16 MiB unless given. */
  readonly maxBytes?: number;
}

/**
 * Reads the arrays of an `.npz` file, as `numpy.savez` and `savez_compressed` write them, by name.
 *
 * Dtypes as at `parseNpy`. Throws FormatError naming file, entry and reason for anything that is broken, unsafe
 * or no array. Needs the package `fflate`.
 *
 * ```ts
 * const { x_train, y_train } = await data.parseNpz(await readFile('mnist.npz'));
 * ```
 */
export async function parseNpz(bytes: Uint8Array, options?: NpzOptions): Promise<Record<string, NdArray>> {
  const { file = 'file', maxBytes } = knownOptions<NpzOptions>('parseNpz', options, ['file', 'maxBytes']);
  const entries = await readZip(bytes, `parseNpz: ${file}`, maxBytes);
  // Without a prototype, so that an array may have any name and no name finds anything else.
  const arrays: Record<string, NdArray> = Object.create(null);
  for (const [name, content] of entries) {
    arrays[name.replace(/\.npy$/, '')] = parseNpy(content, { file: `${file}, ${name}` });
  }
  return arrays;
}

/**
 * Writes arrays as an uncompressed `.npz` file that `numpy.load` reads. Needs the package `fflate`.
 *
 * ```ts
 * await writeFile('split.npz', await data.encodeNpz({ x, y: { data: labels, shape: [labels.length] } }));
 * ```
 */
export async function encodeNpz(arrays: Readonly<Record<string, NdArray>>): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = Object.create(null);
  for (const [name, array] of Object.entries(arrays)) {
    if (!/^[^/\\:]+$/.test(name) || name === '..') {
      throw new ValueError(`encodeNpz: ${JSON.stringify(name)} is no name for an array.`);
    }
    files[`${name}.npy`] = encodeNpy(array);
  }
  return writeZip(files);
}
