/** The pictures of docs/performance.md, drawn by Weft's own plots: [{ key, rows }] → { 'steps-llvmpipe.svg': … }. */
import { firstWord, title } from './sections.js';
import { short } from './table.js';

export async function pictures(adapters) {
  const { plot } = await import('weft-gpu');
  const svgs = {};
  for (const { key, rows } of adapters) {
    const steps = rows.filter(
      (row) => row.part === 'steps' && row.engine !== 'weft' && row.ratio && row.workload.startsWith('W'),
    );
    if (steps.length > 0) svgs[`steps-${key}.svg`] = stepsPicture(plot, key, steps);
    for (const row of rows.filter(({ part }) => part === 'scaling'))
      svgs[`scaling-${key}-${firstWord(row.curve)}.svg`] = scalingPicture(plot, row);
  }
  return svgs;
}

/** Bars of powers of two, so that 0.5× and 50× can both be seen: to the right, slower than Weft; to the left, faster. */
const stepsPicture = (plot, key, rows) =>
  plot.bars(
    rows.map(({ ratio }) => Math.log2(ratio.median)),
    {
      title: `Time of a training step relative to Weft's, powers of two; ${title(key)}`,
      labels: rows.map(({ workload, name }) => `${workload}  ${shortName(name)}`),
      highlight: null,
      width: 720,
      format: (power) => `${short(2 ** power)}×`,
    },
  );

const shortName = (name) => name.replace(/ \d[^,]*,/, ',').replace(/ \(\d+ threads?\)$/, '');

/** Both axes are powers of two: where a curve is flat, dispatching is what costs. */
const scalingPicture = (plot, { curve, points }) =>
  plot.curves(
    { 'log₂ of milliseconds per step': points.map(({ milliseconds }) => Math.log2(milliseconds.median)) },
    {
      title: curve,
      x: points.map(({ at }) => Math.log2(at)),
      xLabel: `log₂ of ${firstWord(curve)}`,
    },
  );
