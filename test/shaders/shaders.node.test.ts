/** Every WGSL file compiles as it stands, by Dawn's own compiler on its null backend: no driver is needed. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { specialize } from '../../src/engine/shader.ts';
import { unroll } from '../../src/engine/unroll.ts';
import { kernels, library } from '../../src/shaders/index.ts';

const folder = 'src/shaders';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .sort();
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
let device: GPUDevice;

beforeAll(async () => {
  const adapter = await gpu.requestAdapter();
  device = await adapter!.requestDevice({
    requiredFeatures: ['shader-f16', 'subgroups'] as GPUFeatureName[],
  });
});
afterAll(() => device.destroy());

/** The compiler's complaints, as `line:column message`. */
async function complaints(code: string): Promise<string[]> {
  device.pushErrorScope('validation');
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  return messages
    .filter(({ type }) => type !== 'info')
    .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`);
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');

  // `subgroupBroadcast` wants its lane spelled as a constant, which the index of an unrolled loop becomes.
  test('compiles as it stands, marked loops unrolled where a lane must be a constant', async () => {
    expect(await complaints(text.includes('subgroupBroadcast(') ? unroll(text) : text)).toEqual([]);
  });

  test('compiles with its storage bindings widened', async () => {
    expect(await complaints(specialize(text).code)).toEqual([]);
  });

  test('is listed in index.ts under its name', () => {
    const name = basename(file, '.wgsl');
    const list: Record<string, string> = file.startsWith('lib') ? library : kernels;
    expect(list[name]).toBe(text);
  });

  test('opens with what it computes', () => {
    expect(text).toMatch(/^(enable \w+;\n+)*\/\/ \S/);
  });
});
