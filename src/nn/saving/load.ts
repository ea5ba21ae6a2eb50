/** `loadModel`, without the file formats: they are loaded when the first file is read. */
import { loaded } from '../../base/loaded.ts';
import type { Functional } from '../models/functional.ts';
import type { Sequential } from '../models/sequential.ts';
import type { FileSource } from './files.ts';
import type { LoadOptions } from './load-model.ts';

/**
 * The model in a file: `.keras`, `.h5` (Keras 3 and tf.keras 2), or TensorFlow.js's `model.json`. The file's
 * contents decide, not its name.
 *
 * `source`: a path in Node; an address, a Blob or File, the handle of a file, or files dropped together in a
 * page; bytes in both. The model comes compiled as it was, with its optimizer's state and its random numbers,
 * so that training goes on as if it had not stopped.
 *
 * Throws LoadError for a file that cannot be read, FormatError or ShapeError, naming file and place, for one
 * that is not what it should be.
 *
 * ```ts
 * await model.save('garments.keras');
 * const again = await loadModel('garments.keras');
 * ```
 */
export async function loadModel(source: FileSource, options?: LoadOptions): Promise<Sequential | Functional> {
  const { readModel } = await loaded('weft: the file formats', import('./formats.ts'));
  return readModel(source, options);
}
