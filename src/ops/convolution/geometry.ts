/**
 * How windows lie on an input, for convolution and pooling: sizes, strides, padding and dilation along each axis, and
 * the messages when there is no such thing.
 */
import { ConfigError, ShapeError, ValueError } from '../../base/errors.ts';
import { type Shape, show } from '../shape.ts';
import type { Attributes } from '../tensor.ts';

export type Padding = 'valid' | 'same' | 'causal';

/** One number for all axes, or one for each. */
export type PerAxis = number | readonly number[];

/**
 * Windows on [samples, ...size, channels]: tap t of the window at place p is the element at p · stride + t · dilation − before,
 * and outside the input there is nothing. A number for each axis.
 */
export interface Geometry extends Attributes {
  readonly size: Shape;
  readonly places: Shape;
  readonly taps: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  /** Padding in front. */
  readonly before: Shape;
}

/** Whole numbers of at least `least`, one per axis; ValueError that names the argument. */
export function perAxis(value: PerAxis, axes: number, argument: string, least = 1): number[] {
  const list = Array.isArray(value) ? [...value] : new Array<number>(axes).fill(value as number);
  if (list.length !== axes || !list.every((n) => Number.isInteger(n) && n >= least))
    throw new ValueError(
      `${argument} is ${JSON.stringify(value)}; expected a whole number of ${least} or more${axes > 1 ? `, or ${axes} of them` : ''}.`,
    );
  return list;
}

/** The extent of a window with gaps. */
export const extentOf = (taps: number, dilation: number): number => (taps - 1) * dilation + 1;

function checkSteps(strides: Shape, dilations: Shape, operation: string): void {
  if (strides.some((n) => n > 1) && dilations.some((n) => n > 1))
    throw new ValueError(
      `${operation}: strides ${show(strides)} and dilations ${show(dilations)} are both above 1, which Keras refuses too. Use one of them.`,
    );
}

interface Windows {
  readonly size: Shape;
  readonly taps: Shape;
  readonly strides?: PerAxis;
  readonly dilations?: PerAxis;
  readonly padding?: Padding;
}

export function checkPadding(padding: unknown, known: readonly string[], operation: string): void {
  if (!known.includes(padding as string))
    throw new ConfigError(
      `${operation}: padding is ${JSON.stringify(padding)}; expected ${known.map((one) => `'${one}'`).join(' or ')}.`,
    );
}

/** Where windows lie. 'same' pads so that there is a place for every stride begun, the odd zero behind, as Keras does. */
export function geometryOf(
  { size, taps, padding = 'valid', strides: by = 1, dilations: gaps = 1 }: Windows,
  operation: string,
): Geometry {
  const axes = size.length;
  const strides = perAxis(by, axes, `${operation}: strides`);
  const dilations = perAxis(gaps, axes, `${operation}: dilations`);
  checkPadding(padding, axes === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'], operation);
  checkSteps(strides, dilations, operation);
  const extents = taps.map((n, i) => extentOf(n, dilations[i]));
  const places: number[] = [];
  const before: number[] = [];
  size.forEach((n, i) => {
    if (padding === 'same') {
      places.push(Math.ceil(n / strides[i]));
      before.push(Math.floor(Math.max(0, (places[i] - 1) * strides[i] + extents[i] - n) / 2));
      return;
    }
    before.push(padding === 'causal' ? extents[i] - 1 : 0);
    const room = n + before[i] - extents[i];
    if (room < 0)
      throw new ShapeError(
        `${operation}: a window of ${show(extents)} does not fit into ${show(size)}. Use padding: 'same', or a smaller one.`,
      );
    places.push(Math.floor(room / strides[i]) + 1);
  });
  return { size, places, taps, strides, dilations, before };
}

/** Do all windows lie inside the input? */
export const isInside = ({ size, places, taps, strides, dilations, before }: Geometry): boolean =>
  size.every(
    (n, i) => before[i] === 0 && (places[i] - 1) * strides[i] + extentOf(taps[i], dilations[i]) <= n,
  );

interface TransposedWindows extends Omit<Windows, 'size'> {
  readonly places: Shape;
  readonly padding?: 'valid' | 'same';
  readonly outputPadding?: PerAxis | null;
}

/** The windows that a transposed convolution goes back through, with the sizes that Keras gives it. */
export function transposedGeometry(
  { places, taps, padding = 'valid', strides: by = 1, dilations: gaps = 1, outputPadding }: TransposedWindows,
  operation: string,
): Geometry {
  const axes = places.length;
  const strides = perAxis(by, axes, `${operation}: strides`);
  const dilations = perAxis(gaps, axes, `${operation}: dilations`);
  checkPadding(padding, ['valid', 'same'], operation);
  checkSteps(strides, dilations, operation);
  const behind =
    outputPadding == null ? null : perAxis(outputPadding, axes, `${operation}: outputPadding`, 0);
  const size: number[] = [];
  const before: number[] = [];
  places.forEach((n, i) => {
    const [stride, extent] = [strides[i], extentOf(taps[i], dilations[i])];
    // What is padded around the places, set `stride` apart, before windows of the turned filter slide over them.
    const around =
      padding === 'valid'
        ? 2 * (extent - 1) + (behind?.[i] ?? Math.max(0, stride - extent))
        : extent - 2 + (behind ? (extent % 2) + behind[i] : stride);
    size.push(Math.max(0, (n - 1) * stride + 2 + around - extent));
    before.push(extent - 1 - Math.min(Math.ceil(around / 2), extent - 1));
  });
  return { size, places, taps, strides, dilations, before };
}

/** One number per axis as shaders name them: `size_0`, `size_1`, `size_2`, missing axes in front. What is below zero wraps. */
export const named = (name: string, values: Shape, missing = 1): Record<string, number> =>
  Object.fromEntries(
    [...new Array<number>(3 - values.length).fill(missing), ...values].map((n, i) => [
      `${name}_${i}`,
      n >>> 0,
    ]),
  );
