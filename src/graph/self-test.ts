/**
 * Every op against its float64 twin, on whatever adapter this is: a driver that computes wrongly is found
 * before a network is trained on it.
 *
 * What is allowed is what WGSL allows (its section "Floating Point Accuracy"), not what some driver achieves:
 * an op's own tolerance, and for long sums what rounding each of their terms may add up to.
 */
import { AbortError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { RandomSequence } from '../base/random.ts';
import type { Engine } from '../engine/engine.ts';
import { adapterName } from '../engine/profile.ts';
import { tensor } from '../ops/constant.ts';
import { apply, type Case, type Composite, type ProvenOp } from '../ops/define.ts';
import type { DType, TypedArray } from '../ops/dtype.ts';
import { keepQuiet } from '../ops/half.ts';
import { type NdArray, ndarray } from '../ops/reference.ts';
import { registry } from '../ops/registry.ts';
import { show, sizeOf } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { compute } from './compute.ts';
import { defaultEngine, serial } from './engines.ts';
import { gradients } from './gradients.ts';

export interface SelfTestOptions {
  /** The engine to test; default the default one. */
  engine?: Engine;
  /** Names of ops; default all. */
  ops?: readonly string[];
  /** Hears each result as it comes. */
  onResult?: (result: SelfTestResult) => void;
  /** Hears how many cases are done. */
  onProgress?: (done: number, total: number) => void;
  /** Stops between two cases; selfTest then rejects with AbortError. */
  signal?: AbortSignal | null;
}

export interface SelfTestResult {
  readonly op: string;
  /** The case in words: `[4, 10] {"axis":-1}`. */
  readonly case: string;
  readonly kind: 'value' | 'gradient';
  /** The largest error as a multiple of what is allowed; at most 1 when passed. */
  readonly worst: number;
  /** That error itself … */
  readonly error: number;
  /** … and what is allowed at that element. */
  readonly bound: number;
  readonly passed: boolean;
  /** Why there are no numbers, where the kernel could not run. */
  readonly message?: string;
}

/** All cases of one op. */
export interface OpVerdict {
  readonly op: string;
  readonly cases: number;
  /** The worst results of its cases, as multiples of what is allowed; null where no gradient is tested. */
  readonly worstValue: number;
  readonly worstGradient: number | null;
  readonly passed: boolean;
}

export interface SelfTestReport {
  readonly adapter: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly ops: readonly OpVerdict[];
  readonly results: readonly SelfTestResult[];
}

/** An error allowed for each element. */
type Allowed = (i: number, exact: number) => number;

/** One unit in the last place of a number near 1: what WGSL allows a sum or a product to be off. */
const ULP = 2 ** -23;

const EPSILON = 1e-6;

/** Elements of one input whose gradient is checked, evenly spread; fewer where the twin is slow. */
const CHECKED = 8;
const CHECKED_SLOW = 2;
const SLOW_MS = 2;

/** Inputs keep this far from the points where a case has a kink. */
const MARGIN = 0.05;

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array, u8: Uint8Array };

/**
 * Runs the cases of all ops on the GPU, values and gradients, and judges them by WGSL's accuracy bounds, so
 * that every conforming device passes. Takes half a minute on a software adapter.
 *
 * A kernel that does not compile or run is a failed result; only the loss of the device rejects.
 *
 * ```ts
 * const report = await selfTest();
 * console.log(`${report.adapter}: ${report.passed} passed, ${report.failed} failed`);
 * ```
 */
export async function selfTest(given?: SelfTestOptions): Promise<SelfTestReport> {
  const known = ['engine', 'ops', 'onResult', 'onProgress', 'signal'] as const;
  const options = knownOptions<SelfTestOptions>('selfTest', given, known);
  const { ops, signal, onResult, onProgress } = options;
  const engine = options.engine ?? (await defaultEngine());
  keepQuiet(engine.profile);
  const begin = performance.now();
  const entries = [...registry.values()].filter(({ name }) => !ops || ops.includes(name));
  const total = entries.reduce((sum, { cases }) => sum + cases.length, 0);
  const results: SelfTestResult[] = [];
  let done = 0;
  for (const entry of entries)
    for (const [index, one] of entry.cases.entries()) {
      if (signal?.aborted) throw new AbortError('selfTest: aborted by the signal.', { cause: signal.reason });
      for (const result of await check(entry, one, index + 1, engine)) {
        results.push(result);
        onResult?.(result);
      }
      onProgress?.(++done, total);
    }
  const passed = results.filter((result) => result.passed).length;
  return {
    adapter: adapterName(engine.profile),
    passed,
    failed: results.length - passed,
    seconds: (performance.now() - begin) / 1000,
    ops: entries.filter(({ cases }) => cases.length > 0).map((entry) => verdict(entry, results)),
    results,
  };
}

function verdict({ name, cases }: ProvenOp | Composite, results: readonly SelfTestResult[]): OpVerdict {
  const own = results.filter(({ op }) => op === name);
  const worst = (kind: SelfTestResult['kind']): number | null => {
    const found = own.filter((result) => result.kind === kind).map((result) => result.worst);
    return found.length > 0 ? Math.max(...found) : null;
  };
  return {
    op: name,
    cases: cases.length,
    worstValue: worst('value') ?? 0,
    worstGradient: worst('gradient'),
    passed: own.every(({ passed }) => passed),
  };
}

