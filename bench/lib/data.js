import { datasets } from 'weft-gpu';
import { testSamples, trainSamples } from './workloads.js';

/**
 * The data of a run: `train` (the first 40,000) and `test` (the first 2,000 of the test set) as bytes,
 * `{ images: [N, 784], labels: [N] }`, a `name` for the table, and `floorShare`, the part of a workload's accuracy floors
 * that these data allow.
 *
 * Fashion-MNIST from `folder` or wherever Weft finds it; without it the built-in garments, and the name says so. More
 * samples than there are begin again with the first.
 */
export async function loadData(folder, wanted = trainSamples) {
  const {
    train,
    test,
    synthetic: drawn,
  } = await datasets.fashionMnist({
    dir: folder,
    fallback: 'synthetic',
    garments: { train: trainSamples, test: testSamples },
  });
  return {
    ...(drawn ? synthetic : { name: 'Fashion-MNIST', floorShare: 1 }),
    train: first(train, wanted),
    test: first(test, testSamples),
  };
}

/** The built-in garments: for pages, which have no files, and wherever Fashion-MNIST is not. */
export function syntheticData(samples = trainSamples) {
  const { train, test } = datasets.garments({ train: samples, test: testSamples });
  return { ...synthetic, train: first(train, samples), test: first(test, testSamples) };
}

/** The garments are harder to tell apart. */
const synthetic = { name: 'synthetic garments, not Fashion-MNIST', floorShare: 0.85 };

function first({ images, labels, height, width }, count) {
  return { images: repeated(images, count * height * width), labels: repeated(labels, count) };
}

function repeated(bytes, length) {
  if (length <= bytes.length) return bytes.slice(0, length);
  const result = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) result.set(bytes.subarray(0, length - at), at);
  return result;
}
