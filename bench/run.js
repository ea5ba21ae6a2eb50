#!/usr/bin/env node
/**
 * The whole benchmark, part after part; each part is a command of its own too.
 *
 *   npm run bench        what the adapter can do, a few products, W1–W4: some minutes
 *   npm run bench:full   everything
 *
 * Other options (--peers, --tuning, --page, --data, --quick) go to every part.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const everyday = [
  ['ceilings', '--seconds', '15'],
  ['matmul', '--sizes', '512×512×512,32×784×100', '--minutes', '1'],
  ['steps', '--seconds', '1', '--minutes', '4'],
];
const full = [
  ['ceilings'],
  ['matmul'],
  ['steps'],
  ['steps', '--workloads', 'M32,M256,M1024', '--minutes', '15'],
  ['startup'],
  ['predict'],
  ['fit'],
  ['memory'],
  ['scaling'],
  ['ops'],
];
/** Parts that have no peers, or run in Node only. */
const nodeOnly = ['startup', 'memory', 'fit', 'scaling', 'ops'];

const { values, tokens } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    parts: { type: 'string' },
    page: { type: 'boolean', default: false },
  },
  strict: false,
  tokens: true,
});
const passedOn = process.argv
  .slice(2)
  .filter((word, i, all) => word !== '--full' && !word.startsWith('--parts') && all[i - 1] !== '--parts');
if (tokens.some(({ name }) => name === 'help')) {
  console.log(
    'node bench/run.js [--full] [--parts steps,matmul] [options of the parts: node bench/steps.js --help]',
  );
  process.exit();
}

const wanted = values.parts?.split(',');
const environment = {
  ...process.env,
  WEFT_BENCH_RUN: process.env.WEFT_BENCH_RUN ?? new Date().toISOString(),
};
for (const [part, ...options] of values.full || wanted ? full : everyday) {
  if (wanted && !wanted.includes(part)) continue;
  if (values.page && nodeOnly.includes(part)) continue;
  console.log(`\n── ${part} ──`);
  const script = fileURLToPath(new URL(`${part}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...options, ...passedOn], {
    stdio: 'inherit',
    env: environment,
  });
  if (status !== 0) process.exitCode = 1;
}
console.log('\nTo quote these results in docs/performance.md: npm run bench:report');
