/** Broken, foreign and malicious files: a typed error that names file, place and reason, soon and in little memory. */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { writeZip } from '../../../src/data/zip.ts';
import { FormatError, init, layers, loadModel, sequential, WeftError } from '../../../src/index.ts';
import { readHdf5, writeHdf5 } from '../../../src/nn/saving/hdf5.ts';
import type { Attribute } from '../../../src/nn/saving/hdf5-contents.ts';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const small = () => sequential([layers.input([3]), layers.dense(2, { name: 'only' })], { name: 'small' });

beforeAll(async () => {
  await init({ seed: 1 });
});

interface Config {
  class_name: string;
  config: {
    layers: { class_name: string; config: Record<string, unknown> }[];
    build_input_shape?: unknown;
  };
  build_config?: unknown;
}

/** The file as a file, so that messages have its name. */
const named = (bytes: Uint8Array, name: string): File => new File([bytes as Uint8Array<ArrayBuffer>], name);

async function refused(bytes: Uint8Array, name: string, reason: RegExp, weights = false): Promise<void> {
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const source = named(bytes, name);
  const model = weights ? small() : null;
  const kept = await model?.weights[0].data();
  const error = await (model ? model.loadWeights(source) : loadModel(source)).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WeftError);
  expect((error as Error).message).toContain(name);
  expect((error as Error).message).toMatch(reason);
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(3 * bytes.length + (64 << 20));
  if (model) expect(await model.weights[0].data()).toEqual(kept);
}

/** A copy with some bytes changed. */
function patched(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at < 0 ? copy.length + at : at);
  return copy;
}

const u32 = (x: number): number[] => [x & 255, (x >>> 8) & 255, (x >>> 16) & 255, x >>> 24];

/** Where the first central directory entry of a zip is. */
const directoryOf = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer).getUint32(bytes.length - 6, true);

