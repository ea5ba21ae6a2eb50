#!/usr/bin/env node
/**
 * Writes the numbers of docs/performance.md and of the README: tables between markers, and pictures beside the page.
 * Nobody copies a number.
 *
 *   node bench/report.js --quote   takes the latest sound results of bench/results as docs/performance/<adapter>.jsonl
 *   node bench/report.js           writes tables and pictures from those
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pictures } from './lib/pictures.js';
import { fillSection, latest } from './lib/quote.js';
import { readRows, resultsFolder } from './lib/results.js';
import { sections, summary } from './lib/sections.js';

const { values: options } = parseArgs({ options: { quote: { type: 'boolean', default: false } } });
const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const folder = fileURLToPath(new URL('../docs/performance/', import.meta.url));
mkdirSync(folder, { recursive: true });

const filesOf = (path) => {
  mkdirSync(path, { recursive: true });
  return readdirSync(path).filter((name) => name.endsWith('.jsonl'));
};

if (options.quote) {
  for (const name of filesOf(resultsFolder)) {
    const rows = latest([...readRows(join(folder, name)), ...readRows(join(resultsFolder, name))]);
    if (rows.length === 0) continue;
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    console.log(`docs/performance/${name}: ${rows.length} results`);
  }
}

/** [{ key, rows }], software adapters last and llvmpipe before SwiftShader, as a reader looks for them. */
const adapters = filesOf(folder)
  .map((name) => ({ key: basename(name, '.jsonl'), rows: readRows(join(folder, name)) }))
  .sort((a, b) => Number(isSoftware(a)) - Number(isSoftware(b)) || (a.key < b.key ? -1 : 1));
function isSoftware({ rows }) {
  return rows[0].adapter.software;
}

for (const [name, svg] of Object.entries(await pictures(adapters))) writeFileSync(join(folder, name), svg);
let text = readFileSync(page, 'utf8');
for (const [name, write] of Object.entries(sections)) text = fillSection(text, name, write(adapters));
writeFileSync(page, text);
writeFileSync(readme, fillSection(readFileSync(readme, 'utf8'), 'summary', summary(adapters)));
console.log(`docs/performance.md: ${Object.keys(sections).join(', ')}`);
