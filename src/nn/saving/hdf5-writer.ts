/**
 * Writes HDF5 in the oldest layout there is (superblock 0, symbol tables, contiguous data), as h5py does and every
 * reader knows: nothing in it depends on the time, so that the same contents are the same bytes.
 */
import { ConfigError, LimitError } from '../../base/errors.ts';
import type { Attribute, Hdf5 } from './hdf5-contents.ts';
import type { Values } from './values.ts';

const UNDEFINED = 0xffffffffffffffffn;
/** Half of the children of a tree's node, and of the members of a leaf at least. */
const NODE_K = 16;
const LEAF_K = 4;
const SMALLEST_HEAP = 4096;

type Member = Folder | Values;

interface Folder {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly members: Map<string, Member>;
}

const isFolder = (member: Member): member is Folder => 'members' in member;

export function formatHdf5({ groups, arrays }: Hdf5): Uint8Array {
  for (const path of [...groups.keys(), ...arrays.keys()]) checkName(path, arrays);
  const root = folders(groups, arrays);
  const texts = [...groups.values()].flatMap((own) => Object.values(own).flat());
  return new Writer(mostMembers(root)).file(root, texts);
}

/** ConfigError for a path that readers would take for another one, or that cannot be written at all. */
function checkName(path: string, arrays: Hdf5['arrays']): void {
  const parts = path.split('/');
  const isBad = (part: string): boolean =>
    ['', '.', '..'].includes(part) || part.includes('\0') || new TextDecoder().decode(utf8(part)) !== part;
  const above = parts.map((_, i) => parts.slice(0, i).join('/')).find((one) => arrays.has(one));
  if (path !== '' && (parts.some(isBad) || above !== undefined))
    throw new ConfigError(
      `save: HDF5 files cannot hold a layer or weight at ${JSON.stringify(path)}${above === undefined ? '' : `, inside of the weight at ${JSON.stringify(above)}`}. Give it another name, or save as .keras.`,
    );
}

/** Groups on the way to an array are made as needed. */
function folders(groups: Hdf5['groups'], arrays: Hdf5['arrays']): Folder {
  const known = new Map<string, Folder>();
  const folder = (path: string): Folder => {
    let found = known.get(path);
    if (!found) {
      found = { attributes: groups.get(path) ?? {}, members: new Map() };
      known.set(path, found);
      if (path !== '') put(path, found);
    }
    return found;
  };
  const put = (path: string, member: Member): void => {
    const cut = path.lastIndexOf('/');
    folder(path.slice(0, Math.max(0, cut))).members.set(path.slice(cut + 1), member);
  };
  const root = folder('');
  for (const path of groups.keys()) folder(path);
  for (const [path, values] of arrays) put(path, values);
  return root;
}

const mostMembers = ({ members }: Folder): number =>
  Math.max(members.size, ...[...members.values()].filter(isFolder).map(mostMembers));

const roundUp = (size: number): number => Math.ceil(size / 8) * 8;

/** One field after the other, little-endian. */
class Fields {
  private readonly bytes: number[] = [];

  /** Whole numbers of `size` bytes. */
  n(size: 1 | 2 | 4, ...values: number[]): this {
    for (const value of values) for (let i = 0; i < size; i++) this.bytes.push((value >>> (8 * i)) & 255);
    return this;
  }

