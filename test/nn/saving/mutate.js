/**
 * node --max-old-space-size=256 mutate.js FORMATS FROM COUNT: damages a good file of each format so many times, each time
 * from a seed of its own, and reads it. Of files in JSON, values are changed instead two times of three. Prints what came,
 * in a line for each: how many were read, how many refused by which code, the longest read, and how far memory grew. Ends
 * with 1 at the first answer that is neither, and says which seed.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { callbacks, data, init, layers, loadModel, optimizers, sequential, WeftError } from 'weft-gpu';
import { findGpu } from '../../../scripts/support/software-adapter.js';

const [asked, from, count] = process.argv.slice(2);
const quiet = { verbose: 0 };
console.warn = () => {};

/** A generator of its own for each file: seed → numbers below `n`. */
function generator(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** One to four changes: bytes, a number of four bytes, a piece that is lost, doubled, moved or zero, another end. */
function damaged(good, random) {
  let bytes = good.slice();
  const changes = 1 + random(4);
  for (let i = 0; i < changes && bytes.length > 8; i++) {
    // Headers are small and decide most: half of all changes happen there.
    const at = random(2) ? random(bytes.length) : random(Math.min(bytes.length, 600));
    const length = 1 + random(Math.min(64, bytes.length - at));
    switch (random(8)) {
      case 0:
        bytes[at] = [0, 1, 127, 128, 255][random(5)];
        break;
      case 1:
        bytes[at] ^= 1 << random(8);
        break;
      case 2:
        bytes[at] = random(256);
        break;
      case 3: {
        const value = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, random(2 ** 16)][random(7)];
        for (let k = 0; k < 4 && at + k < bytes.length; k++) bytes[at + k] = (value >>> (8 * k)) & 255;
        break;
      }
      case 4:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 5:
        bytes = Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
        break;
      case 6:
        bytes.copyWithin(random(bytes.length), at, at + length);
        break;
      default:
        if (random(4)) bytes.fill(0, at, at + length);
        else bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}

/** One to three values of a JSON that become other values, are lost, or change places: what no parser of JSON refuses. */
function changedJson(good, random) {
  const json = JSON.parse(new TextDecoder().decode(good));
  const changes = 1 + random(3);
  for (let i = 0; i < changes; i++) {
    const slots = [];
    const collect = (value) => {
      if (typeof value !== 'object' || value === null) return;
      for (const key of Object.keys(value)) {
        slots.push([value, key]);
        collect(value[key]);
      }
    };
    collect(json);
    if (slots.length === 0) break;
    const [parent, key] = slots[random(slots.length)];
    const [other, name] = slots[random(slots.length)];
    const values = [
      null,
      true,
      0,
      -1,
      0.5,
      7,
      2 ** 31,
      2 ** 53,
      1e300,
      '',
      'x',
      'constructor',
      '__proto__',
      [],
      {},
      [null],
      [[]],
    ];
    const kind = random(8);
    if (kind < 4) parent[key] = values[random(values.length)];
    else if (kind < 6) parent[key] = structuredClone(other[name]);
    else if (kind < 7) delete parent[key];
    else [parent[key], other[name]] = [structuredClone(other[name]), structuredClone(parent[key])];
  }
  return new TextEncoder().encode(JSON.stringify(json));
}

const { gpu } = await findGpu();
await init({ gpu, seed: 1 });

const made = () =>
  sequential([
    layers.input([3]),
    layers.dense({ units: 4, activation: 'relu', name: 'a' }),
    layers.dense({ units: 2, name: 'b' }),
  ]);

/** A small model that has been trained, so that its files have an optimizer's state. */
async function trained() {
  const model = made();
  model.compile({ optimizer: optimizers.adam(0.01), loss: 'mse', metrics: ['mae'] });
  await model.trainOnBatch([[1, 2, 3]], [[0, 1]]);
  return model;
}

const file = (bytes, name) => new File([bytes], name);
async function readModel(...files) {
  const model = await loadModel(files.length === 1 ? files[0] : files);
  model.dispose();
}

const fixture = (name) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));

/** Model files as they are, and what lies inside an archive with its checksums made anew. */
async function makeModelFormat(format) {
  const [name, inside] = format.split('!');
  const good = name.startsWith('network')
    ? fixture(name)
    : (await (await trained()).toBytes(name === 'model.keras' ? 'keras' : 'h5')).slice();
  if (!inside) return { good, read: (bytes) => readModel(file(bytes, `x.${name.slice(6)}`)) };
  const entries = unzipSync(good);
  return {
    good: entries[inside],
    read: (bytes) => readModel(file(zipSync({ ...entries, [inside]: bytes }, { level: 0 }), 'x.keras')),
  };
}

