/** Files on disks: whole or not at all. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { callbacks, init, LoadError, layers, loadModel, SaveError, sequential } from '../../../src/index.ts';
import { writeFiles } from '../../../src/nn/saving/files.ts';
import { generator } from '../../reference/random.ts';
import { isLong } from '../../support/long.ts';

beforeAll(async () => {
  await init({ seed: 5 });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** As src/base/write-whole.ts names this machine. */
function hashOfHost(): string {
  let hash = 0x811c9dc5;
  for (const letter of hostname()) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const small = () => sequential([layers.input([3]), layers.dense(2)]);

describe('saving', () => {
  test('every format by its name, from a path or a URL, and nothing else is left', async () => {
    const at = folder();
    const model = small();
    await model.save(join(at, 'a.keras'));
    await model.save(pathToFileURL(join(at, 'a.h5')));
    await model.saveWeights(join(at, 'a.weights.h5'));
    await model.saveWeights(join(at, 'a.safetensors'));
    await model.save(join(at, 'model.json'));
    const files = readdirSync(at);
    expect(files.filter((name) => !name.endsWith('.bin')).sort()).toEqual([
      'a.h5',
      'a.keras',
      'a.safetensors',
      'a.weights.h5',
      'model.json',
    ]);
    expect(files.length).toBe(6);
    const before = await model.weights[0].data();
    for (const name of ['a.keras', 'a.h5', 'model.json'])
      expect(await (await loadModel(join(at, name))).weights[0].data()).toEqual(before);
  });

  test('ten saves of model.json leave two files, and a copy keeps the weights that it names', async () => {
    const at = folder();
    const file = join(at, 'model.json');
    const model = small();
    for (let i = 0; i < 10; i++) {
      await model.setWeights([new Float32Array(6).fill(i), [0, 0]]);
      await model.save(file);
      expect(readdirSync(at).length).toBe(2);
    }
    // Of another name, or named by another description: not ours to take away.
    writeFileSync(join(at, 'model.weights.bin'), 'x');
    writeFileSync(join(at, 'other-model.weights.01234567.bin'), 'x');
    copyFileSync(file, join(at, 'kept.json'));
    const kept = await model.weights[0].data();
    for (let i = 20; i < 23; i++) {
      await model.setWeights([new Float32Array(6).fill(i), [0, 0]]);
      await model.save(file);
    }
    expect(readdirSync(at).length).toBe(6);
    expect(await (await loadModel(join(at, 'kept.json'))).weights[0].data()).toEqual(kept);
    expect(await (await loadModel(file)).weights[0].data()).toEqual(await model.weights[0].data());
  });

  test('saves of one model.json that are not awaited end with the last, whole', async () => {
    const at = folder();
    const file = join(at, 'model.json');
    const models = Array.from({ length: 4 }, small);
    await Promise.all(models.map((model, i) => model.setWeights([new Float32Array(6).fill(i), [0, 0]])));
    await Promise.all(models.map((model) => model.save(file)));
    expect(readdirSync(at).length).toBe(2);
    await loadModel(file);
  });

  test('modelCheckpoint leaves two files of a model.json', async () => {
    const at = folder();
    const model = small();
    model.compile({ loss: 'mse' });
    await model.fit([[1, 2, 3]], [[1, 2]], {
      epochs: 3,
      verbose: 0,
      callbacks: callbacks.modelCheckpoint(join(at, 'x.json')),
    });
    expect(readdirSync(at).length).toBe(2);
  });

  test('model.json of inner models with layers of one name comes back, also into another model', async () => {
    const file = join(folder(), 'model.json');
    const part = () => sequential([layers.input([2]), layers.dense({ units: 2, name: 'd' })]);
    const [model, other] = [part, part].map(() => sequential([part(), part()]));
    await model.save(file);
    await other.loadWeights(file);
    for (const one of [await loadModel(file), other])
      for (const [i, weight] of one.weights.entries())
        expect(await weight.data()).toEqual(await model.weights[i].data());
    // Automatic names differ from model to model.
    const [first, second] = [small(), small()];
    await first.save(file);
    await second.loadWeights(file);
    expect(await second.weights[0].data()).toEqual(await first.weights[0].data());
  });

  test('through a symbolic link', async () => {
    const at = folder();
    writeFileSync(join(at, 'real.keras'), 'old');
    symlinkSync(join(at, 'real.keras'), join(at, 'link.keras'));
    await small().save(join(at, 'link.keras'));
    expect(readFileSync(join(at, 'real.keras')).subarray(0, 2).toString()).toBe('PK');
  });

  test.each([
    ['a parent that is missing', (at: string) => join(at, 'no', 'a.keras'), /no such file or folder/],
    ['a path that is a folder', (at: string) => at, /it is a folder/],
    ['a file for a parent', (at: string) => join(at, 'file', 'a.keras'), /no folder/],
    ['a name beyond measure', (at: string) => join(at, `${'x'.repeat(300)}.keras`), /too long/],
  ])('F46 %s is a SaveError', async (_, path, message) => {
    const at = join(folder(), 'a.keras');
    mkdirSync(at);
    writeFileSync(join(at, 'file'), 'old');
    const saving = small().save(path(at), { format: 'keras' });
    await expect(saving).rejects.toThrow(SaveError);
    await expect(saving).rejects.toThrow(message);
    expect(readdirSync(at)).toEqual(['file']);
    expect(readdirSync(join(at, '..'))).toEqual(['a.keras']);
  });

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written to', async () => {
    const at = folder();
    writeFileSync(join(at, 'a.keras'), 'old');
    chmodSync(at, 0o500);
    await expect(small().save(join(at, 'a.keras'))).rejects.toThrow(/permission denied/);
    chmodSync(at, 0o700);
    expect(readFileSync(join(at, 'a.keras'), 'utf8')).toBe('old');
  });

  test.skipIf(!existsSync('/dev/full'))('F46 a write that fails half-way keeps the old file', async () => {
    const at = folder();
    writeFileSync(join(at, 'a.keras'), 'old');
    const bad = {
      get length() {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
    };
    await expect(
      writeFiles(join(at, 'a.keras'), { parts: [{ name: 'a.keras', bytes: bad as never }] }, 'save'),
    ).rejects.toThrow(SaveError);
    expect(readdirSync(at)).toEqual(['a.keras']);
    expect(readFileSync(join(at, 'a.keras'), 'utf8')).toBe('old');
  });

  test('F45 killed at any moment, the file is the old one or the new one', async () => {
    const at = folder();
    const file = join(at, 'a.bin');
    // Without a GPU the child starts in no time; what is tested is the writing.
    await build({
      entryPoints: ['src/nn/saving/files.ts'],
      bundle: true,
      format: 'esm',
      outfile: join(at, 'files.mjs'),
      logLevel: 'error',
    });
    writeFileSync(
      join(at, 'write.mjs'),
      `import { writeFiles } from './files.mjs';
       process.stdout.write('begins');
       for (let i = 0; ; i = (i + 1) % 200)
         await writeFiles(process.argv[2], { parts: [{ name: 'a.bin', bytes: new Uint8Array(3e6).fill(i) }] }, 'save');`,
    );
    const moments = isLong ? 100 : 5;
    for (let i = 0; i < moments; i++) {
      const child = spawn(process.execPath, [join(at, 'write.mjs'), file]);
      const closed = new Promise((resolve) => child.on('close', resolve));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 50 + ((37 * i) % 211)));
      child.kill('SIGKILL');
      await closed;
      if (!existsSync(file)) continue;
      const bytes = readFileSync(file);
      expect(bytes.length).toBe(3_000_000);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
    expect(existsSync(file)).toBe(true);
    // What the killed ones left is taken away by the next save; what somebody else may be writing is not.
    const foreign = `.a.bin.${'0'.repeat(8)}-1-${'0'.repeat(8)}.tmp`;
    writeFileSync(join(at, foreign), 'x');
    await writeFiles(file, { parts: [{ name: 'a.bin', bytes: Uint8Array.of(1) }] }, 'save');
    expect(readdirSync(at).sort()).toEqual([foreign, 'a.bin', 'files.mjs', 'write.mjs']);
  }, 300_000);

  test('what a killed process left of weights under any name is taken away, what somebody writes is not', async () => {
    const at = folder();
    const host = hashOfHost();
    const left = (pid: number, weights: string) =>
      `.model.weights.${weights}.bin.${host}-${pid}-01234567.tmp`;
    // Above the most that Linux gives, and our own.
    writeFileSync(join(at, left(2 ** 22 + 1, '00000001')), 'x');
    writeFileSync(join(at, left(process.pid, '00000002')), 'x');
    writeFileSync(join(at, '.other.weights.00000003.bin.tmp'), 'x');
    await small().save(join(at, 'model.json'));
    expect(
      readdirSync(at)
        .filter((name) => name.startsWith('.'))
        .sort(),
    ).toEqual([left(process.pid, '00000002'), '.other.weights.00000003.bin.tmp'].sort());
  });

  const saves = isLong ? 50 : 2;
  test.each(['model.json', 'model.keras'])(
    `F45 %s, killed at ${saves} moments, is the old model or the new one, and leaves nothing else`,
    async (name) => {
      const at = folder();
      const file = join(at, name);
      const random = generator(45);
      let last = 0;
      for (let i = 1; i <= saves; i++) {
        const child = spawn(process.execPath, [
          resolve('test/nn/saving/save-for-ever.js'),
          file,
          String(1000 * i),
        ]);
        const closed = new Promise((done) => child.on('close', done));
        await new Promise((done) => child.stdout.once('data', done));
        await new Promise((done) => setTimeout(done, random.between(0, 120)));
        child.kill('SIGKILL');
        await closed;
        const model = await loadModel(file);
        const weights = await model.weights[0].data();
        expect(new Set(weights).size).toBe(1);
        // Never an older one than was there.
        expect(weights[0]).toBeGreaterThanOrEqual(Math.max(last, 1000 * i));
        last = weights[0];
        model.dispose();
      }
      // What the killed ones left is taken away by a save to its end.
      await small().save(file);
      expect(readdirSync(at).length).toBe(name === 'model.json' ? 2 : 1);
    },
    600_000,
  );
});

