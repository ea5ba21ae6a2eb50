/** `model.loadWeights`: numbers for a model that is there already. */
import { FormatError, StateError } from '../../base/errors.ts';
import { isZip } from '../../data/zip.ts';
import type { Trainable } from '../training/trainable.ts';
import { type Found, restore } from './contents.ts';
import { type FileSource, type OpenFile, openFile } from './files.ts';
import { isHdf5 } from './hdf5.ts';
import { readKerasArchive } from './keras-archive.ts';
import { findLegacyWeights, isLegacy, readAnyH5 } from './legacy-h5.ts';
import { findSafetensors, isSafetensors, readSafetensors } from './safetensors.ts';
import { findTfjsWeights, readTfjs } from './tfjs.ts';
import { findWeights } from './weights-h5.ts';

export async function loadWeightsFrom(model: Trainable, source: FileSource): Promise<void> {
  if (!model.built)
    throw new StateError(
      `loadWeights: ${model.name} is not built. Give it an input layer, so that its weights are known.`,
    );
  const file = await openFile(source, 'loadWeights');
  await restore(model, await findIn(file, model), file.name, { strict: false });
}

async function findIn(file: OpenFile, model: Trainable): Promise<Found> {
  const { name, bytes } = file;
  if (isZip(bytes)) {
    const { weights, weightsPlace } = await readKerasArchive(bytes, name);
    return findWeights(weights, model, weightsPlace);
  }
  if (isHdf5(bytes)) {
    const tree = await readAnyH5(bytes, name);
    return isLegacy(tree) ? findLegacyWeights(tree, model, name) : findWeights(tree, model, name);
  }
  if (looksLikeJson(bytes)) return findTfjsWeights(await readTfjs(file), model, name);
  if (isSafetensors(bytes)) return findSafetensors(readSafetensors(bytes, name), model, name);
  throw unknownFormat(file);
}

/** TensorFlow.js's files begin with a brace. */
export const looksLikeJson = (bytes: Uint8Array): boolean =>
  /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)));

export const unknownFormat = ({ name, bytes }: OpenFile): FormatError =>
  new FormatError(
    `${name}: ${bytes.length} bytes of no known format; expected a .keras, .h5, .weights.h5, .safetensors or TensorFlow.js model.json file.`,
  );
