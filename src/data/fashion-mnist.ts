import { ConfigError, DownloadError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { type PublishedOptions, publishedOptions } from './find-published.ts';
import { type GarmentsOptions, garments } from './garments/index.ts';
import type { ImageDataset } from './labelled-images.ts';
import { loadPublished } from './load-published.ts';
import { FASHION_MNIST } from './published.ts';

export interface FashionMnistOptions extends PublishedOptions {
  /** `'synthetic'`: when the data set can be neither found nor downloaded, draw garments instead. */
  readonly fallback?: 'synthetic';
  /** Sizes and seed of those garments. */
  readonly garments?: GarmentsOptions;
}

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of garments in ten classes.
 *
 * images: [count, 28, 28] u8, 0 is background; labels: [count] u8.
 *
 * Looked for in `dir`, which must have it when given; else in `WEFT_DATA`, the user's cache
 * (`$XDG_CACHE_HOME` or `~/.cache`, in `weft/datasets`), `/usr/share/datasets/fashion-mnist` (Debian's
 * package `dataset-fashion-mnist`) and `~/.keras/datasets/fashion-mnist`; else downloaded (31 MB), checked
 * by sha256 and kept in the cache. In a page it is fetched from `url`.
 *
 * Throws FormatError for a damaged file, DownloadError when there is none to be had (unless
 * `fallback` is given), ValueError when `dir` lacks files, AbortError when `signal` fires.
 *
 * ```ts
 * const { train, test, classNames } = await datasets.fashionMnist({ fallback: 'synthetic' });
 * const images = tensor(train.images, { shape: [train.count, 28, 28] });
 * ```
 */
export async function fashionMnist(given?: FashionMnistOptions): Promise<ImageDataset> {
  const known = [...publishedOptions, 'fallback', 'garments'] as const;
  const options = knownOptions<FashionMnistOptions>('fashionMnist', given, known);
  const { fallback } = options;
  if (fallback !== undefined && fallback !== 'synthetic') {
    throw new ConfigError(`fashionMnist: fallback is '${fallback}', expected 'synthetic' or nothing.`);
  }
  try {
    return await loadPublished(FASHION_MNIST, options);
  } catch (error) {
    if (error instanceof DownloadError && fallback) return garments(options.garments);
    throw error;
  }
}
