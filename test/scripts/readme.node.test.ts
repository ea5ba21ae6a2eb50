/** The README's examples, run as they stand, but on a few drawn garments instead of all the photographs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;

/** A machine without a GPU driver needs one found; users with a GPU write nothing of the kind. */
const prelude = `import { findGpu } from '../../scripts/support/software-adapter.js';
import { init } from 'weft-gpu';
await init({ gpu: (await findGpu()).gpu, seed: 1 });
`;

async function output(code: string): Promise<string> {
  const folder = await mkdtemp(join(root, 'test/scripts/readme-'));
  try {
    const file = join(folder, 'example.mjs');
    await writeFile(file, prelude.replace('../../', '../../../') + code);
    return (await run(process.execPath, [file], { cwd: root })).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the examples of the README', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const examples = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);

  it('are two', () => expect(examples).toHaveLength(2));

  it('train a model as in Keras', async () => {
    const small = examples[0]
      .replace('await datasets.fashionMnist()', 'datasets.garments({ train: 320, test: 64 })')
      .replace('epochs: 5', 'epochs: 1');
    expect(small).toContain('garments');
    const printed = await output(small);
    expect(printed).toMatch(/8\/8 .*accuracy: .* - loss: .* - val_accuracy: .* - val_loss: /);
    expect(printed).toMatch(/\{ loss: [\d.]+, accuracy: [\d.]+ \}/);
  });

  it('capture a step of one’s own', async () => {
    const printed = await output(examples[1]);
    const found = printed.match(/-?\d+\.\d+/g)!.map(Number);
    expect(found).toHaveLength(3);
    for (const [i, exact] of [1, -2, 3].entries()) expect(Math.abs(found[i] - exact)).toBeLessThan(1e-2);
  });
});
