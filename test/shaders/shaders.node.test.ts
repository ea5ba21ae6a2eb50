/** Every WGSL file compiles as it stands, by Dawn's own compiler on its null backend: no driver is needed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { stripWgsl } from '../../scripts/support/strip-wgsl.js';
import { hash } from '../../src/base/hash.ts';
import { specialize } from '../../src/engine/shader.ts';
import { unroll } from '../../src/engine/unroll.ts';
import * as functions from '../../src/shaders/functions.ts';
import { fingerprint, type KernelName, kernelText, loadKernels } from '../../src/shaders/index.ts';
import { shaderFiles } from '../support/shader-files.ts';

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

describe.each(shaderFiles)('$name', ({ name, isLibrary, text }) => {
  // `subgroupBroadcast` wants its lane spelled as a constant, which the index of an unrolled loop becomes.
  test('compiles as it stands, marked loops unrolled where a lane must be a constant', async () => {
    expect(await complaints(text.includes('subgroupBroadcast(') ? unroll(text) : text)).toEqual([]);
  });

  test('compiles with its storage bindings widened', async () => {
    expect(await complaints(specialize(text).code)).toEqual([]);
  });

  test('is found in index.ts or functions.ts under its name', async () => {
    await loadKernels([name as KernelName]);
    expect((isLibrary && (functions as Record<string, string>)[name]) || kernelText(name as KernelName)).toBe(
      text,
    );
  });

  test('opens with what it computes', () => {
    expect(text).toMatch(/^(enable \w+;\n+)*\/\/ \S/);
  });
});

test('the fingerprint in index.ts is that of the texts without their comments', () => {
  expect(fingerprint).toBe(hash(shaderFiles.map(({ text }) => stripWgsl(text)).join('\n')));
});
