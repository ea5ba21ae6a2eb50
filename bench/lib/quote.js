/** What of many results is to be quoted, and what the targets make of it. Pure, and tested in test/bench. */
import { floorOf } from './floors.js';
import { productFlops } from './product.js';
import { workloads } from './workloads.js';

/** What a line is a result of: lines of the same unit and run belong together, later runs replace earlier ones. */
export const unitOf = ({ part, workload, product, op, shapes, attributes, curve, engine }) =>
  [
    part,
    workload,
    product,
    op && JSON.stringify([op, shapes, attributes]),
    curve,
    ['startup', 'predict', 'fit', 'memory'].includes(part) ? engine : undefined,
  ]
    .filter((word) => word !== undefined)
    .join(' ');

/**
 * The lines of the latest run of each unit, each once: what was quoted before may be among the results still. A quick
 * look is never quoted, nor what is no result of a part.
 */
export function latest(rows) {
  const runOf = new Map();
  const once = new Map();
  for (const row of rows) {
    const text = JSON.stringify(row);
    once.delete(text); // the last place counts
    once.set(text, row);
  }
  const sound = [...once.values()].filter(({ part, quick }) => part && !quick);
  for (const row of sound) runOf.set(unitOf(row), row.run);
  return sound.filter((row) => runOf.get(unitOf(row)) === row.run);
}

/** One target: `{ part, adapter, workload | product, against: engines, least }`: the least of the ratios must reach `least`. */
const ratioTarget = (adapter, subject, against, least) => ({ adapter, ...subject, against, least });
const step = (workload) => ({ part: 'steps', workload });
const product = (size) => ({ part: 'matmul', product: `${size}×${size}×${size}` });
export const wasm = ['tfjs-wasm', 'jax-wasm'];

/** The targets, as the project set them. 'gpu' is any adapter that is no software. */
export const targets = [
  ...[
    ['W1', 8, 30, 3],
    ['W2', 4, 10, 1],
    ['W3', 4, 4, 1],
    ['W4', 6, 12, 1.5],
  ].flatMap(([workload, jax, tfjs, best]) => [
    ratioTarget('llvmpipe', step(workload), ['jax'], jax),
    ratioTarget('llvmpipe', step(workload), ['tfjs'], tfjs),
    ratioTarget('llvmpipe', step(workload), wasm, best),
  ]),
  ratioTarget('llvmpipe', product(512), ['jax'], 3),
  ratioTarget('llvmpipe', product(512), ['tfjs'], 4),
  ratioTarget('swiftshader', step('W1'), ['jax'], 6),
  ratioTarget('swiftshader', step('W1'), wasm, 1),
  { adapter: 'llvmpipe', part: 'startup', most: 5000 },
  { adapter: 'swiftshader', part: 'startup', most: 2000 },
  ...['W1', 'W2', 'W3', 'W4'].flatMap((workload) => [
    ratioTarget('gpu', step(workload), ['jax'], 5),
    ratioTarget('gpu', step(workload), ['tfjs'], 15),
    ratioTarget('gpu', step(workload), ['torch-cuda'], 3),
  ]),
  ratioTarget('gpu', product(4096), ['jax'], 2),
  ratioTarget('gpu', product(4096), ['tfjs'], 2),
  ratioTarget('gpu', product(4096), ['torch-cuda'], 0.6),
];

/**
 * A target held against the quoted rows of one adapter.
 *
 * → { state: 'met' | 'missed' | 'not measured', value, least | most, floor?, atFloor? }: the worst ratio or the longest
 * start, and the ratio that the floor itself (with a register tile, in milliseconds) would have.
 */
export function judgeTarget(target, rows) {
  const mine = rows.filter((row) => row.part === target.part && !row.failed);
  if (target.part === 'startup') {
    const times = mine
      .filter(({ engine, cold }) => engine === 'weft' && cold)
      .map(({ milliseconds }) => milliseconds.median);
    if (times.length === 0) return { ...target, state: 'not measured' };
    const value = Math.max(...times);
    return { ...target, state: value <= target.most ? 'met' : 'missed', value };
  }
  const same = mine.filter(
    (row) => row.workload === target.workload && row.product === target.product && row.ratio,
  );
  const peers = same.filter(({ engine }) => target.against.includes(engine));
  if (peers.length < target.against.length) return { ...target, state: 'not measured' };
  const closest = peers.reduce((a, b) => (b.ratio.median < a.ratio.median ? b : a));
  const value = closest.ratio.median;
  const result = { ...target, state: value >= target.least ? 'met' : 'missed', value, peer: closest.name };
  const ceilings = rows.find(({ part }) => part === 'ceilings')?.ceilings;
  const weft = same.find(({ engine }) => engine === 'weft');
  if (!ceilings || !weft) return result;
  const floor =
    target.part === 'matmul'
      ? productFloor(target.product, ceilings)
      : floorOf(
          workloads.find(({ id }) => id === target.workload),
          Math.round(weft.calls.dispatches),
          ceilings,
        ).tile;
  const own = weft.milliseconds.median;
  return { ...result, own, floor, atFloor: (value * own) / floor };
}

/** Milliseconds of a product at the rate of the best register tile. */
function productFloor(title, { tileGigaflops }) {
  const [m, k, n] = title.split('×').map(Number);
  return productFlops({ m, k, n }) / tileGigaflops.max / 1e6;
}

/** Text with what stands between the markers of `name` replaced; throws where the markers are not there. */
export function fillSection(text, name, content) {
  const [begin, end] = [`<!-- bench: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`report: no markers '${begin}' … '${end}' in the page`);
  return `${text.slice(0, from + begin.length)}\n\n${content.trim()}\n\n${text.slice(to)}`;
}
