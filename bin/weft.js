#!/usr/bin/env node
/** The command `weft`. Its only word so far is `doctor`. */
import { readFileSync } from 'node:fs';

const HELP = `Weft: train neural networks on WebGPU.

  npx weft-gpu doctor     which GPU this is, whether its kernels compute rightly, and how fast
  npx weft-gpu --version

npx weft-gpu doctor --help tells its options.`;

const [command, ...args] = process.argv.slice(2);
if (command === 'doctor') {
  const { doctor } = await import('./doctor.js');
  process.exitCode = await doctor(args);
} else if (command === '--version') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  console.log(version);
} else {
  const asked = command === undefined || command === '--help' || command === 'help';
  (asked ? console.log : console.error)(asked ? HELP : `weft: '${command}' is no command.\n\n${HELP}`);
  process.exitCode = asked ? 0 : 2;
}
