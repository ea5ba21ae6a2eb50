/**
 * Reads the part of HDF5 that model files are written in (format specification, version 3.0). Every offset is
 * checked against the file before it is followed and no structure is visited twice, so that a hostile file
 * ends in an error: the HDF5 library in WebAssembly runs into endless loops and wild addresses with them.
 *
 * Read are: superblocks 0 to 3, object headers 1 and 2, groups as symbol tables or as links in their header,
 * data that are compact, contiguous, or in chunks by a version 1 B-tree, deflated and shuffled or not; integers,
 * floats of 32 and 64 bits, strings.
 */
import { FormatError } from '../../base/errors.ts';
import type { Attribute, Hdf5 } from './hdf5-contents.ts';
import { checkedSize, narrowed } from './values.ts';

/** Something in the file is not as it should be; the caller adds where. */
export class Hdf5Fault extends Error {}

const fault = (why: string): never => {
  throw new Hdf5Fault(why);
};

const UNDEFINED = -1;
const DEEPEST = 16;
const MOST_OBJECTS = 100_000;
/** Data may be twice as large as their file, where they are packed, and this much more. */
const UNPACKED_BYTES = 16 << 20;

type Inflate = (packed: Uint8Array, out: Uint8Array) => Uint8Array;

/** Little-endian numbers at addresses, each checked. */
class Bytes {
  readonly all: Uint8Array;
  private readonly view: DataView;

  constructor(all: Uint8Array) {
    this.all = all;
    this.view = new DataView(all.buffer, all.byteOffset, all.length);
  }

  private checked(at: number, count: number): number {
    if (!(at >= 0 && count >= 0 && at + count <= this.all.length))
      fault(`reaches to byte ${at + count} of ${this.all.length}`);
    return at;
  }

  u8 = (at: number): number => this.view.getUint8(this.checked(at, 1));
  u16 = (at: number): number => this.view.getUint16(this.checked(at, 2), true);
  u32 = (at: number): number => this.view.getUint32(this.checked(at, 4), true);

  /** An address or a length; all ones mean none. */
  u64(at: number): number {
    const value = this.view.getBigUint64(this.checked(at, 8), true);
    if (value === 0xffffffffffffffffn) return UNDEFINED;
    return value > 2n ** 52n ? fault(`has an address or size of ${value}`) : Number(value);
  }

  /** 1, 2, 4 or 8 bytes. */
  sized(at: number, size: number): number {
    return size === 1 ? this.u8(at) : size === 2 ? this.u16(at) : size === 4 ? this.u32(at) : this.u64(at);
  }

  slice(at: number, count: number): Uint8Array {
    this.checked(at, count);
    return this.all.subarray(at, at + count);
  }

  signature(at: number, expected: string): void {
    const found = String.fromCharCode(...this.slice(at, 4));
    if (found !== expected) fault(`expected ${expected} at byte ${at}`);
  }
}

interface Message {
  readonly type: number;
  readonly shared: boolean;
  readonly at: number;
  readonly size: number;
}

interface DataType {
  readonly kind: 'integer' | 'float' | 'string' | 'strings elsewhere' | 'other';
  readonly size: number;
  readonly signed: boolean;
  readonly bigEndian: boolean;
}

interface Filter {
  readonly id: number;
  readonly parameter: number;
}

/** Groups, attributes and arrays of a file. Throws Hdf5Fault with the path in front. */
export function parseHdf5(all: Uint8Array, wanted: readonly string[], inflate: Inflate): Hdf5 {
  return new Reader(all, wanted, inflate).read();
}

class Reader {
  private readonly bytes: Bytes;
  private readonly wanted: readonly string[];
  private readonly inflate: Inflate;
  private readonly tree: Hdf5 = { groups: new Map(), arrays: new Map() };
  /** Addresses of headers and nodes: each has one place. */
  private readonly visited = new Set<number>();
  private readonly heaps = new Map<number, Map<number, Uint8Array>>();
  private dataBytes = 0;

