/** Pictures in another size, axis by axis: which elements a new one lies between, worked out once from the sizes. */
import { ConfigError, ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { add, mul } from './binary.ts';
import { type TensorLike, tensor, toTensor } from './constant.ts';
import type { Composite } from './define.ts';
import { broadcastTo, gather, reshape } from './movement.ts';
import { at, build } from './reference.ts';
import { cast } from './select.ts';
import { around, checkCount, show } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

export interface ResizeOptions {
  /** `'bilinear'` (default) or `'nearest'`. */
  interpolation?: 'bilinear' | 'nearest';
  /** Do the outer elements keep their places, at the corners? Default false. */
  alignCorners?: boolean;
  /** Is an element a square whose middle counts, as in Keras? Default true; false is TensorFlow.js's default. */
  halfPixelCenters?: boolean;
}

type Resampling = Required<ResizeOptions>;

/** For each new element the one before it, the one behind it, and how far it is from one to the other. */
function between(
  from: number,
  to: number,
  { interpolation, alignCorners, halfPixelCenters }: Resampling,
): { low: number[]; high: number[]; share: number[] } {
  const clamp = (i: number) => Math.max(0, Math.min(from - 1, i));
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const found = { low: [] as number[], high: [] as number[], share: [] as number[] };
  for (let i = 0; i < to; i++) {
    let place = halfPixelCenters ? (i + 0.5) * scale - 0.5 : i * scale;
    // The nearest, where the middle between two belongs to the second.
    if (interpolation === 'nearest') place = Math.floor(place + (alignCorners || halfPixelCenters ? 0.5 : 0));
    const floor = Math.floor(place);
    found.low.push(clamp(floor));
    found.high.push(clamp(Math.ceil(place)));
    found.share.push(place - floor);
  }
  return found;
}

/** x with `to` elements along an axis. */
function along(x: Tensor, axis: number, to: number, how: Resampling): Tensor {
  const from = x.shape[axis];
  if (to === from) return x;
  if (how.interpolation === 'nearest' && !how.alignCorners && to % from === 0) {
    // Whole repeats: an index map, whose gradient is a short sum.
    const { outer, inner } = around(x.shape, axis);
    const repeated = broadcastTo(reshape(x, [outer, from, 1, inner]), [outer, from, to / from, inner]);
    return reshape(repeated, [...x.shape.slice(0, axis), to, ...x.shape.slice(axis + 1)]);
  }
  const { low, high, share } = between(from, to, how);
  const rows = (indices: number[]) => gather(x, tensor(Int32Array.from(indices)), axis);
  if (share.every((one) => one === 0)) return rows(low);
  const weights = (of: number[]) =>
    tensor(Float32Array.from(of), { shape: [to, ...new Array<number>(x.rank - 1 - axis).fill(1)] });
  return add(mul(rows(low), weights(share.map((one) => 1 - one))), mul(rows(high), weights(share)));
}

/**
 * Pictures in another size: each new element is the nearest old one, or lies between four of them (bilinear).
 *
 * x: [N, H, W, C], `size`: [H′, W′] → [N, H′, W′, C], f32. By default as `keras.ops.image.resize` has it, without smoothing
 * (`antialias`) where it gets smaller.
 *
 * Throws ShapeError for another rank, ValueError for a size that is none, ConfigError for an unknown option.
 *
 * ```ts
 * const thumbnails = resize(images, [32, 32]);
 * const larger = resize(x, [56, 56], { interpolation: 'nearest' });
 * ```
 */
export function resize(x: TensorLike, size: readonly [number, number], given?: ResizeOptions): Tensor {
  const known = ['interpolation', 'alignCorners', 'halfPixelCenters'] as const;
  const options = knownOptions<ResizeOptions>('resize', given, known);
  const { interpolation = 'bilinear', alignCorners = false } = options;
  const { halfPixelCenters = !alignCorners } = options;
  if (interpolation !== 'bilinear' && interpolation !== 'nearest')
    throw new ConfigError(
      `resize: interpolation is ${JSON.stringify(interpolation)}; expected 'bilinear' or 'nearest'.`,
    );
  if (alignCorners && halfPixelCenters)
    throw new ConfigError('resize: alignCorners and halfPixelCenters are both true; choose one of them.');
  const input = cast(toTensor(x), 'f32');
  if (input.rank !== 4 || input.shape[1] === 0 || input.shape[2] === 0)
    throw new ShapeError(
      `resize: x ${show(input.shape)}; expected [samples, height, width, channels]. Add an axis for the samples with expandDims(x)?`,
    );
  if (!Array.isArray(size) || size.length !== 2)
    throw new ValueError(`resize: size is ${JSON.stringify(size)}; expected [height, width].`);
  const [height, width] = size.map((n) => checkCount(n, 'resize: size'));
  const how = { interpolation, alignCorners, halfPixelCenters };
  return along(along(input, 1, height, how), 2, width, how);
}

// ---- the twin

const resizeTwin = (): Composite => ({
  name: 'resize',
  compute: ([x], { size, ...options }) => resize(x, size as [number, number], options),
  reference([x], { size, ...options }: Attributes) {
    const [samples, height, width, channels] = x.shape;
    const [to0, to1] = size as [number, number];
    const how = {
      interpolation: 'bilinear',
      alignCorners: false,
      halfPixelCenters: !options.alignCorners,
      ...options,
    } as Resampling;
    const rows = between(height, to0, how);
    const columns = between(width, to1, how);
    return build([samples, to0, to1, channels], ([n, i, j, c]) => {
      const row = (r: number): number => {
        const low = at(x, [n, r, columns.low[j], c]);
        return low + (at(x, [n, r, columns.high[j], c]) - low) * columns.share[j];
      };
      const low = row(rows.low[i]);
      return low + (row(rows.high[i]) - low) * rows.share[i];
    });
  },
  tolerance: { relative: 1e-6, absolute: 1e-6 },
  cases: (
    [
      [[2, 3, 4, 3], { size: [5, 7] }],
      [[1, 5, 6, 4], { size: [3, 2] }],
      [[2, 4, 3, 1], { size: [6, 5], alignCorners: true }],
      [[1, 3, 5, 2], { size: [4, 10], halfPixelCenters: false }],
      [[2, 3, 4, 5], { size: [6, 12], interpolation: 'nearest' }],
      [[1, 5, 4, 3], { size: [3, 7], interpolation: 'nearest' }],
      [[1, 1, 1, 1], { size: [2, 3] }],
      [[0, 3, 4, 2], { size: [5, 7] }],
    ] as [number[], Attributes][]
  ).map(([shape, attributes]) => ({ shapes: [shape], attributes })),
});

/** For the registry. */
export const twins = [resizeTwin];
