/** The kernel family of convolutions: a matrix product whose left operand is read through windows. */
import type { Profile } from '../../engine/profile.ts';
import type { KernelCall, KernelFamily, Lowered } from '../define.ts';
import { grid } from '../elementwise.ts';
import { sizeOf, stridesOf } from '../shape.ts';
import { type Geometry, isInside, named } from './geometry.ts';

/** Which of the three products: y = x ∗ w, dx from g and w, dw from x and g. */
export type Product = 'forward' | 'input' | 'filter';

export interface ConvAttributes extends Geometry {
  readonly groups: number;
  /** Channels of x and of y. */
  readonly channels: readonly [number, number];
}

export interface ProductAttributes extends ConvAttributes {
  readonly product: Product;
  /** Of the positions that the gradient of the filters is summed over. */
  readonly slices?: number;
}

/** The sizes of a product: y[rows, columns] of a group, sums of `inner`. */
export interface Sizes {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly slices: number;
}

/** `samples` is what the attributes do not say. */
export function sizesOf(
  { product, places, size, taps, channels, groups, slices = 1 }: ProductAttributes,
  samples: number,
): Sizes {
  const [c, o] = channels.map((n) => n / groups);
  const window = sizeOf(taps);
  if (product === 'forward') return { rows: samples * sizeOf(places), columns: o, inner: window * c, slices };
  if (product === 'input') return { rows: samples * sizeOf(size), columns: c, inner: window * o, slices };
  return { rows: window * c, columns: o, inner: samples * sizeOf(places), slices };
}

function paramsOf(attributes: ProductAttributes, samples: number): Record<string, number> {
  const { product, places, size, taps, strides, dilations, before, channels, groups } = attributes;
  const sizes = sizesOf(attributes, samples);
  const [c, o] = channels;
  const [own, other] = [c / groups, o / groups];
  const gather = product === 'input';
  const read = gather ? places : size;
  const x = stridesOf([samples, ...read, gather ? o : c]);
  const b = {
    forward: { b_group: other, b_outer: own * o, b_inner: o, b_column: 1, y_group: other, y_row: o },
    input: { b_group: other, b_outer: own * o, b_inner: 1, b_column: o, y_group: own, y_row: c },
    filter: {
      b_group: other,
      b_outer: (places.at(-1) as number) * o,
      b_inner: o,
      b_column: 1,
      y_group: other,
      y_row: o,
    },
  }[product];
  return {
    ...sizes,
    slice: Math.ceil(sizes.inner / sizes.slices),
    groups,
    channels: gather ? other : own,
    ...named('size', read),
    ...named('stride', x.slice(1, -1), 0),
    stride_sample: x[0],
    ...named('places', gather ? size : places),
    ...named('taps', taps),
    ...named('scale', strides),
    ...named('dilation', dilations),
    ...named('shift', gather ? before : before.map((n) => -n), 0),
    ...b,
  };
}

/** One way to compute a product: the shader, and the constants that it is tuned with. */
type Variant = Tiles | Subgroup;

/** Lanes keep tiles of y in registers. */
interface Tiles {
  readonly shader: 'convolution';
  /** Rows per lane, and groups of four columns per lane. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  /** Lanes of a workgroup along rows and columns. */
  readonly LANES_M: number;
  readonly LANES_N: number;
}

/** Lanes own columns, and hand round what they read through windows. */
interface Subgroup {
  readonly shader: 'convolution_subgroup';
  /** Rows of a workgroup, and groups of four columns per lane. */
  readonly TILE_P: number;
  readonly TILE_Q: number;
  /** Lanes of a workgroup, and how many of them load for each other. */
  readonly LANES: number;
  readonly WIDTH: number;
}

const tiles = (TILE_M: number, TILE_N: number, LANES_M: number, LANES_N: number): Tiles => ({
  shader: 'convolution',
  TILE_M,
  TILE_N,
  LANES_M,
  LANES_N,
});

const subgroup = (TILE_P: number, TILE_Q: number, WIDTH: number, LANES: number): Subgroup => ({
  shader: 'convolution_subgroup',
  TILE_P,
  TILE_Q,
  WIDTH,
  LANES,
});