  constructor(all: Uint8Array, wanted: readonly string[], inflate: Inflate) {
    this.bytes = new Bytes(all);
    this.wanted = wanted;
    this.inflate = inflate;
  }

  read(): Hdf5 {
    this.object(this.rootAddress(), '', 0);
    return this.tree;
  }

  private rootAddress(): number {
    const { bytes } = this;
    const version = bytes.u8(8);
    if (version > 3) fault(`superblock of version ${version}; 0 to 3 are read`);
    const old = version < 2;
    if (bytes.u8(old ? 13 : 9) !== 8 || bytes.u8(old ? 14 : 10) !== 8) fault('addresses are not of 8 bytes');
    const base = old ? 24 + 4 * version : 12;
    if (bytes.u64(base) !== 0) fault('the file begins with a user block');
    const end = bytes.u64(base + 16);
    if (end > bytes.all.length) fault(`cut off: ${bytes.all.length} bytes of ${end}`);
    return bytes.u64(old ? base + 40 : base + 24);
  }

  private once(address: number): number {
    if (this.visited.has(address)) fault(`byte ${address} is reached twice`);
    if (this.visited.size > MOST_OBJECTS) fault(`more than ${MOST_OBJECTS} objects`);
    this.visited.add(address);
    return address;
  }

  /** A group or an array. Faults inside get its path. */
  private object(address: number, path: string, depth: number): void {
    try {
      if (depth > DEEPEST) fault(`groups are nested more than ${DEEPEST} deep`);
      const messages = this.messages(this.once(address));
      if (messages.some(({ type }) => type === 0x08)) this.tree.arrays.set(path, this.array(messages));
      else {
        this.tree.groups.set(path, this.attributes(messages));
        for (const [name, child] of this.links(messages))
          this.object(child, path === '' ? name : `${path}/${name}`, depth + 1);
      }
    } catch (error) {
      const isFault = error instanceof Hdf5Fault || error instanceof FormatError;
      if (!isFault || error.message.startsWith('/')) throw error;
      throw new Hdf5Fault(`/${path}: ${error.message.replace(/\.$/, '')}`);
    }
  }

  // ---- object headers

  private messages(address: number): Message[] {
    const { bytes } = this;
    const found: Message[] = [];
    const blocks: [at: number, size: number][] = [];
    const second = bytes.u32(address) === 0x5244484f; // OHDR
    let prefix = 8;
    if (second) {
      const flags = bytes.u8(address + 5);
      const at = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const width = 1 << (flags & 3);
      blocks.push([at + width, bytes.sized(at, width)]);
      prefix = flags & 4 ? 6 : 4;
    } else {
      if (bytes.u8(address) !== 1) fault(`object header of version ${bytes.u8(address)}; 1 and 2 are read`);
      blocks.push([address + 16, bytes.u32(address + 8)]);
    }
    for (let block = blocks.shift(); block; block = blocks.shift()) {
      let [at, left] = block;
      bytes.slice(at, left);
      while (left >= prefix) {
        const type = second ? bytes.u8(at) : bytes.u16(at);
        const size = bytes.u16(at + (second ? 1 : 2));
        const flags = bytes.u8(at + (second ? 3 : 4));
        if (prefix + size > left) {
          // The end of a block may be a gap too small for a message.
          if (second && type === 0) break;
          fault('a message of an object header is cut off');
        }
        const message = { type, shared: (flags & 2) !== 0, at: at + prefix, size };
        if (type === 0x10) blocks.push(this.continuation(message, second));
        else found.push(message);
        at += prefix + size;
        left -= prefix + size;
      }
    }
    return found;
  }

  private continuation({ at }: Message, second: boolean): [number, number] {
    const { bytes } = this;
    const address = this.once(bytes.u64(at));
    const size = bytes.u64(at + 8);
    if (!second) return [address, size];
    bytes.signature(address, 'OCHK');
    return [address + 4, size - 8];
  }

