/**
 * Convolution: one linear form in three tensors, T(x, w, g) = Σ x[n, p · stride + t · dilation − before, c] · w[t, c, o] · g[n, p, o].
 *
 * Its derivative by g is the convolution, by x the transposed convolution, by w the gradient of the filters. So there
 * are three ops, and the gradients of each are the other two.
 */
import { ShapeError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { add } from './binary.ts';
import { type TensorLike, toTensor, zeros } from './constant.ts';
import {
  type ConvAttributes,
  convolutionFamily,
  type Product,
  type ProductAttributes,
  sizesOf,
} from './convolution/family.ts';
import { geometryOf, type Padding, type PerAxis, transposedGeometry } from './convolution/geometry.ts';
import { apply, type Case, defineOp, type Op, type Twin, twin } from './define.ts';
import { matmul } from './matmul.ts';
import { broadcastTo, reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { forEachIndex, ndarray } from './reference.ts';
import { cast } from './select.ts';
import { checkCount, type Shape, sameShape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

export interface ConvOptions {
  /** Steps between windows, one number or one per axis; default 1. */
  strides?: PerAxis;
  /**
   * `'valid'` (default): windows lie inside. `'same'`: zeros around, a place for every stride begun. `'causal'` (one axis):
   * zeros in front, so that no place sees what comes after it.
   */
  padding?: Padding;
  /** Distance between taps, one number or one per axis; default 1. Not together with strides. */
  dilations?: PerAxis;
  /** Channels in so many groups, each with filters of its own; default 1. */
  groups?: number;
  /** Added to each result channel: [O]. Its gradient then comes with that of the filters. */
  bias?: TensorLike;
}

export interface ConvTransposeOptions extends Pick<ConvOptions, 'strides' | 'dilations' | 'bias'> {
  /** `'valid'` (default): every window whole. `'same'`: the result is `strides` times the size. */
  padding?: 'valid' | 'same';
  /** Size added behind, one number or one per axis, as in Keras; default: so that the sizes are those above. */
  outputPadding?: PerAxis | null;
}

// ---- the three products

/** The shape of each product, from the number of samples. */
const shapes: Record<Product, (attributes: ConvAttributes, samples: number) => Shape> = {
  forward: ({ places, channels: [, o] }, samples) => [samples, ...places, o],
  input: ({ size, channels: [c] }, samples) => [samples, ...size, c],
  filter: ({ taps, channels: [c, o], groups }) => [...taps, c / groups, o],
};

const sizes = (y: readonly Shape[], attributes: Attributes) =>
  sizesOf(attributes as ProductAttributes, y[0][0]);

function productOp(name: string, kind: Product, more: Pick<Op, 'backward' | 'expand'>): Op {
  return defineOp({
    name,
    shape: ([a], attributes) => shapes[kind](attributes as ProductAttributes, a[0]),
    dtype: () => 'f32',
    kernel: { family: convolutionFamily, inputs: ['a', 'b'], output: 'y' },
    cost([a, b], y, attributes) {
      const { rows, columns, inner } = sizes([a.shape], attributes);
      const elements = sizeOf(a.shape) + sizeOf(b.shape) + sizeOf(y.shape);
      return {
        flops: 2 * rows * columns * inner * (attributes as ProductAttributes).groups,
        bytes: 4 * elements,
      };
    },
    ...more,
    expand(y, profile) {
      const { inner } = sizes([y.inputs[0].shape], y.attributes);
      if (y.size === 0 || inner === 0) return zeros(y.shape);
      return more.expand?.(y, profile) ?? asMatrixProduct(y) ?? null;
    },
  });
}

const call = (op: Op, kind: Product, inputs: readonly Tensor[], attributes: Attributes): Tensor =>
  apply(op, inputs, { ...attributes, product: kind });

const conv = (inputs: readonly Tensor[], a: Attributes) => call(convOp, 'forward', inputs, a);
const convInput = (g: Tensor, w: Tensor, a: Attributes) => call(convInputOp, 'input', [g, w], a);
const convFilter = (x: Tensor, g: Tensor, a: Attributes) => call(convFilterOp, 'filter', [x, g], a);
const convBias = (x: Tensor, g: Tensor, a: Attributes) => call(convBiasOp, 'filter', [x, g], a);

/** y = x ∗ w, and with a third input + bias, whose gradient the gradient of the filters meets on its way. */
const convOp: Op = productOp('conv', 'forward', {
  expand({ inputs: [x, w, bias], attributes }) {
    return bias ? add(conv([x, w], attributes), bias) : null;
  },
  backward: ([x, w, bias], _y, g, a) => [
    convInput(g, w, a),
    convFilter(x, g, a),
    ...(bias ? [convBias(x, g, a)] : []),
  ],
});

const convInputOp: Op = productOp('convInput', 'input', {
  backward: ([g, w], _dx, h, a) => [conv([h, w], a), convFilter(h, g, a)],
});

const convFilterOp: Op = productOp('convFilter', 'filter', {
  expand: (dw) => inSlices(dw, convFilterSlices),
  backward: ([x, g], _dw, h, a) => [convInput(g, h, a), conv([x, h], a)],
});

/** Σ g over samples and places, as a by-product of the gradient of the filters: its kernel's sums of columns. */
const convBiasOp: Op = defineOp({
  name: 'convBias',
  shape: (_inputs, { channels }) => [(channels as ConvAttributes['channels'])[1]],
  dtype: () => 'f32',
  kernel: { family: convolutionFamily, inputs: ['a', 'b'], output: 'col_sum' },
  expand(db) {
    const [x, g] = db.inputs;
    if (x.size === 0 || g.size === 0) return zeros(db.shape);
    if (isMatrixProduct(db.attributes as ProductAttributes)) return sum(reshape(g, [-1, db.size]), 0);
    return inSlices(db, convBiasSlices);
  },
  backward: ([, g], _db, h) => [null, broadcastTo(h, g.shape)],
  cost: ([, g], y) => ({ flops: sizeOf(g.shape), bytes: 4 * (sizeOf(g.shape) + sizeOf(y.shape)) }),
});

// ---- how they are computed

/** Windows of one tap side by side, and a single window that is the whole input, are the rows of a matrix. */
function isMatrixProduct({
  size,
  places,
  taps,
  strides,
  dilations,
  before,
  groups,
}: ConvAttributes): boolean {
  const all = (of: Shape, n: number) => of.every((one) => one === n);
  if (groups > 1 || !all(before, 0) || !all(dilations, 1)) return false;
  const single = all(taps, 1) && all(strides, 1) && sameShape(places, size);
  return single || (all(places, 1) && sameShape(taps, size));
}

function asMatrixProduct({ inputs: [a, b], shape, attributes }: Tensor): Tensor | null {
  const { product, taps, channels } = attributes as ProductAttributes;
  if (!isMatrixProduct(attributes as ProductAttributes)) return null;
  const inner = sizeOf(taps) * channels[0];
  const x = (one: Tensor) => reshape(one, [-1, inner]);
  const w = (one: Tensor) => reshape(one, [inner, channels[1]]);
  const g = (one: Tensor) => reshape(one, [-1, channels[1]]);
  if (product === 'forward') return reshape(matmul(x(a), w(b)), shape);
  if (product === 'input') return reshape(matmul(g(a), w(b), { transposeB: true }), shape);
  return reshape(matmul(x(a), g(b), { transposeA: true }), shape);
}

/** The longest sum that one lane keeps, as in products. */
const LONGEST_SUM = 4096;

/**
 * In how many slices the gradient of the filters is summed. By shape alone, so that no device changes the bits: enough
 * to give a GPU work where filters are few, few enough for their sums to be small.
 */
function slicesOf(attributes: ProductAttributes, samples: number): number {
  const { rows, columns, inner } = sizesOf(attributes, samples);
  const filling = Math.ceil(2 ** 17 / (rows * columns * attributes.groups));
  return Math.max(Math.ceil(inner / LONGEST_SUM), Math.min(Math.ceil(inner / 256), filling));
}

/** A sum over places as a sum of slices, where it is long. */
function inSlices(node: Tensor, op: Op): Tensor | null {
  const slices = slicesOf(node.attributes as ProductAttributes, node.inputs[0].shape[0]);
  if (slices === 1) return null;
  const parts = apply(op, node.inputs, { ...node.attributes, slices });
  return slices <= 256 ? apply(sumSlices, [parts]) : sum(parts, 0);
}

const slicesOp = (name: string, output: string, of: Op): Op =>
  defineOp({
    name,
    shape: (inputs, a) => [a.slices as number, ...of.shape(inputs, a)],
    dtype: () => 'f32',
    kernel: { family: convolutionFamily, inputs: ['a', 'b'], output },
    cost: of.cost,
  });

const convFilterSlices = slicesOp('convFilterSlices', 'y', convFilterOp);
const convBiasSlices = slicesOp('convBiasSlices', 'col_sum', convBiasOp);

/** Σ over the first axis as a loop in whoever asks for it: an update, mostly. */
const sumSlices = defineOp({
  name: 'sumSlices',
  shape: ([[, ...rest]]) => rest,
  dtype: ([x]) => x,
  expression: (e, [x], index, y) =>
    e.total(x.shape[0], y.dtype, (slice) =>
      e.value(x, e.advance(index, e.name(`${slice} * ${e.uniform(y.size, 'u32')}`), y.size)),
    ),
  cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
});

// ---- the public names

const signature = (operation: string, x: Tensor, filter: Tensor): string =>
  `${operation}: x ${show(x.shape)}, filter ${show(filter.shape)}`;

const optionNames = ['strides', 'padding', 'dilations', 'groups', 'bias'] as const;
const transposeOptionNames = ['strides', 'padding', 'dilations', 'outputPadding', 'bias'] as const;

/** Both operands as f32, of one rank that suits the number of axes. */
function operands(operation: string, axes: number, x: TensorLike, filter: TensorLike): [Tensor, Tensor] {
  const pair: [Tensor, Tensor] = [cast(toTensor(x), 'f32'), cast(toTensor(filter), 'f32')];
  if (pair.some(({ rank }) => rank !== axes + 2))
    throw new ShapeError(
      `${signature(operation, ...pair)}: expected rank ${axes + 2} of both: x [samples, ${axes} size${axes > 1 ? 's' : ''}, channels]. Add an axis for the samples with expandDims(x)?`,
    );
  if (pair[1].shape.slice(0, axes).includes(0))
    throw new ShapeError(`${signature(operation, ...pair)}: the filter has no taps.`);
  return pair;
}

function biasOf(operation: string, bias: TensorLike | undefined, channels: number): Tensor[] {
  if (bias === undefined || bias === null) return [];
  const b = cast(toTensor(bias), 'f32');
  if (b.rank !== 1 || b.size !== channels)
    throw new ShapeError(`${operation}: bias ${show(b.shape)}; expected [${channels}], one for each filter.`);
  return [b];
}

function convolve(
  operation: string,
  axes: number,
  input: TensorLike,
  kernel: TensorLike,
  given?: ConvOptions,
): Tensor {
  const options = knownOptions<ConvOptions>(operation, given, optionNames);
  const [x, w] = operands(operation, axes, input, kernel);
  const where = signature(operation, x, w);
  const groups = checkCount(options.groups ?? 1, `${operation}: groups`);
  const [c, o] = [x.shape[axes + 1], w.shape[axes + 1]];
  if (c % groups !== 0 || o % groups !== 0)
    throw new ShapeError(`${where}: ${c} channels and ${o} filters do not divide into ${groups} groups.`);
  if (w.shape[axes] * groups !== c)
    throw new ShapeError(
      `${where}: x has ${c} channels, the filters take ${w.shape[axes]}${groups > 1 ? ` in each of ${groups} groups` : ''}. A filter is [${axes > 1 ? 'sizes' : 'size'}, ${groups > 1 ? 'channels / groups' : 'channels'}, filters].`,
    );
  const { strides, padding, dilations } = options;
  const [size, taps] = [x.shape.slice(1, -1), w.shape.slice(0, axes)];
  const geometry = geometryOf({ size, taps, strides, padding, dilations }, where);
  return conv([x, w, ...biasOf(where, options.bias, o)], { ...geometry, groups, channels: [c, o] });
}

function convolveTransposed(
  operation: string,
  axes: number,
  input: TensorLike,
  kernel: TensorLike,
  given?: ConvTransposeOptions,
): Tensor {
  const options = knownOptions<ConvTransposeOptions>(operation, given, transposeOptionNames);
  const [x, w] = operands(operation, axes, input, kernel);
  const where = signature(operation, x, w);
  const [o, c] = w.shape.slice(axes);
  if (c !== x.shape[axes + 1])
    throw new ShapeError(
      `${where}: x has ${x.shape[axes + 1]} channels, the filters take ${c}. A transposed filter is [${axes > 1 ? 'sizes' : 'size'}, filters, channels].`,
    );
  const [places, taps] = [x.shape.slice(1, -1), w.shape.slice(0, axes)];
  const geometry = transposedGeometry({ ...options, places, taps }, where);
  const y = convInput(x, w, { ...geometry, groups: 1, channels: [o, c] });
  const [bias] = biasOf(where, options.bias, o);
  return bias ? add(y, bias) : y;
}

/**
 * Convolution along one axis: y[n, p, o] = Σ x[n, p · stride + t · dilation − before, c] · filter[t, c, o] + bias[o].
 *
 * x: [N, L, C], filter: [taps, C / groups, O] → [N, places, O], f32. Sums in the order of taps and channels, the gradient of
 * the filters in slices that the shape alone fixes: the same bits on every run. Otherwise as {@link conv2d}.
 *
 * ```ts
 * const y = conv1d(x, filter, { padding: 'causal', dilations: 2 });
 * ```
 */
export const conv1d = (x: TensorLike, filter: TensorLike, options?: ConvOptions): Tensor =>
  convolve('conv1d', 1, x, filter, options);

/**
 * Convolution of pictures: y[n, p, q, o] = Σ x[n, p · stride + r · dilation − before, q · … , c] · filter[r, s, c, o] + bias[o].
 *
 * x: [N, H, W, C], filter: [rows, columns, C / groups, O] → [N, P, Q, O], f32; channels come last, and are turned by
 * `transpose` where they come first. `padding: 'same'` gives ⌈H / stride⌉ places, the odd zero behind, as in Keras.
 *
 * Throws ShapeError for operands of another rank, channels that do not fit or do not divide by groups, a window larger than
 * a 'valid' input; ValueError for strides together with dilations; ConfigError for an unknown padding or option.
 *
 * ```ts
 * const filter = variable(random.normal([3, 3, 1, 32]));
 * const y = relu(conv2d(images, filter, { padding: 'same' }));
 * ```
 */
export const conv2d = (x: TensorLike, filter: TensorLike, options?: ConvOptions): Tensor =>
  convolve('conv2d', 2, x, filter, options);

/** Convolution of volumes: x: [N, D, H, W, C], filter: [depth, rows, columns, C / groups, O]. As {@link conv2d}. */
export const conv3d = (x: TensorLike, filter: TensorLike, options?: ConvOptions): Tensor =>
  convolve('conv3d', 3, x, filter, options);

/** Transposed convolution along one axis: x: [N, L, C], filter: [taps, O, C]. As {@link conv2dTranspose}. */
export const conv1dTranspose = (x: TensorLike, filter: TensorLike, options?: ConvTransposeOptions): Tensor =>
  convolveTransposed('conv1dTranspose', 1, x, filter, options);

/**
 * Transposed convolution: what the gradient of {@link conv2d} does to its input, as a layer that enlarges.
 *
 * x: [N, H, W, C], filter: [rows, columns, O, C] → [N, H′, W′, O], where H′ is H · stride with 'same' padding, and
 * (H − 1) · stride + max(rows, stride) with 'valid', as in Keras. With `outputPadding` H′ is (H − 1) · stride + rows + it
 * ('valid') or (H − 1) · stride + rows mod 2 + it ('same'). Each element gathers what reaches it: no atomics.
 *
 * ```ts
 * const larger = conv2dTranspose(x, filter, { strides: 2, padding: 'same' });
 * ```
 */
export const conv2dTranspose = (x: TensorLike, filter: TensorLike, options?: ConvTransposeOptions): Tensor =>
  convolveTransposed('conv2dTranspose', 2, x, filter, options);

/** Transposed convolution of volumes. As {@link conv2dTranspose}. */
export const conv3dTranspose = (x: TensorLike, filter: TensorLike, options?: ConvTransposeOptions): Tensor =>
  convolveTransposed('conv3dTranspose', 3, x, filter, options);

// ---- the twins

/** Every term of the linear form: where its factors lie in x, w and g. */
function forEachTerm(
  a: ConvAttributes,
  samples: number,
  visit: (x: number, w: number, g: number) => void,
): void {
  const { size, places, taps, strides, dilations, before, groups, channels } = a;
  const [c, o] = channels.map((n) => n / groups);
  forEachIndex([samples, ...places], (place, position) => {
    forEachIndex(taps, (tap, t) => {
      let at = place[0];
      for (let i = 0; i < size.length; i++) {
        const u = place[i + 1] * strides[i] + tap[i] * dilations[i] - before[i];
        if (u < 0 || u >= size[i]) return;
        at = at * size[i] + u;
      }
      forEachIndex([groups, c, o], ([z, k, n]) =>
        visit(
          at * channels[0] + z * c + k,
          (t * c + k) * channels[1] + z * o + n,
          position * channels[1] + z * o + n,
        ),
      );
    });
  });
}

const references: Record<Product, Twin['reference']> = {
  forward([x, w, bias], a) {
    const attributes = a as ConvAttributes;
    const y = ndarray(shapes.forward(attributes, x.shape[0]));
    for (let i = 0; bias && i < y.data.length; i++) y.data[i] = bias.data[i % bias.data.length];
    forEachTerm(attributes, x.shape[0], (xi, wi, gi) => (y.data[gi] += x.data[xi] * w.data[wi]));
    return y;
  },
  input([g, w], a) {
    const attributes = a as ConvAttributes;
    const dx = ndarray(shapes.input(attributes, g.shape[0]));
    forEachTerm(attributes, g.shape[0], (xi, wi, gi) => (dx.data[xi] += g.data[gi] * w.data[wi]));
    return dx;
  },
  filter([x, g], a) {
    const attributes = a as ConvAttributes;
    const dw = ndarray(shapes.filter(attributes, x.shape[0]));
    forEachTerm(attributes, x.shape[0], (xi, wi, gi) => (dw.data[wi] += x.data[xi] * g.data[gi]));
    return dw;
  },
};

/** Sums of every `length`-th number. */
function folded(data: Float64Array, length: number): Float64Array {
  const total = new Float64Array(length);
  for (const [i, value] of data.entries()) total[i % length] += value;
  return total;
}

const columnSums: Twin['reference'] = ([, g], { channels }) => {
  const [, o] = channels as ConvAttributes['channels'];
  return ndarray([o], folded(g.data, o));
};

/** x, filters and options: 1 × 1, even and large filters, strides beyond them, gaps, odd sizes, few channels, groups, nothing. */
const layouts: [Shape, Shape, Omit<ConvOptions, 'bias'>][] = [
  [[2, 5, 5, 3], [3, 3, 3, 4], { padding: 'same' }],
  [[1, 7, 6, 1], [3, 3, 1, 5], {}],
  [[2, 5, 4, 4], [1, 1, 4, 3], {}],
  [[3, 4, 4, 2], [4, 4, 2, 6], {}],
  [[2, 9, 7, 5], [2, 4, 5, 3], { padding: 'same', strides: [2, 3] }],
  [[1, 10, 9, 4], [2, 2, 4, 4], { strides: 3 }],
  [[2, 8, 9, 4], [3, 2, 4, 2], { padding: 'same', dilations: [2, 3] }],
  [[2, 6, 5, 6], [3, 3, 2, 9], { padding: 'same', groups: 3 }],
  [[2, 11, 3], [3, 3, 4], { padding: 'causal', dilations: 2 }],
  [[2, 4, 5, 3, 2], [2, 3, 3, 2, 3], { padding: 'same', strides: [1, 2, 1] }],
  [[5, 8, 8, 8], [3, 3, 8, 36], { padding: 'same' }],
  [[0, 5, 5, 3], [3, 3, 3, 4], { padding: 'same' }],
];

const attributesOf = ([x, w, { groups = 1, ...options }]: (typeof layouts)[number]): ConvAttributes => ({
  ...geometryOf({ ...options, size: x.slice(1, -1), taps: w.slice(0, -2) }, 'case'),
  groups,
  channels: [x.at(-1) as number, w.at(-1) as number],
});

const casesOf = (
  product: Product,
  shapesOf: (x: Shape, w: Shape, g: Shape) => Shape[],
  of = layouts,
  more: Attributes = {},
): Case[] =>
  of.map((layout) => {
    const [x, w] = layout;
    const attributes = { ...attributesOf(layout), product, ...more };
    return { shapes: shapesOf(x, w, shapes.forward(attributes, x[0])), attributes, range: [-1, 1] };
  });

/** Sums of up to 300 terms up to 1. */
const tolerance = { relative: 1e-5, absolute: 2e-5 };
const terms: Twin['terms'] = ([a], attributes) => sizes([a], attributes).inner;
const proof =
  (product: Product, cases: Case[]): (() => Twin) =>
  () => ({
    reference: references[product],
    tolerance,
    terms,
    cases,
  });

/** The parts of a sum over places: `of` with what arrives at other places taken for 0. */
const inParts =
  (of: Twin['reference']): Twin['reference'] =>
  ([x, g], { slices, ...attributes }) => {
    const o = g.shape.at(-1) as number;
    const length = Math.ceil(g.data.length / o / (slices as number)) * o;
    const parts = Array.from({ length: slices as number }, (_, s) => {
      const own = g.data.map((value, i) => (Math.floor(i / length) === s ? value : 0));
      return of([x, ndarray(g.shape, own)], attributes);
    });
    return ndarray(
      [parts.length, ...parts[0].shape],
      parts.flatMap(({ data }) => [...data]),
    );
  };

const filterCases = (of?: typeof layouts, more?: Attributes): Case[] =>
  casesOf('filter', (x, _w, g) => [x, g], of, more);
const sliceCases = filterCases(layouts.slice(0, 2), { slices: 3 }).map((one) => ({
  ...one,
  noGradient: 'made after differentiation',
}));

/** For the registry. */
export const twins = [
  twin(
    convOp,
    proof('forward', [
      ...casesOf('forward', (x, w) => [x, w]),
      ...casesOf('forward', (x, w) => [x, w, w.slice(-1)], layouts.slice(0, 3)),
    ]),
  ),
  twin(
    convInputOp,
    proof(
      'input',
      casesOf('input', (_x, w, g) => [g, w]),
    ),
  ),
  twin(convFilterOp, proof('filter', filterCases())),
  twin(convBiasOp, () => ({
    reference: columnSums,
    tolerance,
    terms,
    cases: filterCases([layouts[0], layouts[2], layouts.at(-2)!]).map((one) => ({
      ...one,
      noGradient: 'x is there for its shape only',
    })),
  })),
  twin(convFilterSlices, () => ({
    reference: inParts(references.filter),
    tolerance,
    terms,
    cases: sliceCases,
  })),
  twin(convBiasSlices, () => ({ reference: inParts(columnSums), tolerance, terms, cases: sliceCases })),
  twin(sumSlices, () => ({
    reference: ([x]) => ndarray(x.shape.slice(1), folded(x.data, sizeOf(x.shape.slice(1)))),
    tolerance: { relative: 1e-6, absolute: 1e-6 },
    terms: ([[slices]]) => slices,
    cases: [{ shapes: [[3, 5]] }, { shapes: [[7, 4, 8]] }].map((one) => ({
      ...one,
      noGradient: 'made after differentiation',
    })),
  })),
];