describe('loading', () => {
  test('what is not there, or is a folder, is a LoadError with the path', async () => {
    const at = folder();
    await expect(loadModel(join(at, 'no.keras'))).rejects.toThrow(LoadError);
    await expect(loadModel(join(at, 'no.keras'))).rejects.toThrow(/no\.keras cannot be read: no such file/);
    await expect(loadModel(at)).rejects.toThrow(/it is a folder/);
  });

  test('addresses, with the files beside them', async () => {
    const at = folder();
    const model = small();
    await model.save(join(at, 'model.json'));
    await model.save(join(at, 'a.keras'));
    const server = createServer((request, response) => {
      const file = join(at, request.url ?? '');
      response.statusCode = existsSync(file) ? 200 : 404;
      response.end(existsSync(file) ? readFileSync(file) : 'no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const before = await model.weights[0].data();
    for (const source of [`${address}/a.keras`, `${address}/model.json`, new URL(`${address}/a.keras`)])
      expect(await (await loadModel(source)).weights[0].data()).toEqual(before);
    await expect(loadModel(`${address}/b.keras`)).rejects.toThrow(/b\.keras answers 404/);
    await expect(loadModel('http://127.0.0.1:1/x.keras')).rejects.toThrow(LoadError);
    expect(await (await loadModel(pathToFileURL(join(at, 'a.keras')))).weights[0].data()).toEqual(before);
  });

  test('F50 a binary file that is missing, or somewhere else', async () => {
    const at = folder();
    const path = join(at, 'model.json');
    await small().save(path);
    const text = readFileSync(path, 'utf8');
    const [binary] = readdirSync(at).filter((name) => name.endsWith('.bin'));
    for (const elsewhere of [
      '../x.bin',
      '/etc/passwd',
      'file:///etc/passwd',
      'http://x/y',
      'C:\\x',
      'a\\b',
    ]) {
      writeFileSync(path, text.replaceAll(binary, JSON.stringify(elsewhere).slice(1, -1)));
      await expect(loadModel(path)).rejects.toThrow(/points elsewhere/);
    }
    writeFileSync(path, text.replaceAll(binary, 'gone.bin'));
    await expect(loadModel(path)).rejects.toThrow(/gone\.bin cannot be read/);
  });
});

test('weights in a Buffer that begins anywhere are those of its bytes', async () => {
  const [model, other] = [small(), small()];
  const bytes = await model.toBytes('safetensors');
  const whole = Buffer.alloc(bytes.length + 64, 255);
  whole.set(bytes, 33);
  await other.loadWeights(whole.subarray(33, 33 + bytes.length));
  const [mine, theirs] = await Promise.all(
    [model, other].map((each) => each.layers.at(-1)!.weights[0].array()),
  );
  expect(theirs).toEqual(mine);
});
