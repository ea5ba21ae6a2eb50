/**
 * The door to the file formats. They make models of files, so no model may import them: models/index.ts, which knows both,
 * hangs it in.
 */
import { StateError } from '../../base/errors.ts';
import type { Trainable } from '../training/trainable.ts';
import type { Savable } from './describe-model.ts';
import type { FileSource, FileTarget } from './files.ts';
import type { FileFormat, SaveOptions } from './save.ts';

/** What models ask of them. */
export interface Formats {
  loadWeightsFrom(model: Trainable, source: FileSource): Promise<void>;
  saveTo(
    model: Savable,
    target: FileTarget,
    options: SaveOptions | undefined,
    operation: 'save' | 'saveWeights',
  ): Promise<void>;
  toBytes(model: Savable, format?: FileFormat): Promise<Uint8Array>;
}

export const files: { formats(): Promise<Formats> } = {
  formats: async () => {
    throw new StateError('weft: nothing reads or writes files. Import models from the package.');
  },
};
