/** Pooling: maxima and means over the taps of windows, channel by channel. */
import { ShapeError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { KernelName } from '../shaders/index.ts';
import { div, maximum, minimum, mul, sub } from './binary.ts';
import { iota, type TensorLike, toTensor, zeros } from './constant.ts';
import { type Geometry, geometryOf, isInside, named, type PerAxis, perAxis } from './convolution/geometry.ts';
import {
  apply,
  type Case,
  type Composite,
  defineOp,
  type KernelCall,
  type KernelFamily,
  type Lowered,
  noGradient,
  type Op,
  twin,
} from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { at, build, forEachIndex, type NdArray, ndarray } from './reference.ts';
import { cast, equal, where } from './select.ts';
import { type Shape, show, sizeOf, stridesOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';
import { areApart, fromWindows, windows } from './windows.ts';

export interface PoolOptions {
  /** Steps between windows, one number or one per axis; default: the size of a window. */
  strides?: PerAxis | null;
  /** `'valid'` (default): windows lie inside. `'same'`: a place for every stride begun. */
  padding?: 'valid' | 'same';
}

/** How the kernels of maxima are run: a lane for each of `spans`, or for four channels of it. */
function perPlace(
  kernel: KernelName,
  fours: string[],
  { attributes, profile }: KernelCall,
  shape: Shape,
  spans: Shape,
): Lowered {
  const { size, places, taps, strides, before } = attributes as Geometry;
  const channels = shape[shape.length - 1];
  const WIDE = channels % 4 === 0 ? 4 : 1;
  const lanes = (shape[0] * sizeOf(spans) * channels) / WIDE;
  const WORKGROUP = lanesOf(profile);
  return {
    kernel,
    tune: { WIDE },
    constants: { WORKGROUP },
    fours: WIDE === 4 ? fours : [],
    params: {
      lanes,
      channels,
      ...named('size', size),
      ...named('places', places),
      ...named('taps', taps),
      ...named('scale', strides),
      ...named('before', before, 0),
    },
    workgroups: grid(Math.ceil(lanes / WORKGROUP), profile.limits.maxComputeWorkgroupsPerDimension),
  };
}

const maxPoolFamily: KernelFamily = {
  name: 'maxPool',
  readsOften: true,
  lower: (call) =>
    perPlace('max_pool', ['x'], call, call.inputs.x.shape, (call.attributes as Geometry).places),
};

const maxPoolGradientFamily: KernelFamily = {
  name: 'maxPoolGradient',
  lower(call) {
    const { size, strides, before } = call.attributes as Geometry;
    const spans = size.map((n, i) => Math.ceil((n + before[i]) / strides[i]));
    const lowered = perPlace('max_pool_gradient', ['g', 'first'], call, call.inputs.g.shape, spans);
    return { ...lowered, params: { ...lowered.params, ...named('spans', spans) } };
  },
};

const pooledShape: Op['shape'] = ([x], a) => [x[0], ...(a as Geometry).places, x[x.length - 1]];
const poolCost: Op['cost'] = ([x], y) => ({
  flops: sizeOf(x.shape),
  bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)),
});

/** y[n, p, c] = max over taps of x[n, p · stride + t − before, c]. */
const maxPoolOp: Op = defineOp({
  name: 'maxPool',
  shape: pooledShape,
  dtype: ([x]) => x,
  kernel: { family: maxPoolFamily, inputs: ['x'], output: 'y' },
  expand: (y) => (y.size === 0 ? zeros(y.shape) : null),
  /** The first of equals gets all, in row order, as in Keras. */
  backward([x], y, g, a) {
    if (y.size === 0) return [zeros(x.shape)];
    const first = apply(firstOp, [x], a);
    if (areApart(a as Geometry)) return [apply(maxPoolGradientOp, [g, first], a)];
    return [fromWindows(ofFirst(first, reshape(g, one(g.shape)), a), a as Geometry)];
  },
  cost: poolCost,
});

/** [N, ...places, C] with an axis for taps. */
const one = (shape: Shape): Shape => [...shape.slice(0, -1), 1, ...shape.slice(-1)];

/** `values`, with or without taps, where the tap is the one that had the maximum, else 0: [N, ...places, taps, C]. */
const ofFirst = (first: Tensor, values: Tensor, { taps }: Attributes): Tensor =>
  where(equal(reshape(first, one(first.shape)), reshape(iota(sizeOf(taps as Shape)), [-1, 1])), values, 0);

