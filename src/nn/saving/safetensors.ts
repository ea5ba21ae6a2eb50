/**
 * `.safetensors`: eight bytes with the length of a header, the header in JSON, the numbers.
 *
 * Weights are called by their layer's place and their own name: 'dense_1.kernel'.
 */
import { FormatError, ShapeError } from '../../base/errors.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Trainable } from '../training/trainable.ts';
import type { Contents, Found } from './contents.ts';
import { objectAt, parseJson, textAt } from './json.ts';
import { checkFit, layerPlaces, unique } from './places.ts';
import { checkedSize, type Values } from './values.ts';

const LONGEST_HEADER = 100_000_000;

/** Each weight with its layer and its name: 'layers/dense_1' and 'kernel' → 'dense_1.kernel'. */
function namedWeights(model: Trainable): { layer: Layer; weight: Variable; name: string }[] {
  const all = layerPlaces(model).flatMap(({ layer, path, weights }) =>
    weights.map((weight) => ({ layer, weight, path })),
  );
  const parts = (path: string): string[] => path.split('/').filter((part) => !['layers', ''].includes(part));
  const names = unique(all.map(({ path, weight }) => [...parts(path), weight.name].join('.')));
  return all.map(({ layer, weight }, i) => ({ layer, weight, name: names[i] }));
}

export function writeSafetensors({ model, weights }: Contents): Uint8Array {
  const header: Record<string, object> = { __metadata__: { format: 'weft' } };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const { weight, name } of namedWeights(model)) {
    const { shape, data } = weights.get(weight)!;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes.length] };
    parts.push(bytes);
    offset += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces, so that the numbers begin at a multiple of eight bytes.
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(start + offset).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  for (let i = 0, at = start; i < parts.length; at += parts[i++].length) file.set(parts[i], at);
  return file;
}

/** A header's length and an opening brace: nothing else begins so. */
export const isSafetensors = (bytes: Uint8Array): boolean => bytes.length >= 9 && bytes[8] === 0x7b;

export function readSafetensors(bytes: Uint8Array, file: string): Map<string, Values> {
  if (bytes.length < 8) throw new FormatError(`${file}: ${bytes.length} bytes; not a safetensors file.`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > bytes.length)
    throw new FormatError(`${file}: header of ${length} bytes in a file of ${bytes.length}.`);
  const header = objectAt(parseJson(bytes.subarray(8, 8 + length), `${file}, header`), `${file}, header`);
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, Values>();
  const ranges: [number, number, string][] = [];
  for (const [name, given] of Object.entries(header)) {
    const where = `${file}, ${name}`;
    if (name === '__metadata__') {
      // The format's own reader takes a map of texts and nothing else.
      for (const [key, value] of Object.entries(objectAt(given, where))) textAt(value, `${where}, ${key}`);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = objectAt(given, where);
    if (!Array.isArray(shape)) throw new FormatError(`${where}: shape is missing.`);
    const size = checkedSize(shape, where);
    const kind = textAt(dtype, `${where}, dtype`);
    if (!['F32', 'F64', 'I32'].includes(kind))
      throw new FormatError(`${where}: dtype is ${kind}; F32, F64 and I32 are read.`);
    const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [-1, -1];
    if (!(Number.isSafeInteger(begin) && Number.isSafeInteger(end) && 0 <= begin && end <= data.length))
      throw new FormatError(`${where}: data_offsets [${String(offsets)}] lie outside of the file.`);
    if (end - begin !== size * (kind === 'F64' ? 8 : 4))
      throw new FormatError(
        `${where}: data_offsets give ${end - begin} bytes; ${kind} [${shape}] takes others.`,
      );
    ranges.push([begin, end, name]);
    // A copy, since numbers in a file need not be aligned.
    const own = data.slice(begin, end).buffer;
    const values =
      kind === 'F32'
        ? new Float32Array(own)
        : kind === 'I32'
          ? new Int32Array(own)
          : Float32Array.from(new Float64Array(own));
    tensors.set(name, { shape, data: values });
  }
  ranges.sort(([a, b], [c, d]) => a - c || b - d);
  let at = 0;
  for (const [begin, end, name] of ranges) {
    if (begin !== at) throw new FormatError(`${file}, ${name}: data overlap or leave a gap at byte ${at}.`);
    at = end;
  }
  if (at !== data.length)
    throw new FormatError(`${file}: ${data.length - at} bytes at the end belong to no tensor.`);
  return tensors;
}

export function findSafetensors(tensors: Map<string, Values>, model: Trainable, where: string): Found {
  const left = new Map(tensors);
  const weights = namedWeights(model).map(({ layer, weight, name }) => {
    const values = checkFit(left.get(name), weight, layer, `${where}, ${name}`);
    left.delete(name);
    return [weight, values] as const;
  });
  for (const [name, { shape }] of left)
    throw new ShapeError(
      `${where}, ${name}: ${model.name} expects no such weight; found [${shape.join(', ')}].`,
    );
  return { weights, optimizer: null, state: null };
}
