/**
 * Depthwise convolution, each channel by filters of its own: like convolution one linear form in x, filters and result. Its
 * gradients by x and by the result are one kernel; that of the filters, of which there are few, is a sum over an index map.
 */
import { ShapeError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { mul } from './binary.ts';
import { type TensorLike, toTensor, zeros } from './constant.ts';
import { type Geometry, geometryOf, named, type PerAxis } from './convolution/geometry.ts';
import { apply, type Case, defineOp, type KernelFamily, type Op, type Twin, twin } from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { forEachIndex, ndarray } from './reference.ts';
import { cast } from './select.ts';
import { type Shape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';
import { windows } from './windows.ts';

export interface DepthwiseConvOptions {
  /** Steps between windows, one number or one per axis; default 1. */
  strides?: PerAxis;
  /** `'valid'` (default) or `'same'`; see conv2d. */
  padding?: 'valid' | 'same';
  /** Distance between taps, one number or one per axis; default 1. Not together with strides. */
  dilations?: PerAxis;
}

interface DepthwiseAttributes extends Geometry {
  readonly channels: number;
  /** Filters of a channel. */
  readonly multiplier: number;
  /** Is it the gradient of x? */
  readonly back: boolean;
}

const family: KernelFamily = {
  name: 'depthwise',
  readsOften: true,
  lower({ inputs: { a }, attributes, profile }) {
    const { size, places, taps, strides, dilations, before, channels, multiplier, back } =
      attributes as DepthwiseAttributes;
    const made = back ? channels : channels * multiplier;
    const WIDE = multiplier === 1 && channels % 4 === 0 ? 4 : 1;
    const lanes = (a.shape[0] * sizeOf(back ? size : places) * made) / WIDE;
    const WORKGROUP = lanesOf(profile);
    return {
      kernel: 'depthwise',
      tune: { WIDE, GATHER: back },
      constants: { WORKGROUP },
      fours: WIDE === 4 ? ['a', 'w'] : [],
      params: {
        lanes,
        channels: made,
        a_channels: back ? channels * multiplier : channels,
        multiplier,
        ...named('size', back ? places : size),
        ...named('places', back ? size : places),
        ...named('taps', taps),
        ...named('scale', strides),
        ...named('dilation', dilations),
        ...named('before', before, 0),
      },
      workgroups: grid(Math.ceil(lanes / WORKGROUP), profile.limits.maxComputeWorkgroupsPerDimension),
    };
  },
};

function depthwiseOp(name: string, back: boolean, backward: Op['backward']): Op {
  return defineOp({
    name,
    shape([[samples]], a) {
      const { size, places, channels, multiplier } = a as DepthwiseAttributes;
      return [samples, ...(back ? [...size, channels] : [...places, channels * multiplier])];
    },
    dtype: () => 'f32',
    kernel: { family, inputs: ['a', 'w'], output: 'y' },
    expand: (y) => (y.size === 0 || y.inputs[0].size === 0 ? zeros(y.shape) : null),
    backward,
    cost([a, w], y, { places, channels, multiplier, taps }) {
      const terms = a.shape[0] * sizeOf(places as Shape) * (channels as number) * (multiplier as number);
      return {
        flops: 2 * terms * sizeOf(taps as Shape),
        bytes: 4 * (sizeOf(a.shape) + sizeOf(w.shape) + sizeOf(y.shape)),
      };
    },
  });
}

const forwards = (x: Tensor, w: Tensor, a: Attributes) =>
  apply(depthwiseConvOp, [x, w], { ...a, back: false });

const depthwiseConvOp: Op = depthwiseOp('depthwiseConv', false, ([x, w], _y, g, a) => [
  apply(depthwiseInputOp, [g, w], { ...a, back: true }),
  ofFilter(x, g, w.shape, a),
]);

const depthwiseInputOp: Op = depthwiseOp('depthwiseConvInput', true, ([g, w], _dx, h, a) => [
  forwards(h, w, a),
  ofFilter(h, g, w.shape, a),
]);

/** dw[t, c, m] = Σ windows(x)[n, p, t, c] · g[n, p, c, m]. */
function ofFilter(x: Tensor, g: Tensor, shape: Shape, a: Attributes): Tensor {
  const { size, places, taps, strides, dilations, before, channels, multiplier } = a as DepthwiseAttributes;
  const seen = windows(x, { size, places, taps, strides, dilations, before });
  const arrived = reshape(g, [...g.shape.slice(0, -1), 1, channels, multiplier]);
  const terms = mul(reshape(seen, [...seen.shape, 1]), arrived);
  const axes = places.map((_, i) => i + 1);
  return reshape(sum(terms, [0, ...axes]), shape);
}

function depthwise(
  operation: string,
  axes: number,
  input: TensorLike,
  kernel: TensorLike,
  given?: DepthwiseConvOptions,
): Tensor {
  const options = knownOptions<DepthwiseConvOptions>(operation, given, ['strides', 'padding', 'dilations']);
  const x = cast(toTensor(input), 'f32');
  const filter = cast(toTensor(kernel), 'f32');
  const where = `${operation}: x ${show(x.shape)}, filter ${show(filter.shape)}`;
  if (x.rank !== axes + 2 || filter.rank !== axes + 2)
    throw new ShapeError(
      `${where}: expected rank ${axes + 2} of both: x [samples, sizes, channels], filter [sizes, channels, multiplier].`,
    );
  const [channels, multiplier] = filter.shape.slice(axes);
  if (channels !== x.shape[axes + 1])
    throw new ShapeError(`${where}: x has ${x.shape[axes + 1]} channels, the filter is for ${channels}.`);
  const taps = filter.shape.slice(0, axes);
  if (taps.includes(0)) throw new ShapeError(`${where}: the filter has no taps.`);
  const geometry = geometryOf({ ...options, size: x.shape.slice(1, -1), taps }, where);
  return forwards(x, filter, { ...geometry, channels, multiplier });
}

/** Depthwise convolution along one axis: x: [N, L, C], filter: [taps, C, M]. As {@link depthwiseConv2d}. */
export const depthwiseConv1d = (x: TensorLike, filter: TensorLike, options?: DepthwiseConvOptions): Tensor =>
  depthwise('depthwiseConv1d', 1, x, filter, options);

/**
 * Depthwise convolution, each channel by filters of its own: y[n, p, q, c · M + m] = Σ x[n, p · stride + r · dilation − before, … , c] ·
 * filter[r, s, c, m].
 *
 * x: [N, H, W, C], filter: [rows, columns, C, M] → [N, P, Q, C · M], f32. Throws as conv2d does.
 *
 * ```ts
 * const y = depthwiseConv2d(x, ones([3, 3, 8, 1]), { padding: 'same' });
 * ```
 */
export const depthwiseConv2d = (x: TensorLike, filter: TensorLike, options?: DepthwiseConvOptions): Tensor =>
  depthwise('depthwiseConv2d', 2, x, filter, options);

// ---- the twins

/** Every term of the linear form: where its factors lie in x, w and the result. */
function forEachTerm(
  { size, places, taps, strides, dilations, before, channels, multiplier }: DepthwiseAttributes,
  samples: number,
  visit: (x: number, w: number, y: number) => void,
): void {
  forEachIndex([samples, ...places], (place, position) => {
    forEachIndex(taps, (tap, t) => {
      let at = place[0];
      for (let i = 0; i < size.length; i++) {
        const u = place[i + 1] * strides[i] + tap[i] * dilations[i] - before[i];
        if (u < 0 || u >= size[i]) return;
        at = at * size[i] + u;
      }
      for (let c = 0; c < channels; c++)
        for (let m = 0; m < multiplier; m++)
          visit(
            at * channels + c,
            (t * channels + c) * multiplier + m,
            (position * channels + c) * multiplier + m,
          );
    });
  });
}

const layouts: [Shape, Shape, DepthwiseConvOptions][] = [
  [[2, 5, 6, 4], [3, 3, 4, 1], { padding: 'same' }],
  [[1, 7, 6, 3], [2, 3, 3, 2], { strides: 2 }],
  [[2, 8, 7, 5], [3, 2, 5, 1], { padding: 'same', dilations: [1, 2] }],
  [[1, 9, 8, 8], [3, 3, 8, 1], { padding: 'same', strides: [2, 3] }],
  [[3, 7, 2], [3, 2, 3], {}],
  [[0, 5, 6, 4], [3, 3, 4, 1], {}],
];

const proof =
  (op: Op, back: boolean): (() => Twin) =>
  () => ({
    reference([a, w], attributes) {
      const y = ndarray(op.shape([a.shape, w.shape], attributes));
      forEachTerm(attributes as DepthwiseAttributes, a.shape[0], (xi, wi, yi) => {
        y.data[back ? xi : yi] += a.data[back ? yi : xi] * w.data[wi];
      });
      return y;
    },
    tolerance: { relative: 1e-5, absolute: 1e-5 },
    terms: ([, w]) => sizeOf(w) / w[w.length - 2],
    cases: layouts.map(([x, w, options]): Case => {
      const [channels, multiplier] = w.slice(-2);
      const geometry = geometryOf({ ...options, size: x.slice(1, -1), taps: w.slice(0, -2) }, 'case');
      const attributes = { ...geometry, channels, multiplier, back };
      return { shapes: [back ? [x[0], ...geometry.places, channels * multiplier] : x, w], attributes };
    }),
  });

/** For the registry. */
export const twins = [
  twin(depthwiseConvOp, proof(depthwiseConvOp, false)),
  twin(depthwiseInputOp, proof(depthwiseInputOp, true)),
];
