/** The kernel family of convolutions: a matrix product whose left operand is read through windows. */
import type { Profile } from '../../engine/profile.ts';
import { alternatives, type KernelCall, type KernelFamily, type Lowered } from '../define.ts';
import { grid } from '../elementwise.ts';
import { type Shape, sizeOf, stridesOf } from '../shape.ts';
import { type Geometry, isInside } from './geometry.ts';

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

/** One number per axis as the shader names them: `size_0`, `size_1`, `size_2`, missing ones in front. */
const named = (name: string, values: Shape, missing = 1): Record<string, number> =>
  Object.fromEntries(
    [...new Array<number>(3 - values.length).fill(missing), ...values].map((n, i) => [
      `${name}_${i}`,
      n >>> 0,
    ]),
  );

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

interface Tiles extends Readonly<Record<string, number>> {
  readonly TILE_M: number;
  readonly TILE_N: number;
  readonly LANES_M: number;
  readonly LANES_N: number;
}

const tiles = (TILE_M: number, TILE_N: number, LANES_M: number, LANES_N: number): Tiles => ({
  TILE_M,
  TILE_N,
  LANES_M,
  LANES_N,
});

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/** As for products: software drivers pay for loads, so the larger the tile the better; GPUs have lanes to fill. */
function pick({ isSoftware }: Profile, { rows, columns, inner }: Sizes): Tiles {
  const tall = Math.min(8, powerOfTwo(rows));
  if (isSoftware) {
    if (columns >= 32 && rows >= 8 && rows * columns * inner > 5e5) return tiles(16, 2, 1, 4);
    const across = Math.min(8, powerOfTwo(columns / 4));
    return tiles(Math.min(rows * columns * inner > 1e5 ? 8 : 4, tall), 1, 8 / across, across);
  }
  const across = Math.min(16, powerOfTwo(columns / 4));
  return tiles(Math.min(4, tall), 1, 64 / across, across);
}

export const convolutionFamily: KernelFamily = {
  name: 'convolution',
  readsOften: true,
  lower({ inputs, attributes, profile, tuning }: KernelCall): Lowered {
    const given = attributes as ProductAttributes;
    const [samples] = inputs.a.shape;
    const sizes = sizesOf(given, samples);
    const variant = { ...pick(profile, sizes), ...tuning } as Tiles;
    const { TILE_M, TILE_N, LANES_M, LANES_N } = variant;
    const blocks =
      Math.ceil(sizes.rows / (TILE_M * LANES_M)) * Math.ceil(sizes.columns / (4 * TILE_N * LANES_N));
    return {
      kernel: 'convolution',
      tuning: variant,
      tune: {
        ...variant,
        AXES: given.size.length,
        GATHER: given.product === 'input',
        FILTER: given.product === 'filter',
        INSIDE: given.product !== 'input' && isInside(given),
      },
      params: paramsOf(given, samples),
      workgroups: grid(blocks * sizes.slices * given.groups, profile.limits.maxComputeWorkgroupsPerDimension),
    };
  },
  candidates: () => alternatives(tiles(2, 1, 4, 2), tiles(8, 1, 2, 4), tiles(16, 2, 1, 4)),
};
