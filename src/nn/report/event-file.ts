/**
 * TensorBoard's event files: records of an event each, framed as TFRecords, the events in protocol buffers
 * (tensorflow/core/util/event.proto, tsl/lib/io/record_writer.h).
 */

/** CRC-32C of bytes (Castagnoli's polynomial, reflected). */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** A checksum that may itself be checksummed: rotated right by 15, plus a constant. */
const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** Length (u64), its checksum, the bytes, their checksum; all little endian. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, masked(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return record;
}

// ---- protocol buffers: a field is its number and wire type, then the value

const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;
const FLOAT = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

const tag = (field: number, type: number): number[] => varint(field * 8 + type);

const bytesField = (field: number, bytes: ArrayLike<number>): number[] => [
  ...tag(field, BYTES),
  ...varint(bytes.length),
  ...Array.from(bytes),
];

const textField = (field: number, text: string): number[] =>
  bytesField(field, new TextEncoder().encode(text));

function floatingField(field: number, value: number, type: typeof DOUBLE | typeof FLOAT): number[] {
  const view = new DataView(new ArrayBuffer(type === DOUBLE ? 8 : 4));
  if (type === DOUBLE) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return [...tag(field, type), ...new Uint8Array(view.buffer)];
}

/** What an event file begins with. `seconds`: since 1970. */
export const firstEvent = (seconds: number): Uint8Array =>
  tfRecord(Uint8Array.from([...floatingField(1, seconds, DOUBLE), ...textField(3, 'brain.Event:2')]));

/** Numbers at one step: Event { wall_time, step, summary { value { tag, simple_value } … } }. */
export function scalarEvent(
  seconds: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).flatMap(([name, value]) =>
    bytesField(1, [...textField(1, name), ...floatingField(2, value, FLOAT)]),
  );
  return tfRecord(
    Uint8Array.from([
      ...floatingField(1, seconds, DOUBLE),
      ...tag(2, VARINT),
      ...varint(step),
      ...bytesField(5, values),
    ]),
  );
}
