/** The pictures of docs/performance.md, drawn by Weft's own plots: [{ key, rows }] → { 'steps-llvmpipe.svg': … }. */
import { title } from './sections.js';

export async function pictures(adapters) {
  const { plot } = await import('weft');
  const svgs = {};
  for (const { key, rows } of adapters) {
    const steps = rows.filter(
      (row) => row.part === 'steps' && row.engine !== 'weft' && row.ratio && row.workload.startsWith('W'),
    );
    if (steps.length > 0) {
      svgs[`steps-${key}.svg`] = plot.bars(
        steps.map(({ ratio }) => ratio.median),
        {
          title: `Time of a training step, Weft = 1; ${title(key)}`,
          labels: steps.map(({ workload, name }) => `${workload}  ${shortName(name)}`),
          highlight: null,
          width: 640,
          format: (value) => `${value.toFixed(1)}×`,
        },
      );
    }
    const scaling = rows.filter(({ part }) => part === 'scaling');
    if (scaling.length > 0) svgs[`scaling-${key}.svg`] = scalingPicture(plot, key, scaling);
  }
  return svgs;
}

const shortName = (name) => name.replace(/ \d[^,]*,/, ',').replace(/ \(\d+ threads?\)$/, '');

/** Both axes are powers of two: where a curve is flat, dispatching is what costs. */
function scalingPicture(plot, key, rows) {
  const panels = rows.map(({ curve, points }) => ({
    x: points.map(({ at }) => Math.log2(at)),
    title: curve,
    curves: { 'log₂ ms per step': points.map(({ milliseconds }) => Math.log2(milliseconds.median)) },
  }));
  // A panel's curves share their x, so each is known at the places of all.
  const x = [...new Set(panels.flatMap((panel) => panel.x))].sort((a, b) => a - b);
  const at = (panel) => (value) => {
    const i = panel.x.indexOf(value);
    return i < 0 ? Number.NaN : panel.curves['log₂ ms per step'][i];
  };
  return plot.curves(
    panels.map((panel) => ({
      title: panel.title,
      curves: { 'log₂ ms per step': Float64Array.from(x, at(panel)) },
    })),
    { title: `A training step; ${title(key)}`, x, xLabel: 'log₂', columns: 2 },
  );
}