/** The gradient of a maximum over windows that do not overlap, from what arrives and the taps that had it. */
const maxPoolGradientOp: Op = defineOp({
  name: 'maxPoolGradient',
  shape: ([g], a) => [g[0], ...(a as Geometry).size, g[g.length - 1]],
  dtype: () => 'f32',
  kernel: { family: maxPoolGradientFamily, inputs: ['g', 'first'], output: 'dx' },
  backward: ([g, first], _dx, h, a) => [sum(ofFirst(first, windows(h, a as Geometry), a), g.rank - 1), null],
  cost: ([g], y) => ({ flops: sizeOf(y.shape), bytes: 4 * (2 * sizeOf(g.shape) + sizeOf(y.shape)) }),
});

/** The number of the tap that has the maximum: from the same kernel. */
const firstOp: Op = defineOp({
  name: 'maxPoolFirst',
  shape: pooledShape,
  dtype: () => 'i32',
  kernel: { family: maxPoolFamily, inputs: ['x'], output: 'first' },
  backward: noGradient,
  cost: poolCost,
});

/** How many elements of the input the window at each place has: [...places, 1]. */
function counts({ size, places, taps: extents, strides, before }: Geometry): Tensor {
  const along = size.map((length, i) => {
    const first = sub(mul(iota(places[i]), strides[i]), before[i]);
    const there = sub(minimum(sub(first, -extents[i]), length), maximum(first, 0));
    return reshape(there, [-1, ...new Array<number>(size.length - i).fill(1)]);
  });
  return cast(along.reduce(mul), 'f32');
}

/** x: [N, 1 to 3 sizes, C] as f32, and how windows lie on it. */
function pooled(
  operation: string,
  input: TensorLike,
  windowSize: PerAxis,
  given: PoolOptions | undefined,
): [Tensor, Geometry] {
  const options = knownOptions<PoolOptions>(operation, given, ['strides', 'padding']);
  const x = cast(toTensor(input), 'f32');
  const axes = x.rank - 2;
  if (axes < 1 || axes > 3)
    throw new ShapeError(
      `${operation}: x ${show(x.shape)}; expected rank 3, 4 or 5: [samples, 1 to 3 sizes, channels]. Add an axis for the samples with expandDims(x)?`,
    );
  const extents = perAxis(windowSize, axes, `${operation}: windowSize`);
  const strides = options.strides ?? extents;
  const { padding } = options;
  const size = x.shape.slice(1, -1);
  return [x, geometryOf({ size, taps: extents, strides, padding }, `${operation}: x ${show(x.shape)}`)];
}

/**
 * The largest element of each window: y[n, p, q, c] = max x[n, p · stride + r − before, q · … , c].
 *
 * x: [N, L, C], [N, H, W, C] or [N, D, H, W, C] → the same with a place for each window, f32. `windowSize`: one number or
 * one per axis. NaN wins. The gradient goes to the first of equal maxima, in row order, as in Keras. Outside the input
 * ('same' padding) there is nothing to be larger.
 *
 * Throws ShapeError for another rank and for a window larger than a 'valid' input, ConfigError for an unknown option.
 *
 * ```ts
 * const half = maxPool(x, 2);                                      // 28 × 28 → 14 × 14
 * const smooth = maxPool(x, 3, { strides: 2, padding: 'same' });
 * ```
 */
export function maxPool(x: TensorLike, windowSize: PerAxis, options?: PoolOptions): Tensor {
  const [input, geometry] = pooled('maxPool', x, windowSize, options);
  return apply(maxPoolOp, [input], geometry);
}

/** The mean of each window, of the elements of the input in it. Otherwise as {@link maxPool}. */
export function avgPool(x: TensorLike, windowSize: PerAxis, options?: PoolOptions): Tensor {
  const [input, geometry] = pooled('avgPool', x, windowSize, options);
  const total = sum(windows(input, geometry), input.rank - 1);
  return isInside(geometry) ? mul(total, 1 / sizeOf(geometry.taps)) : div(total, counts(geometry));
}

// ---- the twins

/** The elements that the window at a place has, by tap. */
function seenFrom(
  x: NdArray,
  { size, taps: extents, strides, dilations, before }: Geometry,
  place: readonly number[],
  visit: (value: number, tap: number) => void,
): void {
  const [n, c] = [place[0], place.at(-1) as number];
  const steps = stridesOf(extents);
  for (let tap = 0; tap < sizeOf(extents); tap++) {
    const i = size.map(
      (_, axis) =>
        place[axis + 1] * strides[axis] +
        (Math.floor(tap / steps[axis]) % extents[axis]) * dilations[axis] -
        before[axis],
    );
    if (i.every((one, axis) => one >= 0 && one < size[axis])) visit(at(x, [n, ...i, c]), tap);
  }
}

