#!/usr/bin/env node
/** Matrix products, GFLOP/s: squares and the shapes of W1–W3, Weft against its peers, each checked against float64. */
import {
  chooseEngines,
  chooseHome,
  describeRun,
  introduce,
  readOptions,
  readTuning,
  sharedHelp,
} from './lib/choose.js';
import { hugeSquare, productFlops, productTitle, skinny, squares } from './lib/product.js';
import { race, timing } from './lib/race.js';
import { save } from './lib/results.js';
import { firstLine, short, table } from './lib/table.js';

const help = `node bench/matmul.js [options]

  --sizes 512           only the shapes whose title (256×256×256, 784×32×10 aᵀ) starts so, several with commas
${sharedHelp}`;
const options = readOptions(help, { sizes: { type: 'string' } });
const names = chooseEngines(options, help, { halfPrecision: true });
const home = await chooseHome(options);
const context = await describeRun(options, home);
const say = options.json ? () => {} : (text) => console.log(text);
say(`${introduce(context)}\n`);

const all = [...squares, ...skinny, ...(context.adapter.software ? [] : [hugeSquare])];
const wanted = options.sizes?.split(',');
const products = all.filter(
  (product) => !wanted || wanted.some((start) => productTitle(product).startsWith(start)),
);
const start = performance.now();
for (const [i, product] of products.entries()) {
  const left = Number(options.minutes ?? 6) * 60 - (performance.now() - start) / 1000;
  const runners = await race({
    names,
    open: (name) => home.open(name),
    kinds: { prepare: 'prepareProduct', round: 'productRound', finish: 'finishProduct' },
    request: { product, tuning: readTuning(options.tuning) },
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    roundSeconds: Number(options.seconds ?? (options.quick ? 0.1 : 0.5)),
    seconds: left / (products.length - i),
  });
  const rows = runners.map((runner) =>
    save('matmul', context, { ...summary(product, runner, runners), what: product.what }),
  );
  if (options.json) for (const row of rows) console.log(JSON.stringify(row));
  if (rows.some((row) => row.failed)) process.exitCode = 1;
  say(terminalTable(product, rows));
}
await home.close();
say(`${((performance.now() - start) / 60_000).toFixed(1)} minutes.`);

function summary(product, runner, runners) {
  const { engine, name, failed } = runner;
  const row = { product: productTitle(product), engine, name };
  if (failed) return { ...row, failed };
  const time = timing(runner, runners);
  const gigaflops = productFlops(product) / time.milliseconds.median / 1e6;
  return { ...row, ...time, gigaflops, calls: runner.rounds.at(-1).calls };
}

function terminalTable(product, rows) {
  const header = ['engine', 'GFLOP/s', 'µs', '(min–max)', '× Weft'];
  const lines = rows.map((row) => {
    if (row.failed) return [row.name, `failed: ${firstLine(row.failed)}`];
    const { median, min, max } = row.milliseconds;
    return [
      row.name,
      short(row.gigaflops),
      short(1000 * median),
      `(${short(1000 * min)}–${short(1000 * max)})`,
      row.ratio ? row.ratio.median.toFixed(2) : '–',
    ];
  });
  return `${productTitle(product)}${product.what ? `  (${product.what})` : ''}\n${table(header, lines)}\n`;
}
