/** `npx weft-gpu doctor`, run as the package declares it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findGpu } from '../../scripts/support/software-adapter.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { bin, version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `weft …` in a process of its own, on the adapter that tests use. */
async function weft(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { environment } = await findGpu();
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...environment, ...env, NO_COLOR: '1' } };
    execFile(process.execPath, [bin.weft, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

test('doctor names the adapter, checks ops, measures kernels and exits with 0', async () => {
  const { code, stdout } = await weft(['doctor', '--ops', 'relu,tanh']);
  expect(stdout).toContain(`Weft ${version} doctor`);
  expect(stdout).toMatch(/name +\S/);
  expect(stdout).toMatch(/[✓–] shader-f16/);
  expect(stdout).toMatch(/✓ relu +exact/);
  expect(stdout).toMatch(/✓ tanh +[\d.<]+/);
  expect(stdout).toMatch(/matmul +\d+ × \d+/);
  expect(stdout).toMatch(/All right: (\d+) of \1 checks of 2 ops/);
  expect(code).toBe(0);
});

test('--json prints one object and nothing else', async () => {
  const { code, stdout } = await weft(['doctor', '--ops', 'relu', '--no-speed', '--json']);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ weft: version, ok: true, speeds: [] });
  expect(told.adapter.description).toBeTruthy();
  expect(told.limits.maxBufferSize).toBeGreaterThan(0);
  expect(told.test.ops.map(({ op }: { op: string }) => op)).toEqual(['relu']);
  expect(code).toBe(0);
});

test('a driver that computes exp wrongly makes it exit with 1 and say where', async () => {
  const { code, stdout } = await weft(['doctor', '--ops', 'exp,add', '--no-speed'], {
    NODE_OPTIONS: '--import ./test/scripts/break-exp.js',
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ exp/);
  expect(stdout).toMatch(/✓ add/);
  expect(stdout).toMatch(/✗ exp of \[5\], value: off by [\d.e-]+, allowed [\d.e-]+/);
  expect(stdout).toMatch(/Not right/);
});

test('without an adapter it says what was looked for and what to install, and exits with 2', async () => {
  const none = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
  const { code, stderr } = await weft(['doctor'], none);
  expect(code).toBe(2);
  expect(stderr).toMatch(/No WebGPU adapter/);
  expect(stderr).toMatch(/VK_DRIVER_FILES=\/nonexistent/);
  expect(stderr).toMatch(/Fix: /);
  const asJson = await weft(['doctor', '--json'], none);
  expect(asJson.code).toBe(2);
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    ok: false,
    error: expect.stringMatching(/No WebGPU adapter/),
  });
});

test("without the package 'webgpu' it says how to install it, and exits with 2", async () => {
  const { code, stderr } = await weft(['doctor'], { NODE_OPTIONS: '--import ./test/scripts/no-webgpu.js' });
  expect(code).toBe(2);
  expect(stderr).toMatch(/npm install webgpu/);
});

test('options, ops and commands that there are not are refused with 2, help is given with 0', async () => {
  expect(await weft(['doctor', '--fast'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--fast/),
  });
  const unknown = await weft(['doctor', '--ops', 'relu,tanhh']);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/'tanhh'.*Known: /s) });
  expect(await weft(['cure'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/cure/) });
  expect(await weft([])).toMatchObject({ code: 0, stdout: expect.stringMatching(/npx weft-gpu doctor/) });
  expect((await weft(['--version'])).stdout.trim()).toBe(version);
});