  // ---- groups

  private links(messages: readonly Message[]): [name: string, address: number][] {
    const { bytes } = this;
    const found: [string, number][] = [];
    for (const { type, at } of messages) {
      if (type === 0x11) this.symbolTable(bytes.u64(at), this.localHeap(bytes.u64(at + 8)), 16, found);
      if (type === 0x06) found.push(this.link(at));
      if (type === 0x02 && bytes.u64(at + 2 + (bytes.u8(at + 1) & 1 ? 8 : 0)) !== UNDEFINED)
        fault('links are kept in a fractal heap, which is not read');
    }
    return found;
  }

  /** Where names stand: their bytes. */
  private localHeap(address: number): Uint8Array {
    const { bytes } = this;
    bytes.signature(address, 'HEAP');
    return bytes.slice(bytes.u64(address + 24), bytes.u64(address + 8));
  }

  private symbolTable(address: number, names: Uint8Array, below: number, found: [string, number][]): void {
    const { bytes } = this;
    const { level, entries } = this.treeNode(address, 0, below);
    for (let i = 0; i < entries; i++) {
      const child = bytes.u64(address + 24 + 16 * i + 8);
      if (level > 0) this.symbolTable(child, names, level, found);
      else this.symbols(child, names, found);
    }
  }

  private treeNode(address: number, type: number, below: number): { level: number; entries: number } {
    const { bytes } = this;
    bytes.signature(this.once(address), 'TREE');
    const level = bytes.u8(address + 5);
    if (bytes.u8(address + 4) !== type || level >= below) fault('a tree has a wrong node');
    return { level, entries: bytes.u16(address + 6) };
  }

  private symbols(address: number, names: Uint8Array, found: [string, number][]): void {
    const { bytes } = this;
    bytes.signature(this.once(address), 'SNOD');
    const count = bytes.u16(address + 6);
    for (let i = 0; i < count; i++) {
      const at = address + 8 + 40 * i;
      const start = bytes.u64(at);
      const end = names.indexOf(0, start);
      if (start < 0 || end < 0) fault('a name lies outside of its heap');
      const name = new TextDecoder().decode(names.subarray(start, end));
      if (bytes.u32(at + 16) === 2) fault(`${name} is a link`);
      found.push([this.goodName(name), bytes.u64(at + 8)]);
    }
  }

  private link(at: number): [string, number] {
    const { bytes } = this;
    const flags = bytes.u8(at + 1);
    let next = at + 2;
    const type = flags & 8 ? bytes.u8(next++) : 0;
    if (flags & 4) next += 8;
    if (flags & 16) next++;
    const width = 1 << (flags & 3);
    const length = bytes.sized(next, width);
    const name = new TextDecoder().decode(bytes.slice(next + width, length));
    if (type !== 0) fault(`${name} is a link`);
    return [this.goodName(name), bytes.u64(next + width + length)];
  }

  private goodName(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/'))
      fault(`has a member called ${JSON.stringify(name)}`);
    return name;
  }

  // ---- attributes

  private attributes(messages: readonly Message[]): Record<string, Attribute> {
    const { bytes } = this;
    const found: Record<string, Attribute> = {};
    for (const { type, shared, at } of messages) {
      if (type === 0x15) {
        const flags = bytes.u8(at + 1);
        if (bytes.u64(at + 2 + (flags & 1 ? 2 : 0)) !== UNDEFINED)
          fault('attributes are kept in a fractal heap, which is not read');
      }
      if (type !== 0x0c || shared) continue;
      const version = bytes.u8(at);
      if (version < 1 || version > 3) fault(`attribute of version ${version}; 1 to 3 are read`);
      const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
      const [nameSize, typeSize, spaceSize] = [2, 4, 6].map((offset) => bytes.u16(at + offset));
      const nameAt = at + (version === 3 ? 9 : 8);
      const name = text(bytes.slice(nameAt, nameSize));
      if (!this.wanted.some((one) => name.startsWith(one) && /^\d*$/.test(name.slice(one.length)))) continue;
      const typeAt = nameAt + padded(nameSize);
      const spaceAt = typeAt + padded(typeSize);
      if (version > 1 && bytes.u8(at + 1) !== 0) fault(`attribute ${name} has a shared type`);
      found[name] = this.texts(
        this.dataType(typeAt),
        this.dataSpace(spaceAt),
        spaceAt + padded(spaceSize),
        name,
      );
    }
    return found;
  }

