/**
 * What `BackupAndRestore` writes: four bytes with the length of a header, four with the CRC-32 of all that follows, the
 * header in JSON, the model's `.weights.h5`, then the tensors that callbacks keep. A run goes on from all of it or from
 * none: bytes that were damaged are never taken for weights. JSON has no NaN and no infinity; here they are
 * `{ "number": "NaN" }`.
 */
import { FormatError } from '../../base/errors.ts';
import { crc32 } from '../../data/zip.ts';
import { tensor } from '../../ops/constant.ts';
import { Tensor } from '../../ops/tensor.ts';
import type { Moment } from './callback.ts';

const KIND = 'weft backup 2';
/** The length of the header, and the checksum. */
const LEAD = 8;
const LONGEST_HEADER = 1 << 28;

interface Header extends Moment {
  readonly kind: typeof KIND;
  readonly modelBytes: number;
}

export async function encodeBackup(moment: Moment, model: Uint8Array): Promise<Uint8Array> {
  const tensors: Uint8Array[] = [];
  const written = async (value: unknown): Promise<unknown> => {
    if (value instanceof Tensor) {
      const data = (await value.data()) as Float32Array;
      tensors.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return { shape: value.shape };
    }
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const one of value) items.push(await written(one));
      return { list: items };
    }
    if (typeof value === 'object' && value !== null) {
      const entries: [string, unknown][] = [];
      for (const [key, one] of Object.entries(value)) entries.push([key, await written(one)]);
      return { entries };
    }
    const isPlain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
    return isPlain ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
  };
  const header: Header = { kind: KIND, modelBytes: model.length, ...moment };
  const text = new TextEncoder().encode(JSON.stringify(await written(header)));
  const parts = [text, model, ...tensors];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, LEAD));
  for (let i = 0, at = LEAD; i < parts.length; at += parts[i++].length) file.set(parts[i], at);
  const lead = new DataView(file.buffer);
  lead.setUint32(0, text.length, true);
  lead.setUint32(4, crc32(file.subarray(LEAD)), true);
  return file;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isMoment({ epoch, step, seen, stopped, callbacks }: Moment): boolean {
  const isSeen = seen === null || [seen.totals, seen.open].every(Array.isArray);
  return (
    isCount(epoch) && isCount(step) && isSeen && typeof stopped === 'boolean' && Array.isArray(callbacks)
  );
}

/** FormatError for what is no backup. */
export function decodeBackup(bytes: Uint8Array, place: string): { moment: Moment; model: Uint8Array } {
  const fail = (reason: string, cause?: unknown): never => {
    throw new FormatError(`backupAndRestore: ${place} is no backup: ${reason}. Remove it to begin anew.`, {
      cause,
    });
  };
  const lead = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LEAD));
  const length = bytes.length < LEAD ? 0 : lead.getUint32(0, true);
  if (length === 0 || length > LONGEST_HEADER || LEAD + length > bytes.length)
    return fail(`${bytes.length} bytes do not hold its header`);
  if (crc32(bytes.subarray(LEAD)) !== lead.getUint32(4, true))
    return fail('its checksum is wrong, so it was damaged or cut off');
  try {
    let at = LEAD + length;
    const take = (count: number): Uint8Array => {
      if (!(count >= 0 && at + count <= bytes.length)) return fail('it ends too early');
      at += count;
      return bytes.subarray(at - count, at);
    };
    let model = new Uint8Array();
    const read = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      const { shape, list, entries, number } = value as Record<string, unknown>;
      if (Array.isArray(list)) return list.map(read);
      if (typeof number === 'string') return Number(number);
      if (Array.isArray(entries)) {
        const pairs: [string, unknown][] = [];
        for (const [key, one] of entries as [string, unknown][]) {
          pairs.push([key, read(one)]);
          // The model comes before what callbacks keep.
          if (key === 'modelBytes') model = take(one as number) as typeof model;
        }
        return Object.fromEntries(pairs);
      }
      const sizes = shape as number[];
      const count = sizes.reduce((product, size) => product * size, 1);
      return tensor(new Float32Array(take(4 * count).slice().buffer), { shape: sizes });
    };
    const header = read(JSON.parse(new TextDecoder().decode(bytes.subarray(LEAD, LEAD + length)))) as Header;
    if (header.kind !== KIND) return fail(`its kind is ${JSON.stringify(header.kind)}`);
    if (!isMoment(header)) return fail('its header does not say where the run stood');
    if (at !== bytes.length) return fail(`${bytes.length - at} bytes are left over`);
    return { moment: header, model };
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return fail((error as Error).message, error);
  }
}
