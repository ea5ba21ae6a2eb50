/**
 * Files of a gzipped tar archive, as `tar czf` writes it (POSIX ustar): headers of 512 bytes, each before its file, which is
 * padded to a multiple of 512. Links and anything else that is no plain file are passed over.
 */
import { FormatError } from '../base/errors.ts';
import { isGzip } from './idx.ts';

const BLOCK = 512;

/** The files by their paths; unpacking stops beyond `maxBytes`. */
export async function readTarGz(
  bytes: Uint8Array,
  file: string,
  maxBytes: number,
): Promise<Map<string, Uint8Array>> {
  return readTar(await gunzip(bytes, file, maxBytes), file);
}

async function gunzip(bytes: Uint8Array, file: string, maxBytes: number): Promise<Uint8Array> {
  if (!isGzip(bytes)) throw new FormatError(`${file}, byte 0: it is no gzip file.`);
  const reader = new Blob([bytes as BlobPart])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  const parts: BlobPart[] = [];
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new FormatError(`${file}: it cannot be unpacked: ${cause.message}.`, { cause });
      });
      if (done) break;
      total += value.length;
      if (total > maxBytes) throw new FormatError(`${file}: it unpacks to more than ${maxBytes} bytes.`);
      parts.push(value as BlobPart);
    }
  } finally {
    // After an error the rest is not wanted; after the end this changes nothing.
    reader.cancel().catch(() => {});
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export function readTar(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string => {
    const field = bytes.subarray(at, at + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    if (bytes.subarray(at, at + BLOCK).every((byte) => byte === 0)) break;
    const fail = (reason: string): never => {
      throw new FormatError(`${file}, byte ${at} of the archive: ${reason}`);
    };
    const sizeText = text(at + 124, 12).trim();
    if (!/^[0-7]+$/.test(sizeText)) fail('a header without a size.');
    const size = Number.parseInt(sizeText, 8);
    const sum = Number.parseInt(text(at + 148, 8).trim(), 8);
    // The sum is made with spaces in its own place.
    const found = bytes
      .subarray(at, at + BLOCK)
      .reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (sum !== found) fail(`a header whose sum is ${found}, and says ${sum}.`);
    const from = at + BLOCK;
    if (from + size > bytes.length) fail(`a file of ${size} bytes, but the archive ends before.`);
    const kind = text(at + 156, 1);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    if (kind === '' || kind === '0')
      files.set(prefix ? `${prefix}/${text(at, 100)}` : text(at, 100), bytes.subarray(from, from + size));
    at = from + BLOCK * Math.ceil(size / BLOCK);
  }
  return files;
}