  private texts(type: DataType, shape: readonly number[], at: number, name: string): Attribute {
    const { bytes } = this;
    const count = checkedSize(shape, `attribute ${name}`);
    // Keras writes an empty list as an array of no numbers.
    if (count === 0) return [];
    if (type.kind !== 'string' && type.kind !== 'strings elsewhere')
      fault(`attribute ${name} is neither text nor a list of texts`);
    bytes.slice(at, count * type.size);
    const all = Array.from({ length: count }, (_, i) => {
      const start = at + i * type.size;
      if (type.kind === 'string') return text(bytes.slice(start, type.size));
      const size = bytes.u32(start);
      return size === 0 ? '' : text(this.heapObject(bytes.u64(start + 4), bytes.u32(start + 12)));
    });
    return shape.length === 0 ? all[0] : all;
  }

  private heapObject(address: number, index: number): Uint8Array {
    const { bytes } = this;
    let heap = this.heaps.get(address);
    if (!heap) {
      heap = new Map();
      bytes.signature(address, 'GCOL');
      const end = address + bytes.u64(address + 8);
      for (let at = address + 16; at + 16 <= end; ) {
        const size = bytes.u64(at + 8);
        const id = bytes.u16(at);
        if (id === 0) break;
        heap.set(id, bytes.slice(at + 16, size));
        at += 16 + Math.ceil(size / 8) * 8;
      }
      this.heaps.set(address, heap);
    }
    return heap.get(index) ?? fault(`text ${index} of the heap at byte ${address} is missing`);
  }

  // ---- data

  private dataSpace(at: number): number[] {
    const { bytes } = this;
    const version = bytes.u8(at);
    if (version !== 1 && version !== 2) fault(`dataspace of version ${version}; 1 and 2 are read`);
    if (version === 2 && bytes.u8(at + 3) === 2) return [0];
    const rank = bytes.u8(at + 1);
    if (rank > 32) fault(`an array of ${rank} dimensions`);
    return Array.from({ length: rank }, (_, i) => bytes.u64(at + (version === 1 ? 8 : 4) + 8 * i));
  }

  private dataType(at: number): DataType {
    const { bytes } = this;
    const kind = bytes.u8(at) & 15;
    const bits = bytes.u8(at + 1);
    const size = bytes.u32(at + 4);
    const of = (name: DataType['kind']): DataType => ({
      kind: name,
      size,
      signed: (bits & 8) !== 0,
      bigEndian: (bits & 1) !== 0,
    });
    if (kind === 0 && [1, 2, 4, 8].includes(size)) return of('integer');
    // IEEE: 8 bits of exponent in 32, 11 in 64.
    if (kind === 1 && bytes.u8(at + 13) === (size === 4 ? 8 : size === 8 ? 11 : -1)) return of('float');
    if (kind === 3) return of('string');
    if (kind === 9 && (bits & 15) === 1 && size === 16) return of('strings elsewhere');
    return of('other');
  }