/** Rows and columns of a workgroup's block of y. */
const blockOf = (variant: Variant): [number, number] =>
  variant.shader === 'convolution'
    ? [variant.TILE_M * variant.LANES_M, 4 * variant.TILE_N * variant.LANES_N]
    : [variant.TILE_P, 4 * variant.TILE_Q * variant.LANES];

/** Every variant worth testing, smallest first. */
const catalogue: Variant[] = [
  tiles(2, 1, 4, 2),
  tiles(8, 2, 1, 4),
  subgroup(5, 1, 4, 4),
  subgroup(6, 2, 8, 8),
];

/** Why this device cannot run the variant, or null. */
function refusal({ limits, subgroups }: Profile, variant: Variant): string | null {
  const lanes = variant.shader === 'convolution' ? variant.LANES_M * variant.LANES_N : variant.LANES;
  if (lanes > limits.maxComputeInvocationsPerWorkgroup)
    return `${lanes} lanes per workgroup, the device has ${limits.maxComputeInvocationsPerWorkgroup}`;
  if (variant.shader === 'convolution') return null;
  if (!subgroups) return 'the device has no subgroups';
  if (variant.WIDTH > subgroups.min)
    return `${variant.WIDTH} lanes that share loads, subgroups here may have ${subgroups.min}`;
  return null;
}

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/**
 * As for products: software drivers pay for loads, so lanes share them where vectors have eight, and keep tall tiles
 * where they have four; GPUs have lanes to fill.
 */
function pick({ isSoftware, subgroups }: Profile, { rows, columns, inner }: Sizes): Variant {
  const tall = Math.min(8, powerOfTwo(rows));
  const flops = 2 * rows * columns * inner;
  if (isSoftware) {
    if (subgroups && subgroups.min >= 8 && columns >= 16 && flops > 2e5) {
      const groups = columns > 32 ? 2 : 1;
      return subgroup(Math.min(16, rows), groups, 8, 8);
    }
    if (columns >= 32 && rows >= 8 && flops > 1e6) return tiles(16, 2, 1, 4);
    const across = Math.min(8, powerOfTwo(columns / 4));
    return tiles(flops > 2e5 ? tall : Math.min(4, tall), 1, 8 / across, across);
  }
  const across = Math.min(16, powerOfTwo(columns / 4));
  return tiles(Math.min(4, tall), 1, 64 / across, across);
}

/** The variant that was asked for, or the likeliest; what was asked for may be a part of one. */
function chosen({ tuning, profile }: KernelCall, sizes: Sizes): Variant {
  const own = pick(profile, sizes);
  return (tuning.shader === undefined || tuning.shader === own.shader
    ? { ...own, ...tuning }
    : tuning) as unknown as Variant;
}

export const convolutionFamily: KernelFamily = {
  name: 'convolution',
  readsOften: true,
  lower(call: KernelCall): Lowered {
    const { inputs, profile } = call;
    const attributes = call.attributes as ProductAttributes;
    const { product, size, groups } = attributes;
    const [samples] = inputs.a.shape;
    const sizes = sizesOf(attributes, samples);
    const variant = chosen(call, sizes);
    const { shader, ...constants } = variant;
    const [rows, columns] = blockOf(variant);
    const blocks = Math.ceil(sizes.rows / rows) * Math.ceil(sizes.columns / columns);
    const params = paramsOf(attributes, samples);
    const four = params.b_column === 1 && sizes.columns % 4 === 0;
    const run = product === 'filter' ? params.places_2 : params.channels;
    return {
      kernel: shader,
      tuning: { ...variant },
      tune: {
        ...constants,
        AXES: size.length,
        GATHER: product === 'input',
        FILTER: product === 'filter',
        SPREAD: product === 'input' && attributes.strides.some((n) => n > 1),
        INSIDE: product !== 'input' && isInside(attributes),
        ...(variant.shader === 'convolution_subgroup' && { FOUR: four, SHORT: run < variant.WIDTH }),
      },
      fours: variant.shader === 'convolution_subgroup' && four ? ['b'] : [],
      params,
      workgroups: grid(blocks * sizes.slices * groups, profile.limits.maxComputeWorkgroupsPerDimension),
    };
  },
  candidates: (profile) => catalogue.map((one) => ({ tuning: { ...one }, refused: refusal(profile, one) })),
  refusal: (profile, tuning) => refusal(profile, tuning as unknown as Variant),
};
