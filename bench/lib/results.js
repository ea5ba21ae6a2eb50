/**
 * Where results go: bench/results/<adapter>.jsonl, one self-contained JSON line each. `npm run bench:report` copies the
 * lines to be quoted into docs/performance and writes the tables from there.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const resultsFolder = process.env.WEFT_BENCH_RESULTS
  ? `${process.env.WEFT_BENCH_RESULTS}/`
  : fileURLToPath(new URL('../results/', import.meta.url));

/** The adapter as a file name: 'llvmpipe', 'swiftshader-chromium', 'nvidia-h100'. */
export function adapterKey({ adapter, where }) {
  const known = ['llvmpipe', 'swiftshader'].find((name) =>
    `${adapter.name} ${adapter.architecture}`.toLowerCase().includes(name),
  );
  const slug = (text) =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '');
  return `${known ?? slug(adapter.name)}${where === 'Chromium' ? '-chromium' : ''}`;
}

/** Keeps one result of a part ('steps', 'matmul', …), with all that a number needs to be worth something. */
export function save(part, context, row) {
  const full = { part, ...context, ...row };
  mkdirSync(resultsFolder, { recursive: true });
  appendFileSync(`${resultsFolder}${adapterKey(full)}.jsonl`, `${JSON.stringify(full)}\n`);
  return full;
}

export function readRows(path) {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((text) => text.trim() !== '').map((text) => JSON.parse(text));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