  private array(messages: readonly Message[]) {
    const message = (type: number, name: string): Message => {
      const found = messages.find((one) => one.type === type) ?? fault(`has no ${name}`);
      return found.shared ? fault(`has a shared ${name}`) : found;
    };
    if (messages.some(({ type }) => type === 0x07)) fault('its data lie in other files');
    const type = this.dataType(message(0x03, 'type').at);
    const shape = this.dataSpace(message(0x01, 'shape').at);
    if (type.kind !== 'float' && type.kind !== 'integer')
      fault('holds neither float32 or float64 nor integers');
    const size = checkedSize(shape, 'the array') * type.size;
    this.dataBytes += size;
    if (this.dataBytes > 2 * this.bytes.all.length + UNPACKED_BYTES)
      fault(`shape [${shape.join(', ')}] needs more data than the file has`);
    const filters = messages.find((one) => one.type === 0x0b);
    const raw = this.raw(message(0x08, 'layout').at, shape, type.size, size, filters?.at);
    return { shape, data: narrowed(elements(raw, type), 'the array') };
  }

  /** The bytes of an array, copied out of the file. */
  private raw(
    at: number,
    shape: readonly number[],
    itemSize: number,
    size: number,
    filters: number | undefined,
  ): Uint8Array {
    const { bytes } = this;
    const version = bytes.u8(at);
    const kind = bytes.u8(at + 1);
    if (version !== 3 && !(version === 4 && kind < 2))
      fault(`layout ${kind} of version ${version} is not read`);
    if (size === 0) return new Uint8Array(0);
    if (kind < 2 && filters !== undefined) fault('filters without chunks');
    const [start, held] =
      kind === 0
        ? [at + 4, bytes.u16(at + 2)]
        : kind === 1
          ? [bytes.u64(at + 2), bytes.u64(at + 10)]
          : [0, size];
    if (held !== size) fault(`has ${held} bytes of data; its shape says ${size}`);
    if (start === UNDEFINED) fault('has no data');
    if (kind < 2) return bytes.slice(start, size).slice();
    if (kind !== 2) fault(`layout ${kind} is not read`);
    const rank = bytes.u8(at + 2);
    if (rank !== shape.length + 1) fault('its chunks have another number of dimensions');
    const chunk = Array.from({ length: rank }, (_, i) => bytes.u32(at + 11 + 4 * i));
    const chunkBytes = chunk.reduce((product, one) => product * one, 1);
    if (chunk[rank - 1] !== itemSize || chunkBytes === 0) fault('its chunks have another type');
    this.dataBytes += chunkBytes;
    if (this.dataBytes > 2 * bytes.all.length + UNPACKED_BYTES) fault('its chunks are larger than the file');
    const out = new Uint8Array(size);
    const list = filters === undefined ? [] : this.filters(filters);
    this.chunks(bytes.u64(at + 3), 16, { shape, chunk, chunkBytes, itemSize, filters: list, out });
    return out;
  }

  private filters(at: number): Filter[] {
    const { bytes } = this;
    const version = bytes.u8(at);
    if (version !== 1 && version !== 2) fault(`filters of version ${version}; 1 and 2 are read`);
    let next = at + (version === 1 ? 8 : 2);
    return Array.from({ length: bytes.u8(at + 1) }, () => {
      const id = bytes.u16(next);
      if (![1, 2, 3].includes(id)) fault(`is packed by filter ${id}; deflate and shuffle are read`);
      const named = version === 1 ? bytes.u16(next + 2) : 0;
      const count = bytes.u16(next + (version === 1 ? 6 : 4));
      const values = next + (version === 1 ? 8 + Math.ceil(named / 8) * 8 : 6);
      next = values + 4 * (count + (version === 1 ? count % 2 : 0));
      return { id, parameter: count > 0 ? bytes.u32(values) : 0 };
    });
  }

