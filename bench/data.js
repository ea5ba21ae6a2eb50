import { datasets } from 'weft';
import { testSamples, trainSamples } from './workloads.js';

/**
 * The data of a run: `train` (the first 40,000) and `test` (the first 2,000 of the test set) as bytes,
 * `{ images: [N, 784], labels: [N] }`, and a `name` for the table.
 *
 * Fashion-MNIST from `folder` or wherever Weft finds it; without it the built-in garments, and the name says so.
 */
export async function loadData(folder) {
  const { train, test, synthetic } = await datasets.fashionMnist({
    dir: folder,
    fallback: 'synthetic',
    garments: { train: trainSamples, test: testSamples },
  });
  const first = ({ images, labels, height, width }, count) => ({
    images: images.slice(0, count * height * width),
    labels: labels.slice(0, count),
  });
  return {
    name: synthetic ? 'synthetic garments, not Fashion-MNIST' : 'Fashion-MNIST',
    train: first(train, trainSamples),
    test: first(test, testSamples),
  };
}
