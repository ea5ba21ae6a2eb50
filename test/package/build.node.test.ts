/** What the build does to the sources: WGSL loses its comments and nothing else, constants are marked pure. */
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { stripWgsl } from '../../scripts/support/strip-wgsl.js';
import { withPureConstants } from '../../scripts/support/tree-shaking.js';
import { specialize } from '../../src/engine/shader.ts';
import { shaderFiles } from '../support/shader-files.ts';

const withoutComments = (code: string): string[] =>
  code
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').trimEnd())
    .filter(Boolean);

describe.each(shaderFiles)('stripped, $name', ({ text }) => {
  test('is the same shader, loops unrolled, with the same marks', () => {
    const marks = (code: string) => code.match(/\/\/ @\w+.*$/gm);
    const stripped = stripWgsl(text);
    expect(stripped.length).toBeLessThan(text.length);
    expect(marks(stripped)).toEqual(marks(text));
    const [ours, whole] = [specialize(stripped), specialize(text)];
    expect(withoutComments(ours.code)).toEqual(withoutComments(whole.code));
    expect(ours.bindings).toEqual(whole.bindings);
    expect(ours.uniforms).toEqual(whole.uniforms);
  });
});

describe('constants of a built module', () => {
  /** What of a module reaches an application that uses `kept` alone. */
  async function bundled(code: string, kept: string): Promise<string> {
    const module = { resolveDir: '/', contents: `import { ${kept} } from 'module'; console.log(${kept});` };
    const { outputFiles } = await build({
      stdin: module,
      bundle: true,
      write: false,
      format: 'esm',
      plugins: [
        {
          name: 'module',
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /^module$/ }, () => ({ path: 'module', namespace: 'module' }));
            onLoad({ filter: /.*/, namespace: 'module' }, () => ({ contents: code }));
          },
        },
      ],
    });
    return outputFiles[0].text;
  }

  const module = `var make = (name) => ({ name });
var Plain = class extends Error {
};
var small = make("small");
var table = {
  one: make("one"),
  two: [1, 2].map((x) => x * 2)
};
var list = [
  make("three")
].map((x) => x.name);
make("an effect that declares nothing");
export { make, Plain, small, table, list };
`;

  test('go where nobody uses them, effects stay', async () => {
    const before = await bundled(module, 'Plain');
    for (const name of ['small', 'one', 'three']) expect(before).toContain(name);
    const after = await bundled(withPureConstants(module), 'Plain');
    for (const name of ['"small"', '"one"', '"three"']) expect(after).not.toContain(name);
    expect(after).toContain('an effect that declares nothing');
  });

  test('are what they were, names of classes included', async () => {
    const url = `data:text/javascript,${encodeURIComponent(withPureConstants(module))}`;
    const { Plain, small, table, list } = await import(/* @vite-ignore */ url);
    expect(Plain.name).toBe('Plain');
    expect(small).toEqual({ name: 'small' });
    expect(table).toEqual({ one: { name: 'one' }, two: [2, 4] });
    expect(list).toEqual(['three']);
  });
});
