/**
 * IDX, the format of MNIST and Fashion-MNIST: two zero bytes, a type code, the number of dimensions, each
 * size as a big-endian 32-bit integer, then the elements, last dimension fastest. Plain or gzipped.
 *
 * Source: the description at the foot of yann.lecun.com/exdb/mnist.
 */

import { FormatError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { plainBytes } from '../base/plain-bytes.ts';
import type { NdArray } from './nd-array.ts';

const TYPES: Readonly<Record<number, string>> = {
  8: 'unsigned bytes',
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
};
const UNSIGNED_BYTES = 8;

/** Room for 70,000 images of 28 × 28; a header that promises more is taken for a lie. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface IdxOptions {
  /** Name used in error messages. */
  readonly file?: string;
  /** Number of dimensions expected; any unless given. */
  readonly rank?: number;
  /** Most bytes of data accepted, however small the file is; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped.
 *
 * Decompression stops at the first byte beyond what the header promised, so memory stays below the file
 * plus `maxBytes`. Throws FormatError with file, place and reason for anything else than a whole,
 * exact IDX file. The data of a plain file is a view of `bytes`, not a copy.
 *
 * ```ts
 * const images = await data.parseIdx(new Uint8Array(await file.arrayBuffer()));   // { data, shape }
 * ```
 */
export async function parseIdx(bytes: Uint8Array, given?: IdxOptions): Promise<NdArray<Uint8Array>> {
  const options = knownOptions<IdxOptions>('parseIdx', given, ['file', 'rank', 'maxBytes']);
  const fail: Fail = (place, reason, cause) => {
    throw new FormatError(`parseIdx: ${options.file ?? 'file'}, ${place}: ${reason}`, { cause });
  };
  return isGzip(bytes) ? parseGzipped(bytes, options, fail) : parsePlain(plainBytes(bytes), options, fail);
}

/** An IDX file of unsigned bytes. */
export function encodeIdx({ data, shape }: NdArray<Uint8Array>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, UNSIGNED_BYTES, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, i) => {
    view.setUint32(4 + 4 * i, size);
  });
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

type Fail = (place: string, reason: string, cause?: unknown) => never;

/** Whether the bytes begin with gzip's magic number. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function parsePlain(bytes: Uint8Array, options: IdxOptions, fail: Fail): NdArray<Uint8Array> {
  const header = readHeader(bytes, options, fail);
  if (header === undefined) return fail('the header', `the file ends after ${bytes.length} bytes.`);
  const { shape, headerBytes, dataBytes } = header;
  if (bytes.length !== headerBytes + dataBytes) {
    const found = bytes.length - headerBytes;
    fail(`byte ${headerBytes}`, `[${shape}] takes ${dataBytes} bytes of data, ${found} are there.`);
  }
  return { data: bytes.subarray(headerBytes), shape };
}

async function parseGzipped(
  bytes: Uint8Array,
  options: IdxOptions,
  fail: Fail,
): Promise<NdArray<Uint8Array>> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const reader = blob.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  let start: Uint8Array = new Uint8Array(0);
  let header: Header | undefined;
  let data = new Uint8Array(0);
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader
        .read()
        .catch((cause) => fail('the gzip stream', `${cause.message}.`, cause));
      if (done) break;
      let chunk: Uint8Array = value;
      if (header === undefined) {
        start = concatenate(start, chunk);
        header = readHeader(start, options, fail);
        if (header === undefined) continue;
        data = new Uint8Array(header.dataBytes);
        chunk = start.subarray(header.headerBytes);
      }
      if (filled + chunk.length > header.dataBytes) {
        fail(
          `byte ${header.headerBytes}`,
          `[${header.shape}] takes ${header.dataBytes} bytes of data, more follow.`,
        );
      }
      data.set(chunk, filled);
      filled += chunk.length;
    }
  } finally {
    // After an error the rest is not wanted; after the end this changes nothing.
    reader.cancel().catch(() => {});
  }
  if (header === undefined) return fail('the header', `the contents end after ${start.length} bytes.`);
  const { shape, headerBytes, dataBytes } = header;
  if (filled !== dataBytes)
    fail(`byte ${headerBytes}`, `[${shape}] takes ${dataBytes} bytes of data, ${filled} are there.`);
  return { data, shape };
}

interface Header {
  readonly shape: number[];
  readonly headerBytes: number;
  readonly dataBytes: number;
}

/** The header, or undefined while it is not complete. */
function readHeader(
  bytes: Uint8Array,
  { rank, maxBytes = MAX_BYTES }: IdxOptions,
  fail: Fail,
): Header | undefined {
  if (bytes.length < 4) return undefined;
  const [zero0, zero1, type, dimensions] = bytes;
  if (zero0 !== 0 || zero1 !== 0) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const hint = zero0 === 0x3c ? ' It looks like an HTML page.' : '';
    fail('byte 0', `found ${found}, expected 00 00 08 and the number of dimensions.${hint}`);
  }
  if (type !== UNSIGNED_BYTES) {
    fail(
      'byte 2',
      `found type ${type} (${TYPES[type] ?? 'unknown'}), expected ${UNSIGNED_BYTES} (${TYPES[UNSIGNED_BYTES]}).`,
    );
  }
  if (dimensions === 0 || (rank !== undefined && dimensions !== rank)) {
    fail('byte 3', `found ${dimensions} dimensions, expected ${rank ?? 'at least 1'}.`);
  }
  const headerBytes = 4 + 4 * dimensions;
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const dataBytes = shape.reduce((product, size) => product * size, 1);
  if (dataBytes > maxBytes)
    fail('byte 4', `[${shape}] takes ${dataBytes} bytes, more than the ${maxBytes} allowed.`);
  return { shape, headerBytes, dataBytes };
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
