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
import { compareProducts, productsTable } from './lib/compare.js';
import { hugeSquare, productTitle, skinny, squares } from './lib/product.js';
import { save } from './lib/results.js';

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
const titles = all.map(productTitle);
const isWanted = (title) =>
  wanted.some((one) => (titles.includes(one) ? title === one : title.startsWith(one)));
const products = all.filter((product) => !wanted || isWanted(productTitle(product)));
/** One process an engine, for all products: importing some of them takes longer than multiplying. */
const processes = new Map();
async function reuse(name) {
  if (!processes.has(name) || processes.get(name).ended) processes.set(name, await home.open(name));
  const process = processes.get(name);
  return { ask: (...args) => process.ask(...args), end: async () => {} };
}

const start = performance.now();
for (const [i, product] of products.entries()) {
  const left = Number(options.minutes ?? 6) * 60 - (performance.now() - start) / 1000;
  const rows = await compareProducts(product, {
    names,
    open: reuse,
    request: { tuning: readTuning(options.tuning) },
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    roundSeconds: Number(options.seconds ?? (options.quick ? 0.1 : 0.5)),
    seconds: left / (products.length - i),
  });
  const saved = rows.map((row) => save('matmul', context, row));
  if (options.json) for (const row of saved) console.log(JSON.stringify(row));
  if (saved.some((row) => row.failed)) process.exitCode = 1;
  say(productsTable(product, saved));
}
for (const process of processes.values()) await process.end();
await home.close();
say(`${((performance.now() - start) / 60_000).toFixed(1)} minutes.`);