async function makeWeightsFormat(kind) {
  const model = await trained();
  const good = (await model.toBytes(kind)).slice();
  const other = made();
  return { good, read: (bytes) => other.loadWeights(file(bytes, `x.${kind}`)) };
}

const formats = {
  'model.keras': makeModelFormat,
  'model.keras!config.json': makeModelFormat,
  'model.keras!model.weights.h5': makeModelFormat,
  'network-two.keras!config.json': makeModelFormat,
  'network-nested.keras!config.json': makeModelFormat,
  'model.h5': makeModelFormat,
  'weights.h5': () => makeWeightsFormat('weights.h5'),
  safetensors: () => makeWeightsFormat('safetensors'),
  'model.json': async () => ({
    good: fixture('from-weft.json'),
    read: (bytes) =>
      readModel(
        file(bytes, 'model.json'),
        file(fixture('from-weft.weights.be1bcc96.bin'), 'from-weft.weights.be1bcc96.bin'),
      ),
  }),
  npy: async () => ({
    good: data.encodeNpy({ data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [3, 4, 5] }),
    read: (bytes) => data.parseNpy(bytes),
  }),
  npz: async () => ({
    good: await data.encodeNpz({
      x: { data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [3, 4, 5] },
      y: { data: Int32Array.of(1, 2, 3), shape: [3] },
    }),
    read: (bytes) => data.parseNpz(bytes),
  }),
  idx: async () => ({
    good: Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array(24).keys()]),
    read: (bytes) => data.parseIdx(bytes),
  }),
  'idx.gz': async () => ({
    good: new Uint8Array(
      gzipSync(Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, ...Array(729).keys()])),
    ),
    read: (bytes) => data.parseIdx(bytes),
  }),
  csv: async () => ({
    good: new TextEncoder().encode('a,b,c\n1,2.5,"x, y"\n-3,4e2,"q""q"\n,NaN,z\n5,6,\n'),
    read: (bytes) => data.parseCsv(bytes),
  }),
};

/** A backup is read by the run that goes on from it. */
formats['backup.weft'] = async () => {
  const { mkdtempSync, writeFileSync, rmSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'weft-mutate-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const backup = callbacks.backupAndRestore(folder, { deleteCheckpoint: false });
  const model = await trained();
  const goOn = () => model.fit([[1, 2, 3]], [[0, 1]], { ...quiet, epochs: 1, callbacks: [backup] });
  await goOn();
  const path = join(folder, 'backup.weft');
  return {
    good: new Uint8Array(readFileSync(path)),
    read(bytes) {
      writeFileSync(path, bytes);
      return goOn();
    },
  };
};

const rss = () => process.memoryUsage.rss();
const megabytes = (bytes) => Math.round(bytes / 2 ** 20);

async function tryFormat(format) {
  const { good, read } = await formats[format](format);
  await read(good);
  const codes = {};
  let loaded = 0;
  let slowestMs = 0;
  let slowestSeed = 0;
  let before = rss();
  let peak = before;
  const start = performance.now();
  for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
    const random = generator(seed);
    const bytes =
      format.endsWith('.json') && random(3) > 0 ? changedJson(good, random) : damaged(good, random);
    const began = process.cpuUsage();
    try {
      await read(bytes);
      loaded++;
    } catch (error) {
      if (!(error instanceof WeftError) || !error.message) {
        console.log(JSON.stringify({ format, seed, error: String(error?.stack ?? error) }));
        process.exit(1);
      }
      codes[error.code] = (codes[error.code] ?? 0) + 1;
    }
    const { user, system } = process.cpuUsage(began);
    const ms = (user + system) / 1000;
    if (ms > slowestMs) [slowestMs, slowestSeed] = [ms, seed];
    peak = Math.max(peak, rss());
    // What a warm process takes is known after some files.
    if (seed === Number(from) + 200) before = peak;
  }
  const grownMiB = megabytes(peak - before);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    JSON.stringify({
      format,
      loaded,
      codes,
      slowestMs: Math.round(slowestMs),
      slowestSeed,
      grownMiB,
      seconds,
    }),
  );
}

for (const format of asked.split(',')) await tryFormat(format);
process.exit(0);
