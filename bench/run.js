#!/usr/bin/env node
/**
 * The whole benchmark, part after part; each part is a command of its own too.
 *
 *   npm run bench        what the adapter can do, a few products, W1–W4: some minutes
 *   npm run bench -- --docs   what the targets of docs/performance.md need, in 12 minutes
 *   npm run bench:full   everything
 *
 * Other options (--peers, --tuning, --page, --data, --quick) go to every part.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readOptions, refuse, sharedHelp, sharedOptions } from './lib/choose.js';

const presets = {
  short: [
    ['ceilings', '--seconds', '15'],
    ['matmul', '--sizes', '512×512×512,32×784×100', '--minutes', '1'],
    ['steps', '--seconds', '1', '--minutes', '4'],
  ],
  docs: [
    ['ceilings', '--seconds', '20'],
    ['matmul', '--sizes', '512×512×512,32×784,784×32,128×784', '--seconds', '0.3', '--minutes', '1.5'],
    ['steps', '--seconds', '1.5', '--minutes', '7'],
    ['startup', '--peers', 'none', '--rounds', '2'],
    ['memory', '--steps', '4000'],
  ],
  full: [
    ['ceilings'],
    ['matmul'],
    ['steps'],
    ['steps', '--workloads', 'M32,M256,M1024', '--minutes', '15'],
    ['host'],
    ['startup'],
    ['predict'],
    ['fit'],
    ['memory'],
    ['scaling'],
    ['ops'],
  ],
};
/** Parts that run in Node only. */
const nodeOnly = ['host', 'startup', 'memory', 'fit', 'scaling', 'ops'];
/** Options that only some parts have. */
const special = {
  workloads: ['steps', 'host', 'startup'],
  sizes: ['matmul'],
  curves: ['scaling'],
  ops: ['ops'],
  steps: ['memory'],
  epochs: ['fit'],
};

const help = `node bench/run.js [--docs | --full] [--parts steps,matmul,…] [options of the parts]

  --docs                what the targets of docs/performance.md need: 12 minutes, instead of 6
  --full                everything
  --parts a,b           only these of: ${[...new Set(presets.full.map(([part]) => part))].join(', ')}
  ${Object.entries(special)
    .map(([name, parts]) => `--${name.padEnd(20)}handed to ${parts.join(' and ')}`)
    .join('\n  ')}
${sharedHelp}`;
const options = Object.fromEntries(Object.keys(special).map((name) => [name, { type: 'string' }]));
const values = readOptions(help, {
  docs: { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  parts: { type: 'string' },
  ...options,
});
const passedOn = (part) =>
  Object.entries(values)
    .filter(([name]) => name in sharedOptions || special[name]?.includes(part))
    .filter(([, value]) => value !== undefined && value !== false)
    .flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]));

const wanted = values.parts?.split(',');
const known = presets.full.some(([part]) => wanted?.includes(part));
if (wanted && !known) refuse(`no part '${values.parts}'`, help);
const preset = presets[values.docs ? 'docs' : values.full || wanted ? 'full' : 'short'];
const environment = {
  ...process.env,
  WEFT_BENCH_RUN: process.env.WEFT_BENCH_RUN ?? new Date().toISOString(),
};
for (const [part, ...defaults] of preset) {
  if (wanted && !wanted.includes(part)) continue;
  if (values.page && nodeOnly.includes(part)) continue;
  console.log(`\n── ${part} ──`);
  const script = fileURLToPath(new URL(`${part}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...defaults, ...passedOn(part)], {
    stdio: 'inherit',
    env: environment,
  });
  if (status !== 0) process.exitCode = 1;
}
console.log('\nTo quote these results in docs/performance.md: npm run bench:report');
