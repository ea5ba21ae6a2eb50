/** What only a process of its own can show: how it ends, what it keeps, and life without an adapter. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLong } from '../support/long.ts';
import { affine } from './affine.ts';

/** A folder without node_modules: from here the package `webgpu` is not installed. */
const folder = mkdtempSync(join(tmpdir(), 'weft-process-'));
const helper = resolve('scripts/support/software-adapter.js');

beforeAll(async () => {
  await build({
    stdin: {
      contents: "export * from './engine.ts'; export * from './shader.ts';",
      resolveDir: resolve('src/engine'),
      loader: 'ts',
    },
    outfile: join(folder, 'engine.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['webgpu'],
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Since it said that its work is done, or since its start. */
  elapsedMs: number;
  /** Without stderr, where drivers and Dawn may have their say. */
  output: string;
  errors: string;
}

let scripts = 0;

/** Runs a script that has `Engine` and `specialize`, and says how it ended. */
function run(body: string, env: Record<string, string> = {}): Promise<Ended> {
  const path = join(folder, `${scripts++}.mjs`);
  writeFileSync(path, `import { Engine, specialize } from './engine.mjs';\n${body}`);
  const start = Date.now();
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      ['--expose-gc', path],
      { timeout: 240_000, env: { ...process.env, ...env } },
      (_error, stdout, stderr) => {
        const { exitCode: code, signalCode: signal } = child;
        const since = Number(stderr.match(/worked until (\d+)/)?.[1] ?? start);
        done({ code, signal, elapsedMs: Date.now() - since, output: stdout, errors: stderr });
      },
    );
  });
}

const working = `
import { findGpu } from ${JSON.stringify(helper)};
const { gpu } = await findGpu();
async function work() {
  const engine = await Engine.create({ gpu });
  const [x, y] = [engine.allocate(400, 'x'), engine.allocate(400, 'y')];
  engine.write(x, new Float32Array(100).fill(3));
  const recording = await engine.record([{
    label: 'affine',
    shader: specialize(${JSON.stringify(affine)}),
    bindings: { x, y },
    uniforms: { params: { size: 100, scale: 2, shift: 1 } },
    workgroups: [2, 1, 1],
  }], 'test');
  engine.run(recording, { times: 50 });
  const values = new Float32Array(await engine.read(y));
  if (values.some((value) => value !== 7)) throw new Error('wrong: ' + values);
  return { engine, recording, y };
}
const { engine, recording, y } = await work();
process.stderr.write('worked until ' + Date.now());
`;

describe('F32 a process ends within five seconds, with the right code', () => {
  const endings = [
    ['when nothing is closed', '', 0],
    ['when the engine is closed', 'await engine.close();', 0],
    ['with work and a read under way', 'engine.run(recording, { times: 500 }); engine.read(y);', 0],
    ['when closing is not awaited', 'engine.read(y); engine.close();', 0],
    [
      'by process.exit in the middle',
      'engine.run(recording, { times: 500 }); engine.read(y); process.exit(3);',
      3,
    ],
    ['by an uncaught exception', 'engine.run(recording, { times: 500 }); throw new Error("on purpose");', 1],
    ['by a lost device that nobody handles', 'engine.device.destroy(); await engine.read(y);', 1],
  ] as const;

  test.each(endings)('%s', async (_name, ending, code) => {
    const rounds = isLong ? 5 : 1;
    for (let round = 0; round < rounds; round++) {
      const ended = await Promise.all(Array.from({ length: 4 }, () => run(working + ending)));
      for (const { elapsedMs, errors, ...end } of ended) {
        expect(end, errors).toEqual({ code, signal: null, output: '' });
        expect(elapsedMs).toBeLessThan(5000);
      }
    }
  });
});

const ENGINES = isLong ? 200 : 80;

test(`F37 ${ENGINES} engines, opened and closed, leave no memory behind`, async () => {
  const { code, output, errors } = await run(
    `${working}
    await engine.close();
    let early = 0;
    for (let i = 0; i < ${ENGINES}; i++) {
      const { engine } = await work();
      await engine.close();
      if (i % 10 === 0) globalThis.gc();
      if (i === 20) early = process.memoryUsage.rss();
    }
    globalThis.gc();
    console.log((process.memoryUsage.rss() - early) / 2 ** 20);
  `,
    // Else glibc keeps an arena for each of the threads that compiled a pipeline, which is no leak.
    { MALLOC_ARENA_MAX: '1' },
  );
  expect(code, errors).toBe(0);
  expect(Number(output)).toBeLessThan((50 * (ENGINES - 20)) / 180);
});

describe('without an adapter', () => {
  const complain = 'await Engine.create().catch((error) => console.log(error.code, error.message));';
  const noDriver = { VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' };

  test('importing works, and init names the package that is missing', async () => {
    const { code, output, errors } = await run(complain);
    expect(code, errors).toBe(0);
    expect(output).toMatch(/UNSUPPORTED init: .*'webgpu' did not load.*npm install webgpu/);
  });

  test('init says that no driver was found, and what to install', async () => {
    const dawn = JSON.stringify(resolve('node_modules/webgpu/index.js'));
    const { code, output, errors } = await run(
      `import { create } from ${dawn};\nconst gpu = create([]);\n${complain.replace('()', '({ gpu })')}`,
      noDriver,
    );
    expect(code, errors).toBe(0);
    expect(output).toMatch(/UNSUPPORTED init: requestAdapter gave null.*mesa-vulkan-drivers/);
  });

  test('the helper of the scripts lists what it looked for', async () => {
    const { code, errors } = await run(
      `import { findGpu } from ${JSON.stringify(helper)};\nawait findGpu();`,
      {
        ...noDriver,
        WEFT_ADAPTER: 'system',
      },
    );
    expect(code).toBe(1);
    const parts = ['libvulkan.so.1', 'icd.d', 'VK_DRIVER_FILES=/nonexistent', 'apt-get install'];
    for (const part of parts) expect(errors).toContain(part);
  });
});
