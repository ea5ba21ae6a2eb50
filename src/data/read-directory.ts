/** Datasets of files in folders: `imageDatasetFromDirectory` and `textDatasetFromDirectory`. */
import { ConfigError, FormatError, ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { decodeImage, resized } from './decode-image.ts';
import {
  type Directory,
  type DirectoryOptions,
  directoryOptions,
  type Labelled,
  labelAs,
  labelledFiles,
} from './directory.ts';
import type { NdArray } from './nd-array.ts';
import { Dataset } from './pipeline/dataset.ts';

/** A dataset that knows its files. */
export type DirectoryDataset = Dataset & {
  /** Names of the classes, in the order of their numbers; null where there are none. */
  readonly classNames: readonly string[] | null;
  readonly filePaths: readonly string[];
  /** Paths of the files that could not be read, as they are met; empty unless `skipUnreadable` is given. */
  readonly skipped: string[];
};

export interface ImageDirectoryOptions extends DirectoryOptions {
  /** [height, width] that every picture is brought to; default [256, 256]; null: they must be of one size. */
  readonly imageSize?: readonly [number, number] | null;
  /** Channels: 1, 3 or 4; default 'rgb'. */
  readonly colorMode?: 'grayscale' | 'rgb' | 'rgba';
  /** How values between pixels are found; default 'bilinear'. */
  readonly interpolation?: 'bilinear' | 'nearest';
  /** Whether a picture of another shape is cut at its sides rather than squeezed; default false. */
  readonly cropToAspectRatio?: boolean;
}

const channelsOf = { grayscale: 1, rgb: 3, rgba: 4 } as const;

/**
 * Pictures in folders named after their classes, as Keras's `image_dataset_from_directory`: batches of f32 [n, height, width,
 * channels], 0 to 255, and their classes. PNG, JPEG, GIF, WebP and BMP: in Node through the package `sharp`, in a page through
 * the browser. Pictures are read when they are asked for.
 *
 * Throws ValueError for a folder without pictures, FormatError with the path for a picture that cannot be read (unless
 * `skipUnreadable`), ShapeError for pictures of several sizes where imageSize is null.
 *
 * ```ts
 * const train = await data.imageDatasetFromDirectory('photos', { imageSize: [64, 64], validationSplit: 0.2, subset: 'training', seed: 1 });
 * console.log(train.classNames);
 * await model.fit(train, { epochs: 5 });
 * ```
 */
export async function imageDatasetFromDirectory(
  directory: Directory,
  given?: ImageDirectoryOptions,
): Promise<DirectoryDataset> {
  const called = 'imageDatasetFromDirectory';
  const options = knownOptions<ImageDirectoryOptions>(called, given, [
    ...directoryOptions,
    'imageSize',
    'colorMode',
    'interpolation',
    'cropToAspectRatio',
  ]);
  const {
    imageSize = [256, 256],
    colorMode = 'rgb',
    interpolation = 'bilinear',
    cropToAspectRatio = false,
  } = options;
  const channels = channelsOf[colorMode];
  if (!channels)
    throw new ConfigError(
      `${called}: colorMode is ${JSON.stringify(colorMode)}; expected 'grayscale', 'rgb' or 'rgba'.`,
    );
  if (interpolation !== 'bilinear' && interpolation !== 'nearest')
    throw new ConfigError(
      `${called}: interpolation is ${JSON.stringify(interpolation)}; expected 'bilinear' or 'nearest'.`,
    );
  if (
    imageSize !== null &&
    !(imageSize.length === 2 && imageSize.every((one) => Number.isSafeInteger(one) && one > 0))
  )
    throw new ConfigError(
      `${called}: imageSize is ${JSON.stringify(imageSize)}; expected [height, width], or null.`,
    );
  let first: { readonly shape: string; readonly path: string } | null = null;
  return datasetOf(called, directory, /\.(png|jpe?g|gif|webp|bmp)$/i, options, async (bytes, path) => {
    const image = await decodeImage(bytes, path, channels);
    if (imageSize) return resized(image, imageSize, interpolation, cropToAspectRatio);
    first ??= { shape: String(image.shape), path };
    if (String(image.shape) !== first.shape)
      throw new ShapeError(
        `${called}: ${path} has shape [${image.shape}] and ${first.path} [${first.shape}]; pictures of a batch must be of one size. Give imageSize.`,
      );
    return { data: Float32Array.from(image.data), shape: image.shape };
  });
}

export interface TextDirectoryOptions extends DirectoryOptions {
  /** Longer texts are cut, bytes; default null: none. */
  readonly maxLength?: number | null;
}

/**
 * Texts in folders named after their classes, as Keras's `text_dataset_from_directory`: batches of n texts and their classes.
 * Files end in .txt and hold UTF-8. Errors as at {@link imageDatasetFromDirectory}.
 *
 * ```ts
 * const train = await data.textDatasetFromDirectory('reviews/train');
 * await vectorize.adapt(train.map(([texts]) => texts));
 * await model.fit(train.map(([texts, y]) => [vectorize.apply(texts), y]));
 * ```
 */
export async function textDatasetFromDirectory(
  directory: Directory,
  given?: TextDirectoryOptions,
): Promise<DirectoryDataset> {
  const called = 'textDatasetFromDirectory';
  const options = knownOptions<TextDirectoryOptions>(called, given, [...directoryOptions, 'maxLength']);
  const { maxLength = null } = options;
  if (maxLength !== null && !(Number.isSafeInteger(maxLength) && maxLength > 0))
    throw new ValueError(`${called}: maxLength is ${maxLength}; expected a whole number of bytes, or null.`);
  return datasetOf(called, directory, /\.txt$/i, options, async (bytes, path) => {
    const part = maxLength === null ? bytes : bytes.subarray(0, maxLength);
    try {
      // What was cut may end within a letter.
      return new TextDecoder('utf-8', { fatal: maxLength === null }).decode(part).replace(/\ufffd$/, '');
    } catch (cause) {
      throw new FormatError(`${called}: ${path}: it is no UTF-8 text.`, { cause });
    }
  });
}

async function datasetOf(
  called: string,
  directory: Directory,
  endings: RegExp,
  options: DirectoryOptions,
  decode: (bytes: Uint8Array, path: string) => Promise<NdArray | string>,
): Promise<DirectoryDataset> {
  const { shuffle = true, seed, batchSize = 32, labels = 'inferred', skipUnreadable = false } = options;
  const { labelMode = 'int' } = options;
  if (![null, 'int', 'binary', 'categorical'].includes(labelMode))
    throw new ConfigError(
      `${called}: labelMode is ${JSON.stringify(labelMode)}; expected 'int', 'binary', 'categorical' or null.`,
    );
  const { files, classNames } = await labelledFiles(called, directory, endings, options);
  const skipped: string[] = [];
  const read = async (file: Labelled): Promise<NdArray | string | null> => {
    try {
      return await decode(await file.read(), file.path);
    } catch (error) {
      if (!skipUnreadable || !(error instanceof FormatError)) throw error;
      if (!skipped.includes(file.path)) skipped.push(file.path);
      return null;
    }
  };
  const numbered = Dataset.fromTensorSlices<number>(Float64Array.from(files.keys()));
  const ordered = shuffle ? numbered.shuffle(files.length, seed) : numbered;
  const made = ordered.map(async (i) => ({ value: await read(files[i]), label: files[i].label }));
  const whole = skipUnreadable ? made.filter(({ value }) => value !== null) : made;
  const bare = labels === null || labelMode === null;
  const elements: Dataset = whole.map(({ value, label }) =>
    bare ? value : [value, labelAs(label, labelMode, classNames!.length)],
  );
  const dataset = batchSize === null ? elements : elements.batch(batchSize);
  return Object.assign(dataset as Dataset, { classNames, filePaths: files.map(({ path }) => path), skipped });
}
