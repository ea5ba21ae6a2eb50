/** Keras publishes MNIST as one npz file; here it becomes again the four IDX files it was made from. */

import { FormatError } from '../base/errors.ts';
import type { PublishedFile } from './download.ts';
import { encodeIdx } from './idx.ts';
import { parseNpz } from './npz.ts';
import type { PublishedDataset } from './published.ts';

/** The four files of a data set as IDX, with the place in the archive that each comes from. */
export async function unpackArchive(
  bytes: Uint8Array,
  path: string,
  { train, test }: PublishedDataset,
): Promise<Map<PublishedFile, { path: string; bytes: Uint8Array }>> {
  const parts: [string, PublishedFile][] = [
    ['y_train', train.labels],
    ['x_train', train.images],
    ['y_test', test.labels],
    ['x_test', test.images],
  ];
  // Beside the data each array has a header of about 128 bytes.
  const maxBytes = parts.reduce((sum, [, file]) => sum + file.plain.bytes + 1024, 0);
  const arrays = await parseNpz(bytes, { file: path, maxBytes });
  return new Map(
    parts.map(([name, file]) => {
      const array = arrays[name];
      const place = `${path}, ${name}.npy`;
      if (!array) throw new FormatError(`${path}: there is no ${name}.npy in it.`);
      if (!(array.data instanceof Uint8Array)) {
        throw new FormatError(`${place}: ${array.data.constructor.name} elements, expected unsigned bytes.`);
      }
      return [file, { path: place, bytes: encodeIdx({ data: array.data, shape: array.shape }) }];
    }),
  );
}
