import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { inputSize, testSamples, trainSamples } from './workloads.js';

/**
 * The data of a run: `train` (the first 40,000) and `test` (the first 2,000 of the test set) as bytes,
 * `{ images: [N, 784], labels: [N] }`, and a `name` for the table.
 *
 * Real Fashion-MNIST when it lies in `folder`, $WEFT_DATA, Debian's or Keras's place; else the built-in synthetic
 * garments, and the name says so.
 */
export async function loadData(folder) {
  const places = [
    folder,
    process.env.WEFT_DATA,
    '/usr/share/datasets/fashion-mnist',
    join(homedir(), '.keras/datasets/fashion-mnist'),
  ];
  const found = places.find((place) => place && existsSync(join(place, 'train-images-idx3-ubyte.gz')));
  return found ? fashionMnist(found) : syntheticGarments();
}

function fashionMnist(folder) {
  const read = (file, header, bytes) =>
    new Uint8Array(gunzipSync(readFileSync(join(folder, file)))).slice(header, header + bytes);
  const part = (prefix, count) => ({
    images: read(`${prefix}-images-idx3-ubyte.gz`, 16, count * inputSize),
    labels: read(`${prefix}-labels-idx1-ubyte.gz`, 8, count),
  });
  return { name: 'Fashion-MNIST', train: part('train', trainSamples), test: part('t10k', testSamples) };
}

async function syntheticGarments() {
  throw new Error(
    'bench: no Fashion-MNIST found. Fix: apt-get install dataset-fashion-mnist, or --data DIR.',
  );
}
