/**
 * Windows of an input as an index map: y[n, p, t, c] = x[n, p · stride + t · dilation − before, c]. Depthwise convolution and
 * pooling are sums and maxima over its taps, and its gradient is made of the same map backwards, so nothing is scattered.
 */
import { extentOf, type Geometry, geometryOf } from './convolution/geometry.ts';
import { apply, type Case, defineOp, type Op, twin } from './define.ts';
import { type Expressions, literal } from './expression.ts';
import { sum } from './reduce.ts';
import { at, build, type NdArray, ndarray } from './reference.ts';
import { type Shape, sizeOf, stridesOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

interface WindowAttributes extends Geometry {
  /** Has the input an axis of taps itself, of which window by window each takes its own? */
  readonly own: boolean;
}

/** The index of an element, axis by axis; the last one apart, so that four neighbours stay neighbours. */
function coordinates(e: Expressions, index: string, shape: Shape): string[] {
  const found: string[] = [];
  let rest = index;
  for (let i = shape.length - 1; i >= 0; i--) {
    found.unshift(i === 0 ? rest : shape[i] === 1 ? '0u' : e.remainder(rest, shape[i]));
    if (i > 0 && shape[i] > 1) rest = e.divide(rest, shape[i]);
  }
  return found;
}

/** Element x[n, …positions, (tap), c], and 0 where a coordinate is not below the size of its axis. */
function lookUp(
  e: Expressions,
  x: Tensor,
  [n, positions, tap, c]: readonly [string, readonly string[], string | null, string],
  conditions: readonly string[] = [],
): string {
  const channels = x.shape[x.rank - 1];
  const strides = stridesOf(x.shape);
  const u32 = (value: number) => e.uniform(value, 'u32');
  const bounds = positions.map((at, i) => `(${at} < ${u32(x.shape[i + 1])})`);
  const inside = e.name([...bounds, ...conditions].join(' & '));
  const parts = [n, ...positions, ...(tap === null ? [] : [tap])];
  const start = parts.map((part, i) => `${part} * ${u32(strides[i])}`).join(' + ');
  const value = e.value(x, e.advance(c, e.name(`select(0u, ${start}, ${inside})`), channels));
  return e.name(`select(${literal(0, x.dtype)}, ${value}, ${inside})`);
}

const shapeWith = (x: Shape, sizes: Shape, taps: Shape | null): Shape => [
  x[0],
  ...sizes,
  ...(taps ? [sizeOf(taps)] : []),
  x[x.length - 1],
];

const windowsOp: Op = defineOp({
  name: 'windows',
  shape: ([x], a) => shapeWith(x, (a as WindowAttributes).places, (a as WindowAttributes).taps),
  dtype: ([x]) => x,
  steps: 12,
  expression(e, [x], index, y) {
    const { taps, strides, dilations, before, own } = y.attributes as WindowAttributes;
    const axes = coordinates(e, index, y.shape);
    const [tap, c] = axes.slice(-2);
    const t = coordinates(e, tap, taps);
    const u32 = (value: number) => e.uniform(value, 'u32');
    // Unsigned: what lies before the input wraps around and is outside as well.
    const positions = taps.map((_, i) =>
      e.name(`${axes[i + 1]} * ${u32(strides[i])} + ${t[i]} * ${u32(dilations[i])} - ${u32(before[i])}`),
    );
    return lookUp(e, x, [axes[0], positions, own ? tap : null, c]);
  },
  backward: (_inputs, _y, g, a) => [
    (a as WindowAttributes).own ? apply(spreadOp, [g], a) : fromWindows(g, a as WindowAttributes),
  ],
});

/** dx[n, i, t, c] = g[n, p, t, c] where tap t of the window at p is element i, else 0. */
const spreadOp: Op = defineOp({
  name: 'spread',
  shape: ([g], a) => shapeWith(g, (a as WindowAttributes).size, (a as WindowAttributes).taps),
  dtype: ([g]) => g,
  steps: 12,
  expression(e, [g], index, y) {
    const { taps, strides, dilations, before } = y.attributes as WindowAttributes;
    const axes = coordinates(e, index, y.shape);
    const [tap, c] = axes.slice(-2);
    const t = coordinates(e, tap, taps);
    const u32 = (value: number) => e.uniform(value, 'u32');
    const conditions: string[] = [];
    const positions = taps.map((_, i) => {
      const reached = e.name(`${axes[i + 1]} + ${u32(before[i])} - ${t[i]} * ${u32(dilations[i])}`);
      if (strides[i] === 1) return reached;
      conditions.push(`(${reached} % ${u32(strides[i])} == 0u)`);
      return e.name(`${reached} / ${u32(strides[i])}`);
    });
    return lookUp(e, g, [axes[0], positions, tap, c], conditions);
  },
  backward: (_inputs, _y, h, a) => [apply(windowsOp, [h], { ...a, own: true })],
});

/** The same summed over taps, for windows that are apart: each element belongs to one window at most. */
const pickOp: Op = defineOp({
  name: 'pick',
  shape: ([g], a) => shapeWith(g, (a as WindowAttributes).size, null),
  dtype: ([g]) => g,
  steps: 8,
  expression(e, [g], index, y) {
    const { taps, strides, before } = y.attributes as WindowAttributes;
    const axes = coordinates(e, index, y.shape);
    const u32 = (value: number) => e.uniform(value, 'u32');
    const tapStrides = stridesOf(taps);
    const conditions: string[] = [];
    const tap: string[] = [];
    const positions = taps.map((extent, i) => {
      const reached = before[i] === 0 ? axes[i + 1] : e.name(`${axes[i + 1]} + ${u32(before[i])}`);
      const own = e.name(`${reached} % ${u32(strides[i])}`);
      if (extent < strides[i]) conditions.push(`(${own} < ${u32(extent)})`);
      tap.push(tapStrides[i] === 1 ? own : `${own} * ${u32(tapStrides[i])}`);
      return e.name(`${reached} / ${u32(strides[i])}`);
    });
    return lookUp(e, g, [axes[0], positions, e.name(tap.join(' + ')), axes.at(-1) as string], conditions);
  },
  backward: (_inputs, _y, h, a) => [apply(windowsOp, [h], { ...a, own: false })],
});

/** Do no two windows overlap? */
export const areApart = ({ taps, strides, dilations }: Geometry): boolean =>
  taps.every((n, i) => extentOf(n, dilations[i]) <= strides[i]);

/** Windows of x: [N, ...size, C] → [N, ...places, taps, C], with zeros where they reach beyond it. */
export const windows = (x: Tensor, geometry: Geometry): Tensor =>
  apply(windowsOp, [x], { ...geometry, own: false });

/** The other way, what {@link windows} does to a gradient: each element is the sum of what its taps have. */
export const fromWindows = (g: Tensor, geometry: Geometry): Tensor =>
  areApart(geometry) ? apply(pickOp, [g], geometry) : sum(apply(spreadOp, [g], geometry), g.rank - 2);

// ---- the twins

/** y[n, p, t, c] = of(i, t) where the window at p reaches element i with tap t, else `outside` (0). */
const throughWindows = (
  { places, taps, strides, dilations, before, size }: WindowAttributes,
  [samples, channels]: readonly [number, number],
  of: (n: number, i: readonly number[], t: number, c: number) => number,
  outside = 0,
): NdArray =>
  build([samples, ...places, sizeOf(taps), channels], (index) => {
    const [t, c] = index.slice(-2);
    const tap = stridesOf(taps).map((stride, i) => Math.floor(t / stride) % taps[i]);
    const i = taps.map(
      (_, axis) => index[axis + 1] * strides[axis] + tap[axis] * dilations[axis] - before[axis],
    );
    return i.every((one, axis) => one >= 0 && one < size[axis]) ? of(index[0], i, t, c) : outside;
  });

/** What arrives at the elements that windows reach: by tap, or summed over taps. */
function backThroughWindows(g: NdArray, a: Attributes, summed: boolean): NdArray {
  const attributes = a as WindowAttributes;
  const dx = ndarray(shapeWith(g.shape, attributes.size, summed ? null : attributes.taps));
  const strides = stridesOf(dx.shape);
  const ends = [g.shape[0], g.shape.at(-1) as number] as const;
  const targets = throughWindows(
    attributes,
    ends,
    (n, i, t, c) =>
      [n, ...i, ...(summed ? [] : [t]), c].reduce((sum, one, axis) => sum + one * strides[axis], 0),
    -1,
  );
  for (const [from, to] of targets.data.entries()) if (to >= 0) dx.data[to] += g.data[from];
  return dx;
}

const layouts: [Shape, Parameters<typeof geometryOf>[0]][] = [
  [[2, 5, 4], { size: [5, 4], taps: [2, 3], padding: 'same' }],
  [[1, 7, 8], { size: [7, 8], taps: [2, 2], strides: 2 }],
  [[3, 9, 5], { size: [9, 5], taps: [3, 2], strides: [4, 2], padding: 'same' }],
  [[2, 6, 7], { size: [6, 7], taps: [3, 2], dilations: [2, 3] }],
  [[2, 9], { size: [9], taps: [4], strides: 2, padding: 'same' }],
  [[1, 4, 3, 5], { size: [4, 3, 5], taps: [2, 3, 1], strides: [1, 1, 2] }],
];
const CHANNELS = [3, 4, 1, 4, 5, 2];

const casesOf = (
  shapeOf: (samples: number, geometry: Geometry, channels: number) => Shape,
  more: { own?: boolean } = {},
  of: (geometry: Geometry) => boolean = () => true,
): Case[] =>
  layouts.flatMap(([[samples], given], i) => {
    const geometry = geometryOf(given, 'case');
    const attributes: WindowAttributes = { ...geometry, own: false, ...more };
    return of(geometry) ? [{ shapes: [shapeOf(samples, geometry, CHANNELS[i])], attributes }] : [];
  });

const windowsTwin = twin(windowsOp, () => ({
  reference([x], a) {
    const attributes = a as WindowAttributes;
    return throughWindows(attributes, [x.shape[0], x.shape.at(-1) as number], (n, i, t, c) =>
      at(x, [n, ...i, ...(attributes.own ? [t] : []), c]),
    );
  },
  cases: [
    ...casesOf((n, { size }, c) => [n, ...size, c]),
    ...casesOf((n, { size, taps }, c) => [n, ...size, sizeOf(taps), c], { own: true }).slice(0, 2),
  ],
}));

const ofPlaces = (n: number, { places, taps }: Geometry, c: number): Shape => [n, ...places, sizeOf(taps), c];

const spreadTwin = twin(spreadOp, () => ({
  reference: ([g], a) => backThroughWindows(g, a, false),
  cases: casesOf(ofPlaces),
}));

const pickTwin = twin(pickOp, () => ({
  reference: ([g], a) => backThroughWindows(g, a, true),
  cases: casesOf(ofPlaces, {}, areApart),
}));

/** For the registry. */
export const twins = [windowsTwin, spreadTwin, pickTwin];
