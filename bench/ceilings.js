#!/usr/bin/env node
/** What the adapter itself can do, by kernels of a few lines without Weft: the ceilings and floors of all other parts. */
import { chooseHome, describeRun, introduce, readOptions, sharedHelp } from './lib/choose.js';
import { save } from './lib/results.js';
import { short, table } from './lib/table.js';

const help = `node bench/ceilings.js [options]\n\n${sharedHelp}`;
const options = readOptions(help);
const home = await chooseHome(options);
const context = await describeRun(options, home);
const probe = await home.open('weft');
const seconds = Number(options.seconds ?? (options.quick ? 4 : 20));
const ceilings = await probe.ask('ceilings', { seconds }, 300).finally(() => probe.end());
await home.close();

const row = save('ceilings', context, { ceilings });
if (options.json) console.log(JSON.stringify(row));
else {
  const lines = Object.entries(ceilings).map(([name, { median, min, max }]) => {
    const [, what, unit] = name.match(/^(.*?) ?(Gigaflops|Gigabytes|Gigaloads|Microseconds)$/);
    const units = {
      Gigaflops: 'GFLOP/s',
      Gigabytes: 'GB/s',
      Gigaloads: 'billion loads/s',
      Microseconds: 'µs',
    };
    return [what, `${short(median)} ${units[unit]}`, `(${short(min)}–${short(max)})`];
  });
  console.log(
    `${introduce(context)}\n\n${table(['ceilings and floors', 'median', '(least–most)'], lines)}\n`,
  );
}
