/**
 * Every op against its float64 twin, on whatever adapter this is: a driver that computes wrongly is found
 * before a network is trained on it.
 */
import { RandomSequence } from '../base/random.ts';
import type { Engine } from '../engine/engine.ts';
import { tensor } from '../ops/constant.ts';
import { apply, type Case, type Composite, type Op, registry, type Tolerance } from '../ops/define.ts';
import type { DType, TypedArray } from '../ops/dtype.ts';
import { type NdArray, ndarray } from '../ops/reference.ts';
import { show, sizeOf } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { gradients } from './gradients.ts';
import { defaultEngine } from './runtime.ts';

export interface SelfTestOptions {
  /** The engine to test; default the default one. */
  engine?: Engine;
  /** Names of ops; default all. */
  ops?: readonly string[];
  /** Hears each result as it comes. */
  onResult?: (result: SelfTestResult) => void;
}

export interface SelfTestResult {
  readonly op: string;
  /** The case in words: `[4, 10] {"axis":-1}`. */
  readonly case: string;
  readonly kind: 'value' | 'gradient';
  /** The largest error as a multiple of what is allowed; at most 1 when passed. */
  readonly worst: number;
  readonly passed: boolean;
}

export interface SelfTestReport {
  readonly adapter: string;
  readonly passed: number;
  readonly failed: number;
  readonly results: readonly SelfTestResult[];
}

/** Gradients are compared with central differences of the float64 twin, to what those are good for. */
const GRADIENT: Tolerance = { relative: 1e-3, absolute: 1e-4 };
const EPSILON = 1e-6;

/** Elements of one input whose gradient is checked, evenly spread; fewer where the twin is slow. */
const CHECKED = 8;
const CHECKED_SLOW = 2;
const SLOW_MS = 2;

/** Inputs keep this far from the points where a case has a kink. */
const MARGIN = 0.05;

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array, u8: Uint8Array };

/**
 * Runs the cases of all ops on the GPU, values and gradients, and judges them by each op's tolerance
 * (WGSL's accuracy bounds). Takes some seconds on a software adapter.
 *
 * ```ts
 * const report = await selfTest();
 * console.log(`${report.adapter}: ${report.passed} passed, ${report.failed} failed`);
 * ```
 */
export async function selfTest(options: SelfTestOptions = {}): Promise<SelfTestReport> {
  const engine = options.engine ?? (await defaultEngine());
  const results: SelfTestResult[] = [];
  const tell = (result: SelfTestResult): void => {
    results.push(result);
    options.onResult?.(result);
  };
  for (const [name, entry] of registry) {
    if (options.ops && !options.ops.includes(name)) continue;
    for (const [index, one] of entry.cases.entries()) await check(entry, one, index + 1, engine, tell);
  }
  const passed = results.filter((result) => result.passed).length;
  return { adapter: engine.profile.description, passed, failed: results.length - passed, results };
}

async function check(
  entry: Op | Composite,
  one: Case,
  seed: number,
  engine: Engine,
  tell: (result: SelfTestResult) => void,
): Promise<void> {
  const attributes = one.attributes ?? {};
  const inputs = one.shapes.map((shape, i) => draw(one, shape, one.dtypes?.[i] ?? 'f32', seed, i));
  const exactInputs = inputs.map(({ values }, i) => ndarray(one.shapes[i], values));
  const operands = inputs.map(({ values, dtype }, i) =>
    tensor(values, { shape: [...one.shapes[i]], dtype, engine }),
  );
  const name = `${one.shapes.map(show).join(' ')}${one.attributes ? ` ${JSON.stringify(attributes)}` : ''}`;
  const say = (
    kind: SelfTestResult['kind'],
    got: ArrayLike<number>,
    exact: ArrayLike<number>,
    allowed: Tolerance,
  ) => {
    const worst = worstError(got, exact, allowed);
    tell({ op: entry.name, case: name, kind, worst, passed: worst <= 1 });
  };

  const y = 'compute' in entry ? entry.compute(operands, attributes) : apply(entry, operands, attributes);
  const reference = () => entry.reference(exactInputs, attributes);
  const begin = performance.now();
  const exact = reference();
  const count = performance.now() - begin > SLOW_MS ? CHECKED_SLOW : CHECKED;
  const smooth = !one.noGradient && y.dtype === 'f32' && y.size > 0 && ('compute' in entry || entry.backward);
  const wrt = smooth ? operands.flatMap((x, i) => (x.dtype === 'f32' ? [i] : [])) : [];
  // dy is 1, -2, 3, 1, …: a gradient that sums over the wrong axis does not cancel.
  const dy = Float32Array.from({ length: y.size }, (_, i) => [1, -2, 3][i % 3]);
  const slopes: Tensor[] =
    wrt.length > 0
      ? gradients(
          y,
          wrt.map((i) => operands[i]),
          { seed: tensor(dy, { shape: [...y.shape], engine }) },
        )
      : [];
  say('value', await y.data(), exact.data, entry.tolerance ?? {});
  for (const [k, slope] of slopes.entries()) {
    const expected = differences(exactInputs[wrt[k]], dy, reference, count);
    const got = await slope.data();
    say(
      'gradient',
      [...expected.keys()].map((i) => got[i]),
      [...expected.values()],
      GRADIENT,
    );
  }
}

/** Seeded numbers for one input of a case. */
function draw(
  { range = [-2, 2], avoid = [] }: Case,
  shape: readonly number[],
  dtype: DType,
  seed: number,
  stream: number,
): { values: TypedArray; dtype: DType } {
  const random = new RandomSequence(seed, stream);
  const next = (): number => {
    const x = range[0] + (range[1] - range[0]) * random.uniform();
    if (dtype === 'bool') return Number(x >= (range[0] + range[1]) / 2);
    if (dtype !== 'f32') return Math.floor(x);
    return avoid.some((kink) => Math.abs(x - kink) < MARGIN) ? next() : x;
  };
  return { values: new arrays[dtype](Array.from({ length: sizeOf(shape) }, next)), dtype };
}

/** Central differences of Σ y · dy for some elements of one input. */
function differences(
  x: NdArray,
  dy: ArrayLike<number>,
  reference: () => NdArray,
  most: number,
): Map<number, number> {
  const count = Math.min(most, x.data.length);
  const loss = (): number => reference().data.reduce((sum, value, i) => sum + value * dy[i], 0);
  const found = new Map<number, number>();
  for (let k = 0; k < count; k++) {
    const i = Math.floor((k * x.data.length) / count);
    const kept = x.data[i];
    x.data[i] = kept + EPSILON;
    const above = loss();
    x.data[i] = kept - EPSILON;
    found.set(i, (above - loss()) / (2 * EPSILON));
    x.data[i] = kept;
  }
  return found;
}

/** The largest |got - exact| / (absolute + relative |exact|); NaN is right only where NaN is due. */
function worstError(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance,
): number {
  if (got.length !== exact.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < exact.length; i++) {
    if (Object.is(got[i], exact[i]) || got[i] === exact[i]) continue;
    const excess = Math.abs(got[i] - exact[i]) / (absolute + relative * Math.abs(exact[i]));
    worst = Math.max(worst, Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess);
  }
  return worst;
}