describe('F44 .keras', () => {
  const whole = async (): Promise<Uint8Array> => (await small().toBytes()).slice();
  const rows: [string, (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>, RegExp][] = [
    ['empty', () => new Uint8Array(0), /no known format/],
    ['a web page', () => utf8('<!DOCTYPE html><html></html>'), /no known format/],
    ['two bytes', () => utf8('PK'), /no known format/],
    ['cut off in the middle', (b) => b.subarray(0, b.length >> 1), /directory at the end is missing/],
    ['its last byte missing', (b) => b.subarray(0, b.length - 1), /directory at the end is missing/],
    ['a directory beyond the file', (b) => patched(b, -6, ...u32(b.length)), /directory lies outside/],
    ['a directory that is none', (b) => patched(b, directoryOf(b), 0), /entry 0 of the directory is cut off/],
    ['too many entries', (b) => patched(b, -12, 99, 0), /entry 3 of the directory is cut off/],
    ['an encrypted entry', (b) => patched(b, directoryOf(b) + 8, 1), /is encrypted/],
    ['a damaged byte', (b) => patched(b, 60, 0), /checksum is wrong/],
    ['an unknown packing', (b) => patched(b, directoryOf(b) + 10, 99), /packed by method 99/],
    ['a lying size', (b) => patched(b, directoryOf(b) + 24, ...u32(7)), /its header says 7/],
    ['a size of 4 GB', (b) => patched(b, directoryOf(b) + 24, ...u32(0xfffffff0)), /zip bomb/],
    [
      'a packed size beyond the archive',
      (b) => patched(b, directoryOf(b) + 20, ...u32(1 << 30)),
      /beyond the archive/,
    ],
    [
      'an entry that is elsewhere',
      (b) => patched(b, directoryOf(b) + 42, ...u32(5)),
      /not where the directory says/,
    ],
    [
      'entries that overlap',
      (b) => {
        const second = b.lastIndexOf(0x02, b.length - 30);
        const at = directoryOf(b);
        const next = at + 46 + new DataView(b.buffer).getUint16(at + 28, true);
        expect(second).toBeGreaterThan(0);
        return patched(b, next + 42, ...u32(0));
      },
      /overlaps|checksum|twice/,
    ],
    ['a bomb', () => zipSync({ 'config.json': new Uint8Array(120 << 20) }, { level: 9 }), /zip bomb/],
    [
      'a packed entry that is noise',
      () => {
        const b = zipSync(
          { 'config.json': utf8('{"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}') },
          { level: 9 },
        );
        return patched(b, 45, 255, 255, 255);
      },
      /cannot be unpacked|header says|checksum/,
    ],
    ['a name that climbs', () => writeZip({ '../config.json': utf8('{}') }), /points elsewhere/],
    ['an absolute name', () => writeZip({ '/etc/passwd': utf8('{}') }), /points elsewhere/],
    ['a name with a drive', () => writeZip({ 'C:\\x': utf8('{}') }), /points elsewhere/],
    ['no config', () => writeZip({ 'x.json': utf8('{}') }), /config\.json is missing/],
    ['no weights', () => writeZip({ 'config.json': utf8('{}') }), /model\.weights\.h5 is missing/],
  ];
  test.each(rows)('%s', async (_, make, reason) => refused(await make(await whole()), 'x.keras', reason));

  const config = (over: (json: Config) => unknown) => async (): Promise<Uint8Array> => {
    const { unzipSync } = await import('fflate');
    const files = unzipSync(await whole());
    const json = JSON.parse(new TextDecoder().decode(files['config.json']));
    const changed = over(json);
    files['config.json'] = utf8(typeof changed === 'string' ? changed : JSON.stringify(changed));
    return writeZip(files);
  };
  const layer = (className: string, options: Record<string, unknown>) =>
    config((json) => {
      json.config.layers[1] = { class_name: className, config: options };
      return json;
    });
  interface Words {
    layers: { inbound_nodes: unknown; [key: string]: unknown }[];
    output_layers: unknown;
  }
  /** A network in the older dialect, changed. */
  const network = (change: (words: Words) => unknown) =>
    config(() => {
      const words = {
        layers: [
          {
            class_name: 'InputLayer',
            name: 'x',
            config: { name: 'x', batch_input_shape: [null, 2] },
            inbound_nodes: [],
          },
          {
            class_name: 'Dense',
            name: 'd',
            config: { name: 'd', units: 1 },
            inbound_nodes: [[['x', 0, 0, {}]]],
          },
        ] as Words['layers'],
        input_layers: [['x', 0, 0]],
        output_layers: [['d', 0, 0]] as unknown,
      };
      change(words);
      return { class_name: 'Functional', config: words };
    });
  const configs: [string, () => Promise<Uint8Array>, RegExp][] = [
    ['no JSON', config(() => '{'), /config\.json: not JSON/],
    ['a list', config(() => []), /expected an object/],
    ['null', config(() => 'null'), /expected an object/],
    ['deep beyond measure', config(() => `${'['.repeat(200_000)}${']'.repeat(200_000)}`), /deep|not JSON/],
    ['a prototype', config(() => '{"__proto__": {"polluted": 1}}'), /__proto__/],
    [
      'a model of a class that is not offered',
      config((j) => ({ ...j, class_name: 'Transformer' })),
      /only Sequential/,
    ],
    [
      'a network without ends',
      config((j) => ({ ...j, class_name: 'Functional' })),
      /input_layers: is undefined/,
    ],
    [
      'a network that asks for what is not there',
      network((n) => (n.output_layers = [['d', 1, 0]])),
      /no layer gives d\[1\]\[0\]/,
    ],
    [
      'a network that waits for itself',
      network((n) => (n.layers[1].inbound_nodes = [[['d', 0, 0, {}]]])),
      /no layer gives d\[0\]\[0\]/,
    ],
    [
      'a network with a layer twice',
      network((n) => n.layers.push(n.layers[1])),
      /second layer is called "d"/,
    ],
    ['a use that names nothing', network((n) => (n.layers[1].inbound_nodes = [[7]])), /is 7/],
    [
      'a use with arguments',
      network((n) => (n.layers[1].inbound_nodes = [[['x', 0, 0, { mask: 1 }]]])),
      /called with mask/,
    ],
    ['no layers', config((j) => ({ ...j, config: {} })), /layers: is undefined/],
    ['layers that are none', config((j) => ({ ...j, config: { layers: [7] } })), /layers\[0\]: is 7/],
    ['a layer without a class', layer(7 as never, {}), /class_name: is 7/],
    ['a layer that is not offered', layer('Lambda', { code: 'x' }), /\(Lambda\).*unknown/],
    ['a layer called like a method', layer('toString', {}), /\(toString\).*unknown/],
    ['an option that is not offered', layer('Dense', { units: 2, rank: 3 }), /option "rank" is unknown/],
    ['units that are none', layer('Dense', { units: -1 }), /units is -1/],
    ['a billion units', layer('Dense', { units: 1e9 }), /the file holds no more than 8/],
    ['units beyond integers', layer('Dense', { units: 1e300 }), /units/],
    [
      'a regularizer that is not offered',
      layer('Dense', { units: 2, kernel_regularizer: { class_name: 'OrthogonalRegularizer', config: {} } }),
      /kernelRegularizer/,
    ],
    ['half precision', layer('Dense', { units: 2, dtype: 'float16' }), /float32/],
    [
      'an input that is not known',
      config((j) => {
        j.config.layers.shift();
        delete j.config.build_input_shape;
        delete j.build_config;
        return j;
      }),
      /no input shape/,
    ],
    [
      'an input beyond memory',
      config((j) => {
        j.config.layers[0].config.batch_shape = [null, 1e15];
        return j;
      }),
      /the file holds no more/,
    ],
    [
      'ten thousand layers without names',
      config((j) => {
        j.config.layers = Array.from({ length: 10_000 }, () => ({
          class_name: 'Flatten',
          config: { name: 'x' },
        }));
        return j;
      }),
      /two layers are called/,
    ],
  ];
  test.each(configs)('with a config that is %s', async (_, make, reason) =>
    refused(await make(), 'x.keras', reason),
  );

  test('an object’s prototype stays clean', () => {
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('a compilation that is not offered leaves the model uncompiled, and says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const bytes = await config((j) => ({
      ...j,
      compile_config: { optimizer: { class_name: 'Ftrl', config: {} }, loss: 'mse' },
    }))();
    const model = await loadModel(bytes);
    expect(model.compileOptions).toBeNull();
    expect(warn.mock.calls.flat().join()).toMatch(/not compiled.*"Ftrl"/);
    warn.mockRestore();
  });
});

