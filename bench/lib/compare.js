/**
 * One workload or one product, all engines: raced, checked and summed up. The same in Node and in a page.
 *
 * Both take { names, open, request, rounds, roundSeconds, seconds } as `race` does, and give rows to be saved.
 */
import { productFlops, productTitle } from './product.js';
import { race, timing } from './race.js';
import { referenceLoss } from './reference.js';
import { firstLine, perStep, short, table } from './table.js';

/** Milliseconds per training step. data: the same that the engines load. */
export async function compareSteps(workload, { data, request, ...how }) {
  const { id, title, checkSteps } = workload;
  const expected = referenceLoss(workload, data, checkSteps);
  const runners = await race({
    ...how,
    kinds: { prepare: 'prepare', round: 'round', finish: 'finish' },
    request: { ...request, workload: id, checkSteps },
    check: ({ check }) => agree(check, expected),
    judge: (runner) => judge(runner, workload, data),
  });
  return runners.map((runner) => {
    const { engine, name, failed } = runner;
    const row = { workload: id, title, engine, name };
    if (failed) return { ...row, failed };
    const { loss, accuracy, calls } = runner.rounds.at(-1);
    const { check, coldMilliseconds, stepsTotal, testAccuracy, explained } = runner;
    return {
      ...row,
      ...timing(runner, runners),
      calls,
      explained,
      coldMilliseconds,
      checkLoss: check.loss,
      loss,
      accuracy,
      stepsTotal,
      testAccuracy,
    };
  });
}

/** Same weights, same batches: the same loss, but for rounding. */
function agree(check, expected) {
  const difference = Math.abs(check.loss - expected.loss) / expected.loss;
  if (!(difference < 1e-4)) throw new Error(`check: loss ${check.loss}, the reference has ${expected.loss}`);
  if (!(Math.abs(check.accuracy - expected.accuracy) < 0.02))
    throw new Error(`check: accuracy ${check.accuracy}, the reference has ${expected.accuracy}`);
}

function judge(runner, { floors }, { floorShare }) {
  runner.stepsTotal = runner.rounds.reduce((sum, { count }) => sum + count, 0);
  const { loss } = runner.rounds.at(-1);
  if (runner.stepsTotal >= 20 && !(loss < runner.check.loss))
    throw new Error(`the loss did not fall: ${runner.check.loss}, then ${loss}`);
  const reached = Object.entries(floors).filter(([steps]) => Number(steps) <= runner.stepsTotal);
  const floor = floorShare * Math.max(0, ...reached.map(([, accuracy]) => accuracy));
  if (!(runner.testAccuracy >= floor))
    throw new Error(
      `test accuracy ${runner.testAccuracy} after ${runner.stepsTotal} steps, expected ${floor}`,
    );
}

/** Time and GFLOP/s of a product. */
export async function compareProducts(product, { request, ...how }) {
  const runners = await race({
    ...how,
    kinds: { prepare: 'prepareProduct', round: 'productRound', finish: 'finishProduct' },
    request: { ...request, product },
  });
  return runners.map((runner) => {
    const { engine, name, failed } = runner;
    const row = { product: productTitle(product), what: product.what, engine, name };
    if (failed) return { ...row, failed };
    const time = timing(runner, runners);
    const gigaflops = productFlops(product) / time.milliseconds.median / 1e6;
    return { ...row, ...time, gigaflops, calls: runner.rounds.at(-1).calls };
  });
}

const range = ({ min, max }) => `(${short(min)}–${short(max)})`;
const remark = (row) => [row.name, `failed: ${firstLine(row.failed)}`];

export function stepsTable({ id, title }, rows) {
  const header = [
    'engine',
    'ms/step',
    '(min–max)',
    '× Weft',
    'dispatches',
    'submits',
    'cold ms',
    'loss',
    'test',
  ];
  const lines = rows.map((row) => {
    if (row.failed) return remark(row);
    const { milliseconds, ratio, calls } = row;
    return [
      row.name,
      short(milliseconds.median),
      range(milliseconds),
      ratio ? ratio.median.toFixed(2) : '–',
      calls ? perStep(calls.dispatches) : '–',
      calls ? perStep(calls.submits) : '–',
      row.coldMilliseconds.toFixed(0),
      row.loss.toFixed(4),
      row.testAccuracy.toFixed(3),
    ];
  });
  return `${id}  ${title}\n${table(header, lines)}\n`;
}

export function productsTable(product, rows) {
  const header = ['engine', 'GFLOP/s', 'µs', '(min–max)', '× Weft'];
  const lines = rows.map((row) => {
    if (row.failed) return remark(row);
    const { median, min, max } = row.milliseconds;
    return [
      row.name,
      short(row.gigaflops),
      short(1000 * median),
      range({ min: 1000 * min, max: 1000 * max }),
      row.ratio ? row.ratio.median.toFixed(2) : '–',
    ];
  });
  return `${productTitle(product)}${product.what ? `  (${product.what})` : ''}\n${table(header, lines)}\n`;
}