  private chunks(address: number, below: number, array: Chunked): void {
    const { bytes } = this;
    if (address === UNDEFINED) fault('has no data');
    const { level, entries } = this.treeNode(address, 1, below);
    const rank = array.chunk.length;
    const keySize = 8 + 8 * rank;
    for (let i = 0; i < entries; i++) {
      const key = address + 24 + i * (keySize + 8);
      const child = bytes.u64(key + keySize);
      if (level > 0) {
        this.chunks(child, level, array);
        continue;
      }
      const origin = Array.from({ length: rank - 1 }, (_, axis) => bytes.u64(key + 8 + 8 * axis));
      if (origin.some((one, axis) => one < 0 || one >= array.shape[axis] || one % array.chunk[axis] !== 0))
        fault('a chunk lies outside of its array');
      const packed = bytes.slice(this.once(child), bytes.u32(key));
      place(array, origin, this.unpack(packed, bytes.u32(key + 4), array));
    }
  }

  private unpack(
    packed: Uint8Array,
    skipped: number,
    { filters, chunkBytes, itemSize }: Chunked,
  ): Uint8Array {
    let data = packed;
    for (let i = filters.length - 1; i >= 0; i--) {
      if (skipped & (1 << i)) continue;
      const { id, parameter } = filters[i];
      if (id === 1) data = this.inflate(data, new Uint8Array(chunkBytes));
      // Fletcher's checksum stands at the end.
      else if (id === 3) data = data.subarray(0, Math.max(0, data.length - 4));
      else data = unshuffled(data, parameter || itemSize);
    }
    return data.length === chunkBytes
      ? data
      : fault(`a chunk has ${data.length} bytes; expected ${chunkBytes}`);
  }
}

interface Chunked {
  readonly shape: readonly number[];
  /** Sizes in elements, then the bytes of one. */
  readonly chunk: readonly number[];
  readonly chunkBytes: number;
  readonly itemSize: number;
  readonly filters: readonly Filter[];
  readonly out: Uint8Array;
}

/** Bytes of equal significance stood together. */
function unshuffled(data: Uint8Array, itemSize: number): Uint8Array {
  const count = Math.floor(data.length / itemSize);
  const out = data.slice();
  for (let byte = 0; byte < itemSize; byte++)
    for (let i = 0; i < count; i++) out[i * itemSize + byte] = data[byte * count + i];
  return out;
}

/** Copies a chunk, row by row, to where it belongs; what stands out over the edge is dropped. */
function place({ shape, chunk, itemSize, out }: Chunked, origin: readonly number[], data: Uint8Array): void {
  const copy = (axis: number, from: number, to: number): void => {
    if (axis === shape.length) {
      out.set(data.subarray(from, from + itemSize), to);
      return;
    }
    const inner = (sizes: readonly number[]): number =>
      sizes.slice(axis + 1, shape.length).reduce((product, one) => product * one, itemSize);
    const [step, stride] = [inner(chunk), inner(shape)];
    const count = Math.min(chunk[axis], shape[axis] - origin[axis]);
    if (axis === shape.length - 1) {
      out.set(data.subarray(from, from + count * itemSize), to + origin[axis] * itemSize);
      return;
    }
    for (let i = 0; i < count; i++) copy(axis + 1, from + i * step, to + (origin[axis] + i) * stride);
  };
  copy(0, 0, 0);
}

/** Text without what it is padded with. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Bytes as numbers of a type. `raw` is a copy, aligned and ours. */
function elements(raw: Uint8Array, { kind, size, signed, bigEndian }: DataType): ArrayBufferView {
  if (bigEndian && size > 1) for (let i = 0; i < raw.length; i += size) raw.subarray(i, i + size).reverse();
  const { buffer } = raw;
  if (kind === 'float') return size === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
  if (size === 1) return signed ? new Int8Array(buffer) : raw;
  if (size === 2) return signed ? new Int16Array(buffer) : new Uint16Array(buffer);
  if (size === 8) return signed ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
  if (signed) return new Int32Array(buffer);
  const wide = new Uint32Array(buffer);
  return wide.some((x) => x > 0x7fffffff) ? BigUint64Array.from(wide, BigInt) : new Int32Array(buffer);
}