describe('F44 .safetensors', () => {
  const file = (header: string, data = new Uint8Array(0), length?: number): Uint8Array => {
    const text = utf8(header);
    const bytes = new Uint8Array(8 + text.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
    bytes.set(text, 8);
    bytes.set(data, 8 + text.length);
    return bytes;
  };
  const kernel = (over: object) =>
    file(
      JSON.stringify({ 'dense.kernel': { dtype: 'F32', shape: [3, 2], data_offsets: [0, 24], ...over } }),
      new Uint8Array(24),
    );
  const rows: [string, Uint8Array, RegExp][] = [
    ['a header longer than the file', file('{}', undefined, 1000), /header of 1000 bytes/],
    ['a header of 2^63 bytes', file('{}', undefined, 2 ** 62), /header of/],
    ['a header that is no JSON', file('{oops'), /not JSON/],
    ['an offset beyond the data', kernel({ data_offsets: [0, 4000] }), /lie outside/],
    ['an offset below 0', kernel({ data_offsets: [-24, 0] }), /lie outside/],
    ['offsets that are swapped', kernel({ data_offsets: [24, 0] }), /give -24 bytes/],
    ['offsets that are text', kernel({ data_offsets: '0,24' }), /lie outside/],
    ['a shape that takes more', kernel({ shape: [3, 3] }), /give 24 bytes/],
    ['a shape beyond memory', kernel({ shape: [1e9, 1e9] }), /beyond any memory/],
    ['a shape below 0', kernel({ shape: [-3, -2] }), /whole numbers/],
    [
      'metadata that are no texts',
      file('{"__metadata__": {"a": 1}}'),
      /__metadata__, a: is 1; expected text/,
    ],
    ['metadata that are none', file('{"__metadata__": []}'), /__metadata__: is \[\]; expected an object/],
    ['a shape that overflows', kernel({ shape: [2 ** 32, 2 ** 32, 0] }), /give 24 bytes|beyond/],
    ['half precision', kernel({ dtype: 'F16' }), /dtype is F16/],
    ['no dtype', kernel({ dtype: undefined }), /expected text/],
    ['a prototype', file('{"__proto__": {}}'), /__proto__/],
    ['data that nobody owns', file('{}', new Uint8Array(8)), /belong to no tensor/],
    [
      'data that two own',
      file(
        JSON.stringify({
          a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
          b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
        }),
        new Uint8Array(12),
      ),
      /overlap/,
    ],
    ['other weights', kernel({}), /expects bias \[2\]; found nothing/],
  ];
  test.each(rows)('%s', (_, bytes, reason) => refused(bytes, 'x.safetensors', reason, true));
});

describe('F44 HDF5', () => {
  const good = fixture('from-keras.h5');
  const rows: [string, () => Uint8Array, RegExp][] = [
    ['a signature alone', () => good.subarray(0, 8), /reaches to byte/],
    ['cut off', () => good.subarray(0, 3000), /cut off/],
    ['a superblock of the future', () => patched(good, 8, 9), /superblock of version 9/],
    ['addresses of 4 bytes', () => patched(good, 13, 4), /not of 8 bytes/],
    ['a root far away', () => patched(good, 64, 0, 0, 0, 0, 1), /reaches to byte/],
    ['a root at no address', () => patched(good, 64, ...Array(8).fill(255)), /reaches to byte/],
    ['weights alone', () => writeHdf5({ groups: new Map(), arrays: new Map() }), /weights alone/],
    [
      'no config',
      () => writeHdf5({ groups: new Map([['model_weights', {}]]), arrays: new Map() }),
      /no model_config/,
    ],
    [
      'a config that is no JSON',
      () =>
        writeHdf5({
          groups: new Map<string, Record<string, Attribute>>([
            ['', { model_config: '{' }],
            ['model_weights', {}],
          ]),
          arrays: new Map(),
        }),
      /model_config: not JSON/,
    ],
    [
      'a list for a config',
      () =>
        writeHdf5({
          groups: new Map<string, Record<string, Attribute>>([
            ['', { model_config: ['a'] }],
            ['model_weights', {}],
          ]),
          arrays: new Map(),
        }),
      /no model_config/,
    ],
    [
      'a group in itself',
      () => {
        // The root's header address in place of the first member's.
        const view = new DataView(good.buffer);
        const copy = good.slice();
        const leaf = indexOf(good, 'SNOD');
        new DataView(copy.buffer).setBigUint64(leaf + 16, view.getBigUint64(64, true), true);
        return copy;
      },
      /reached twice/,
    ],
    ['a link', () => patched(good, indexOf(good, 'SNOD') + 24, 2), /is a link/],
  ];
  test.each(rows)('%s', (_, make, reason) => refused(make(), 'x.h5', reason));

  test('a name that is listed and not there', async () => {
    const tree = await readHdf5(good, 'x', ['model_config', 'layer_names', 'weight_names']);
    const path = [...tree.arrays.keys()].find((one) => one.startsWith('model_weights/'))!;
    tree.arrays.delete(path);
    await refused(writeHdf5(tree), 'x.h5', /expects \w+ \[.*\]; found nothing/);
  });

  test('a chunk larger than the file', async () => {
    const packed = fixture('packed.weights.h5');
    // Sizes of chunks, in the layout message, are followed only as far as the file could fill them.
    const at = indexOf(packed, '\u0003\u0002\u0003');
    await refused(
      patched(packed, at + 11, 255, 255, 255, 127),
      'x.weights.h5',
      /x\.weights\.h5, \/.*chunks/,
      true,
    );
  });

  test('F56 a thousand files with damaged bytes are read or refused, and nothing worse', async () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const files = [good, fixture('packed.weights.h5'), fixture('from-weft.weights.h5')];
    const start = performance.now();
    for (let i = 0; i < 1000; i++) {
      const bytes = files[i % 3].slice();
      for (let j = 0; j < 1 + random(4); j++)
        bytes[random(random(2) ? bytes.length : 8000)] = [0, 255, random(256)][random(3)];
      await readHdf5(bytes, 'x.h5', ['weft_state', 'model_config', 'layer_names', 'weight_names']).catch(
        (error) => {
          expect(error).toBeInstanceOf(FormatError);
          expect(error.message).toMatch(/^x\.h5/);
        },
      );
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

function indexOf(bytes: Uint8Array, text: string): number {
  const at = Buffer.from(bytes).indexOf(Buffer.from(text, 'latin1'));
  expect(at).toBeGreaterThanOrEqual(0);
  return at;
}

describe('F44 model.json', () => {
  const good = JSON.parse(new TextDecoder().decode(fixture('from-tfjs.json')));
  const binary = named(fixture('from-tfjs.weights.bin'), 'from-tfjs.weights.bin');
  const with_ = (over: object): string => JSON.stringify({ ...good, ...over });
  const weights = (over: object): string => {
    const [{ paths, weights: list }] = good.weightsManifest;
    return with_({ weightsManifest: [{ paths, weights: [{ ...list[0], ...over }, ...list.slice(1)] }] });
  };
  const rows: [string, string, RegExp][] = [
    ['no model', '{}', /modelTopology: is undefined/],
    ['a graph model', with_({ format: 'graph-model' }), /only layers-model/],
    ['no manifest', with_({ weightsManifest: null }), /weightsManifest: is null/],
    ['a manifest that is none', with_({ weightsManifest: [7] }), /weightsManifest\[0\]: is 7/],
    ['paths that are none', with_({ weightsManifest: [{ paths: [7], weights: [] }] }), /paths: is 7/],
    [
      'a path that climbs',
      with_({ weightsManifest: [{ paths: ['../../x'], weights: [] }] }),
      /points elsewhere/,
    ],
    ['an address', with_({ weightsManifest: [{ paths: ['https://x/y'], weights: [] }] }), /points elsewhere/],
    ['a shape that takes more', weights({ shape: [12, 6] }), /weights take/],
    ['a shape beyond memory', weights({ shape: [1e9, 1e9] }), /beyond any memory/],
    ['half precision', weights({ dtype: 'float16' }), /dtype is "float16"/],
    ['quantized', weights({ quantization: { dtype: 'uint8' } }), /quantized/],
    ['a name twice', weights({ name: good.weightsManifest[0].weights[2].name, shape: [12, 5] }), /twice/],
    ['another name', weights({ name: 'x/kernel' }), /found nothing/],
    ['a state that is none', with_({ userDefinedMetadata: { weft: { seed: -1 } } }), /seed is -1/],
  ];
  test.each(rows)('%s', async (_, text, reason) => {
    const error = await loadModel([named(utf8(text), 'x.json'), binary]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WeftError);
    expect((error as Error).message).toContain('x.json');
    expect((error as Error).message).toMatch(reason);
  });
});
