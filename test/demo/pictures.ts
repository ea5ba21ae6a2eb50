/** Small files of pictures, as a user would drop them. */
import { gzipSync } from 'node:zlib';
import { datasets } from 'weft-gpu';

/** An IDX file of bytes. */
export function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, 8, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, i) => {
    view.setUint32(4 + 4 * i, size);
  });
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

export interface PictureFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Drawn garments as a pair of IDX files. */
export function idxFiles(count = 600): PictureFile[] {
  const { train } = datasets.garments({ train: count, test: 1, seed: 5 });
  return [
    { name: 'my-images-idx3-ubyte.gz', bytes: gzipSync(idx([count, 28, 28], train.images)) },
    { name: 'my-labels-idx1-ubyte', bytes: idx([count], train.labels) },
  ];
}

/** A picture of a class, PIXELS numbers from 0 to 1. */
export function drawn(label: number): Float32Array {
  const { train } = datasets.garments({ train: 100, test: 1, seed: 9 });
  const at = train.labels.indexOf(label);
  return Float32Array.from(train.images.subarray(at * 784, (at + 1) * 784), (byte) => byte / 255);
}