const shapeOf = ([n, ...rest]: Shape, { places }: Geometry): Shape => [n, ...places, rest.at(-1) as number];

interface Layout {
  readonly shape: Shape;
  readonly windowSize: number | number[];
  readonly options: PoolOptions;
}

const layouts: Layout[] = [
  { shape: [2, 4, 6, 3], windowSize: 2, options: {} },
  { shape: [2, 5, 7, 4], windowSize: [3, 2], options: { padding: 'same' } },
  { shape: [1, 7, 5, 5], windowSize: 3, options: { strides: 1, padding: 'same' } },
  { shape: [2, 9, 8, 1], windowSize: 2, options: { strides: [3, 1] } },
  { shape: [1, 9, 6, 4], windowSize: 2, options: { strides: 3 } },
  { shape: [3, 9, 2], windowSize: 3, options: { strides: 2 } },
  { shape: [1, 4, 3, 5, 4], windowSize: [2, 1, 3], options: { padding: 'same' } },
  { shape: [0, 4, 4, 2], windowSize: 2, options: {} },
];

const geometryOfLayout = ({ shape, windowSize, options }: Layout): Geometry =>
  pooled('case', zeros(shape), windowSize, options)[1];

/** The largest element that the window at a place has, and the first tap that has it. */
function largest(x: NdArray, a: Attributes, place: readonly number[]): [number, number] {
  let best: [number, number] = [Number.NEGATIVE_INFINITY, 0];
  seenFrom(x, a as Geometry, place, (value, tap) => {
    if (value > best[0]) best = [value, tap];
  });
  return best;
}

const maxCases: Case[] = layouts.map((one) => ({ shapes: [one.shape], attributes: geometryOfLayout(one) }));

const maxPoolTwin = twin(maxPoolOp, () => ({
  reference: ([x], a) => build(shapeOf(x.shape, a as Geometry), (place) => largest(x, a, place)[0]),
  cases: maxCases,
}));

const firstTwin = twin(firstOp, () => ({
  reference: ([x], a) => build(shapeOf(x.shape, a as Geometry), (place) => largest(x, a, place)[1]),
  cases: maxCases.slice(0, -1),
}));

const apart = maxCases.filter(({ attributes }) => areApart(attributes as Geometry)).slice(0, -1);

const maxPoolGradientTwin = twin(maxPoolGradientOp, () => ({
  reference: ([g, first], a) => {
    const { size, taps, strides, before } = a as Geometry;
    const dx = ndarray([g.shape[0], ...size, g.shape.at(-1) as number]);
    const [steps, tapSteps] = [stridesOf(dx.shape), stridesOf(taps)];
    forEachIndex(g.shape, (place, flat) => {
      const tap = first.data[flat];
      const to = size.map(
        (_, i) => place[i + 1] * strides[i] + (Math.floor(tap / tapSteps[i]) % taps[i]) - before[i],
      );
      // A tap that is none, or lies beside the input, is nobody's.
      if (tap < 0 || tap >= sizeOf(taps) || to.some((i, axis) => i < 0 || i >= size[axis])) return;
      const index = [place[0], ...to, place.at(-1) as number];
      dx.data[index.reduce((sum, i, axis) => sum + i * steps[axis], 0)] += g.data[flat];
    });
    return dx;
  },
  cases: apart.map(({ attributes, shapes: [x] }) => {
    const shape = shapeOf(x, attributes as Geometry);
    return { shapes: [shape, shape], dtypes: ['f32', 'i32'], attributes, range: [-2, 4] };
  }),
}));

const avgPoolTwin = (): Composite => ({
  name: 'avgPool',
  compute: ([x], a) => avgPool(x, a.windowSize as PerAxis, a.options as PoolOptions),
  reference([x], a) {
    const geometry = geometryOfLayout({ ...(a as unknown as Layout), shape: x.shape });
    return build(shapeOf(x.shape, geometry), (place) => {
      let total = 0;
      let count = 0;
      seenFrom(x, geometry, place, (value) => {
        total += value;
        count++;
      });
      return total / count;
    });
  },
  tolerance: { relative: 1e-6, absolute: 1e-6 },
  cases: layouts.map(({ shape, ...attributes }) => ({ shapes: [shape], attributes })),
});

/** For the registry. */
export const twins = [maxPoolTwin, firstTwin, maxPoolGradientTwin, avgPoolTwin];