  /** Addresses and lengths of 8 bytes. */
  n8(...values: (number | bigint)[]): this {
    for (const value of values)
      for (let i = 0n; i < 64n; i += 8n) this.bytes.push(Number((BigInt(value) >> i) & 255n));
    return this;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  /** Zeros up to a multiple of 8, or to `size`. */
  pad(size = roundUp(this.bytes.length)): this {
    while (this.bytes.length < size) this.bytes.push(0);
    return this;
  }

  get done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

const fields = (): Fields => new Fields();
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

// ---- types and shapes

/** IEEE 754: byte order, sizes and places of sign, exponent and mantissa, bias. */
const float32 = fields().n(1, 0x11, 0x20, 31, 0).n(4, 4).n(2, 0, 32).n(1, 23, 8, 0, 23).n(4, 127).pad().done;
const float64 = fields()
  .n(1, 0x11, 0x20, 63, 0)
  .n(4, 8)
  .n(2, 0, 64)
  .n(1, 52, 11, 0, 52)
  .n(4, 1023)
  .pad().done;
const int32 = fields().n(1, 0x10, 8, 0, 0).n(4, 4).n(2, 0, 32).pad().done;
/** UTF-8 of any length, kept in the global heap. */
const anyText = fields().n(1, 0x19, 1, 1, 0).n(4, 16).n(1, 0x13, 0x10, 0, 0).n(4, 1).done;

const dataSpace = (shape: readonly number[]): Uint8Array =>
  fields()
    .n(1, 1, shape.length, 0, 0)
    .n(4, 0)
    .n8(...shape).done;

class Writer {
  private readonly parts: Uint8Array[] = [];
  private at = 96;
  private readonly leafK: number;
  private readonly heapAt = 96;
  /** Where each text is in the global heap. */
  private readonly textIndex = new Map<string, number>();

  constructor(mostInOneGroup: number) {
    this.leafK = Math.max(LEAF_K, Math.ceil(mostInOneGroup / (4 * NODE_K)));
  }

  file(root: Folder, texts: readonly string[]): Uint8Array {
    if (texts.length > 0) this.append(this.globalHeap(texts));
    const rootHeader = this.folder(root);
    const superblock = fields()
      .raw([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
      .n(1, 0, 0, 0, 0, 0, 8, 8, 0)
      .n(2, this.leafK, NODE_K)
      .n(4, 0)
      .n8(0, UNDEFINED, this.at, UNDEFINED)
      .n8(0, rootHeader)
      .pad(96).done;
    const out = new Uint8Array(this.at);
    out.set(superblock);
    let at = superblock.length;
    for (const part of this.parts) {
      out.set(part, at);
      at += roundUp(part.length);
    }
    return out;
  }

  /** The address that the bytes get. */
  private append(bytes: Uint8Array): number {
    const { at } = this;
    this.parts.push(bytes);
    this.at += roundUp(bytes.length);
    return at;
  }

  private globalHeap(texts: readonly string[]): Uint8Array {
    const objects: Uint8Array[] = [];
    for (const text of new Set(texts)) {
      this.textIndex.set(text, objects.length + 1);
      objects.push(utf8(text));
    }
    if (objects.length > 65_534)
      throw new LimitError(`save: ${objects.length} names; an HDF5 file takes 65534.`);
    const used = objects.reduce((sum, { length }) => sum + 16 + roundUp(length), 16);
    const size = Math.max(SMALLEST_HEAP, used);
    const heap = new Uint8Array(size);
    heap.set(fields().raw(utf8('GCOL')).n(1, 1, 0, 0, 0).n8(size).done);
    let at = 16;
    objects.forEach((bytes, i) => {
      heap.set(
        fields()
          .n(2, i + 1, 0)
          .n(4, 0)
          .n8(bytes.length).done,
        at,
      );
      heap.set(bytes, at + 16);
      at += 16 + roundUp(bytes.length);
    });
    // What is free is an object too, if there is room to say so.
    if (size - at >= 16)
      heap.set(
        fields()
          .n(4, 0, 0)
          .n8(size - at).done,
        at,
      );
    return heap;
  }

  // ---- objects

  /** Members first, since groups refer to them. */
  private folder({ attributes, members }: Folder): number {
    const names = [...members.keys()].map((name) => ({ name, bytes: utf8(name) }));
    names.sort((a, b) => compare(a.bytes, b.bytes));
    const addresses = names.map(({ name }) => {
      const member = members.get(name)!;
      return isFolder(member) ? this.folder(member) : this.array(member);
    });
    // The empty name comes first.
    const offsets: number[] = [];
    let end = 8;
    for (const { bytes } of names) {
      offsets.push(end);
      end += roundUp(bytes.length + 1);
    }
    const heapData = new Uint8Array(end);
    names.forEach(({ bytes }, i) => {
      heapData.set(bytes, offsets[i]);
    });
    const heapDataAt = this.append(heapData);
    // 1: nothing is free.
    const heap = this.append(fields().raw(utf8('HEAP')).n(4, 0).n8(end, 1, heapDataAt).done);
    const tree = this.symbolTable(offsets, addresses);
    return this.header([
      [0x11, fields().n8(tree, heap).done],
      ...Object.entries(attributes).map(([name, value]): [number, Uint8Array] => [
        0x0c,
        this.attribute(name, value),
      ]),
    ]);
  }

  private symbolTable(offsets: readonly number[], addresses: readonly number[]): number {
    const perLeaf = 2 * this.leafK;
    const leaves: { address: number; last: number }[] = [];
    for (let from = 0; from < offsets.length; from += perLeaf) {
      const to = Math.min(offsets.length, from + perLeaf);
      const leaf = fields()
        .raw(utf8('SNOD'))
        .n(1, 1, 0)
        .n(2, to - from);
      for (let i = from; i < to; i++) leaf.n8(offsets[i], addresses[i], 0, 0, 0);
      leaves.push({ address: this.append(leaf.pad(8 + 40 * perLeaf).done), last: offsets[to - 1] });
    }
    const node = fields().raw(utf8('TREE')).n(1, 0, 0).n(2, leaves.length).n8(UNDEFINED, UNDEFINED, 0);
    for (const { address, last } of leaves) node.n8(address, last);
    return this.append(node.pad(24 + 8 * (4 * NODE_K + 1)).done);
  }

  private array({ shape, data }: Values): number {
    const size = data.byteLength;
    const start = size === 0 ? UNDEFINED : this.append(new Uint8Array(data.buffer, data.byteOffset, size));
    return this.header([
      [0x01, dataSpace(shape)],
      [0x03, data instanceof Float32Array ? float32 : int32],
      // No value to fill with: space is made, and filled, when data come.
      [0x05, fields().n(1, 2, 2, 2, 1).n(4, 0).done],
      [0x08, fields().n(1, 3, 1).n8(start, size).pad().done],
    ]);
  }

  private header(messages: readonly (readonly [type: number, data: Uint8Array])[]): number {
    const size = messages.reduce((sum, [, data]) => sum + 8 + roundUp(data.length), 0);
    const header = fields().n(1, 1, 0).n(2, messages.length).n(4, 1, size, 0);
    for (const [type, data] of messages) header.n(2, type, roundUp(data.length)).n(4, 0).raw(data).pad();
    return this.append(header.done);
  }

  private attribute(name: string, value: Attribute): Uint8Array {
    const list = typeof value === 'string' ? [value] : value;
    const empty = list.length === 0;
    // An empty list is an array of no numbers, as h5py makes it.
    const type = empty ? float64 : anyText;
    const space = dataSpace(typeof value === 'string' ? [] : [value.length]);
    const nameBytes = utf8(`${name}\0`);
    if (list.length > 4000)
      throw new LimitError(`save: ${list.length} names in ${name}; an HDF5 attribute takes 4000.`);
    const message = fields()
      .n(1, 1, 0)
      .n(2, nameBytes.length, type.length, space.length)
      .raw(nameBytes)
      .pad()
      .raw(type)
      .pad()
      .raw(space)
      .pad();
    for (const text of list) message.n(4, utf8(text).length).n8(this.heapAt).n(4, this.textIndex.get(text)!);
    return message.done;
  }
}

/** The order of bytes, as C compares texts. */
function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
