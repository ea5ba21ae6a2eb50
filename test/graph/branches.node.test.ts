/**
 * Generated code does not branch: a kernel repeats it for each of four neighbours, and SwiftShader, which is what a
 * bare machine has, takes twice as long to compile it for every branch. Some twenty and it never ends.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { create } from 'webgpu';
import { packedFolder } from '../../scripts/support/unpack.js';
import { unroll } from '../../src/engine/unroll.ts';
import * as weft from '../../src/index.ts';
import { gradients, type Tensor, tensor } from '../../src/index.ts';
import { apply } from '../../src/ops/define.ts';
import { registry } from '../../src/ops/registry.ts';
import type { Attributes } from '../../src/ops/tensor.ts';
import { expectClose, inputsOf } from '../ops/check.ts';
import { testEngine } from '../support/engine.ts';
import { rewriteShaders } from '../support/loose-shaders.ts';
import { shaderFiles } from '../support/shader-files.ts';
import { heavyPrograms, sumsOf } from './heavy-kernels.js';

/** Branches: `&&` and `||` go on to their right side or not. */
const branches = (code: string): number =>
  code.replace(/\/\/.*/g, '').match(/&&|\|\||\b(if|switch)\b/g)?.length ?? 0;

/** Kernels without generated code, by the line that they open with, and the branches that they have as they stand. */
const bare = new Map(
  shaderFiles.map(({ text }) => [
    text.split('\n').find((line) => line.startsWith('//')),
    branches(unroll(text)),
  ]),
);

/** An engine of Dawn's null backend, which compiles but runs nothing, and the branches that generated code brings. */
async function collecting() {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const engine = await testEngine({ gpu });
  const codes: string[] = [];
  rewriteShaders(engine.device, (code) => {
    codes.push(code);
    return code;
  });
  return {
    engine,
    /** What was compiled to compute these, as text, and how many branches were generated. */
    async compiled(results: readonly Tensor[]) {
      await Promise.all(results.map((x) => x.data()));
      const texts = codes.splice(0);
      const own = (code: string) => bare.get(code.split('\n').find((line) => bare.has(line)))!;
      return {
        kernels: texts.length,
        branches: texts.reduce((n, code) => n + branches(code) - own(code), 0),
      };
    },
  };
}

test('no op, forward or backward, brings a branch into a kernel', async () => {
  const { engine, compiled } = await collecting();
  let kernels = 0;
  for (const [name, entry] of registry) {
    const [one] = entry.cases;
    if (!one || one.shapes.length === 0) continue;
    const operands = inputsOf(one, 1).map(({ values, shape, dtype }) =>
      tensor(values, { shape, dtype, engine }),
    );
    const call = 'compute' in entry ? entry.compute : (x: Tensor[], a: Attributes) => apply(entry, x, a);
    const y = call(operands, one.attributes ?? {});
    const wrt = one.noGradient || y.dtype !== 'f32' ? [] : operands.filter(({ dtype }) => dtype === 'f32');
    const dx = wrt.length > 0 && ('compute' in entry || entry.backward) ? gradients(y.sum(), wrt) : [];
    const found = await compiled([y, ...dx]);
    kernels += found.kernels;
    expect({ name, branches: found.branches }).toEqual({ name, branches: 0 });
  }
  expect(kernels).toBeGreaterThan(50);
});

test.each(Object.keys(heavyPrograms(weft)))('%s: no kernel has a branch', async (name) => {
  const { engine, compiled } = await collecting();
  expect((await compiled(heavyPrograms(weft, engine)[name]())).branches).toBe(0);
});

test('these programs come to an end on SwiftShader, and to the sums of other adapters', async () => {
  if (!packedFolder()) return console.log('skipped: @sparticuz/chromium, which has SwiftShader, is not here');
  const script = fileURLToPath(new URL('heavy-kernels.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, WEFT_ADAPTER: 'swiftshader' },
    killSignal: 'SIGKILL',
    timeout: 55_000,
  });
  const { note, sums } = JSON.parse(stdout) as { note: string; sums: Record<string, number[]> };
  expect(note).toMatch(/SwiftShader/);
  const here = await sumsOf(heavyPrograms(weft, await testEngine()));
  for (const [name, wanted] of Object.entries(here))
    expectClose(sums[name], wanted, { relative: 1e-4 }, name);
});