/** The results of one case: the value first, then the gradient for each input. */
async function check(
  entry: ProvenOp | Composite,
  one: Case,
  seed: number,
  engine: Engine,
): Promise<SelfTestResult[]> {
  const attributes = one.attributes ?? {};
  const about = {
    op: entry.name,
    case: `${one.shapes.map(show).join(' ')}${one.attributes ? ` ${JSON.stringify(attributes)}` : ''}`,
  };
  const inputs = one.shapes.map((shape, i) => draw(one, shape, one.dtypes?.[i] ?? 'f32', seed, i));
  const exactInputs = inputs.map(({ values }, i) => ndarray(one.shapes[i], values));
  const reference = () => entry.reference(exactInputs, attributes);
  const begin = performance.now();
  const exact = reference();
  const count = performance.now() - begin > SLOW_MS ? CHECKED_SLOW : CHECKED;

  // dy is 1, -2, 3, 1, …: a gradient that sums over the wrong axis does not cancel.
  const dy = Float32Array.from({ length: exact.data.length }, (_, i) => [1, -2, 3][i % 3]);
  const tensors: Tensor[] = [];
  const own = (x: Tensor): Tensor => {
    tensors.push(x);
    return x;
  };
  try {
    const operands = inputs.map(({ values, dtype }, i) =>
      own(tensor(values, { shape: [...one.shapes[i]], dtype, engine })),
    );
    const y = own(
      'compute' in entry ? entry.compute(operands, attributes) : apply(entry, operands, attributes),
    );
    const smooth =
      !one.noGradient && y.dtype === 'f32' && y.size > 0 && ('compute' in entry || entry.backward);
    const wrt = smooth ? operands.flatMap((x, i) => (x.dtype === 'f32' ? [i] : [])) : [];
    const slopes =
      wrt.length > 0
        ? gradients(
            y,
            wrt.map((i) => operands[i]),
            { seed: own(tensor(dy, { shape: [...y.shape], engine })) },
          )
        : [];
    tensors.push(...slopes);
    await serial(engine, async () => {
      engine.check('selfTest');
      await compute([y, ...slopes], engine);
    });
    const [value, ...got] = await Promise.all([y, ...slopes].map((x) => x.data()));

    const judged = judge(value, exact.data, allowedValue(entry, one, exactInputs));
    const results: SelfTestResult[] = [{ ...about, kind: 'value', ...judged }];
    for (const [k, slope] of got.entries()) {
      const expected = differences(exactInputs[wrt[k]], dy, reference, count);
      const asked = [...expected.keys()].map((i) => slope[i]);
      const exactSlopes = [...expected.values()];
      const allowed = allowedGradient(entry, one, exactSlopes);
      results.push({ ...about, kind: 'gradient', ...judge(asked, exactSlopes, allowed) });
    }
    return results;
  } catch (error) {
    if (engine.lost) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const nothing = { worst: Number.POSITIVE_INFINITY, error: Number.POSITIVE_INFINITY, bound: 0 };
    return [{ ...about, kind: 'value', ...nothing, passed: false, message }];
  } finally {
    for (const x of tensors) x.dispose();
  }
}

/** The op's tolerance, and for sums and products half an ULP too many for each of their terms. */
function allowedValue(entry: ProvenOp | Composite, one: Case, inputs: readonly NdArray[]): Allowed {
  const { relative = 0, absolute = 0 } = one.tolerance ?? entry.tolerance ?? {};
  const terms = entry.terms?.(one.shapes, one.attributes ?? {}) ?? 0;
  if (terms === 0) return (_, exact) => absolute + relative * Math.abs(exact);
  const sizes = inputs.map(({ shape, data }) => ndarray(shape, data.map(Math.abs)));
  const magnitude = entry.reference(sizes, one.attributes ?? {}).data;
  const rounding = ULP * (1 + terms / 2);
  return (i, exact) => absolute + relative * Math.abs(exact) + rounding * Math.abs(magnitude[i]);
}

/**
 * Gradients are compared with central differences, to what those are good for. They are made of values like
 * the op's own, times a dy of up to 3, and where they cancel, of parts as large as the largest of them.
 */
function allowedGradient(entry: ProvenOp | Composite, one: Case, slopes: readonly number[]): Allowed {
  const tolerance = one.tolerance ?? entry.tolerance ?? {};
  const largest = slopes.reduce((most, one) => Math.max(most, Math.abs(one)), 1);
  const absolute = 1e-4 * largest + 3 * (tolerance.absolute ?? 0);
  return (_, exact) => absolute + 1e-3 * Math.abs(exact);
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

/** The element that is furthest off, measured by what is allowed there; NaN is right only where NaN is due. */
function judge(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  allowed: Allowed,
): Pick<SelfTestResult, 'worst' | 'error' | 'bound' | 'passed'> {
  const hopeless = { worst: Number.POSITIVE_INFINITY, error: Number.POSITIVE_INFINITY, passed: false };
  if (got.length !== exact.length) return { ...hopeless, bound: 0 };
  let [worst, error, bound] = [0, 0, exact.length > 0 ? allowed(0, exact[0]) : 0];
  for (let i = 0; i < exact.length; i++) {
    if (Object.is(got[i], exact[i]) || got[i] === exact[i]) continue;
    const off = Math.abs(got[i] - exact[i]);
    const most = allowed(i, exact[i]);
    const excess = off / most;
    if (Number.isNaN(excess)) return { ...hopeless, bound: most };
    if (excess > worst) [worst, error, bound] = [excess, off, most];
  }
  return { worst, error, bound, passed: worst <= 1 };
}
