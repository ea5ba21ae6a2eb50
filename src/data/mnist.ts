import { knownOptions } from '../base/options.ts';
import { type PublishedOptions, publishedOptions } from './find-published.ts';
import type { ImageDataset } from './labelled-images.ts';
import { loadPublished } from './load-published.ts';
import { MNIST } from './published.ts';

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits.
 *
 * images: [count, 28, 28] u8, 0 is paper; labels: [count] u8. Searched, downloaded, checked and kept as
 * `fashionMnist` is, in folders called `mnist`, and with the same errors. Keras's `mnist.npz` does as well as the
 * four files, also where Keras itself keeps it (`~/.keras/datasets`).
 *
 * ```ts
 * const { train, test } = await datasets.mnist({ dir: 'data' });
 * ```
 */
export async function mnist(options?: PublishedOptions): Promise<ImageDataset> {
  return loadPublished(MNIST, knownOptions<PublishedOptions>('mnist', options, publishedOptions));
}
