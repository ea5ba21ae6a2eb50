/** Pictures from their files: in Node through the package `sharp`, in a page through the browser. */
import { FormatError } from '../base/errors.ts';
import { isNode } from '../base/platform.ts';
import type { NdArray } from './nd-array.ts';
import { needed } from './needed.ts';

/** A picture's bytes [height, width, channels], 0 to 255; channels: 1, 3 or 4. */
export async function decodeImage(
  bytes: Uint8Array,
  path: string,
  channels: 1 | 3 | 4,
): Promise<NdArray<Uint8Array>> {
  const { data, width, height } = isNode ? await throughSharp(bytes, path) : await throughCanvas(bytes, path);
  const count = width * height;
  const pixels = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4);
    // Grey as TensorFlow has it.
    if (channels === 1) pixels[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else pixels.set(channels === 3 ? [r, g, b] : [r, g, b, a], i * channels);
  }
  return { data: pixels, shape: [height, width, channels] };
}

interface Pixels {
  /** Red, green, blue and opacity of each. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

const unreadable = (path: string, cause: unknown): FormatError =>
  new FormatError(`${path}: the picture cannot be read: ${(cause as Error).message}.`, { cause });

async function throughSharp(bytes: Uint8Array, path: string): Promise<Pixels> {
  // By a name that bundlers do not follow: a page has no use for it.
  const name = 'sharp';
  const { default: sharp } = await needed(
    name,
    (): Promise<{ default: typeof import('sharp')['default'] }> => import(/* @vite-ignore */ name),
  );
  try {
    const { data, info } = await sharp(bytes)
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function throughCanvas(bytes: Uint8Array, path: string): Promise<Pixels> {
  try {
    const bitmap = await createImageBitmap(new Blob([bytes as BlobPart]), {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    });
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { data: context.getImageData(0, 0, width, height).data, width, height };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** A picture brought to [height, width], as Keras resizes: pixels are squares, and what lies outside is the nearest inside. */
export function resized(
  { data, shape }: NdArray,
  [height, width]: readonly [number, number],
  how: 'bilinear' | 'nearest',
  crop: boolean,
): NdArray<Float32Array> {
  const [fullHeight, fullWidth, channels] = shape;
  let [top, left, h, w] = [0, 0, fullHeight, fullWidth];
  if (crop) {
    // The largest part in the middle that has the target's shape.
    h = Math.min(fullHeight, Math.max(1, Math.trunc((fullWidth * height) / width)));
    w = Math.min(fullWidth, Math.max(1, Math.trunc((fullHeight * width) / height)));
    top = Math.trunc((fullHeight - h) / 2);
    left = Math.trunc((fullWidth - w) / 2);
  }
  const y = new Float32Array(height * width * channels);
  const at = (row: number, column: number, c: number): number =>
    data[((top + row) * fullWidth + left + column) * channels + c];
  const along = (i: number, size: number, target: number): [number, number, number] => {
    const place = ((i + 0.5) * size) / target - 0.5;
    if (how === 'nearest') {
      const nearest = Math.min(size - 1, Math.floor(((i + 0.5) * size) / target));
      return [nearest, nearest, 0];
    }
    const low = Math.floor(place);
    const inside = (j: number): number => Math.min(size - 1, Math.max(0, j));
    return [inside(low), inside(low + 1), place - low];
  };
  for (let i = 0; i < height; i++) {
    const [r0, r1, dr] = along(i, h, height);
    for (let j = 0; j < width; j++) {
      const [c0, c1, dc] = along(j, w, width);
      for (let c = 0; c < channels; c++) {
        const upper = at(r0, c0, c) * (1 - dc) + at(r0, c1, c) * dc;
        const lower = at(r1, c0, c) * (1 - dc) + at(r1, c1, c) * dc;
        y[(i * width + j) * channels + c] = upper * (1 - dr) + lower * dr;
      }
    }
  }
  return { data: y, shape: [height, width, channels] };
}
