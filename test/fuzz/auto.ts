/**
 * Rows for what the registry has and the table of ops.ts has not, from the twins alone, so that a new op is drawn
 * from the day on which it is registered. Functions of one element get slopes from differences of their twins; other
 * composites are called on numbers of their own.
 */
import * as W from '../../src/index.ts';
import type { Case, Composite, ProvenOp } from '../../src/ops/define.ts';
import { generator } from '../reference/random.ts';
import { type Num, node, num, step } from './number.ts';
import type { OpRow } from './ops.ts';
import { type DType, must, sizeOf, type Value } from './value.ts';

type Entry = ProvenOp | Composite;

/** f64(x) by the twin. */
const scalar = (entry: Entry, one: Case) => (x: number) =>
  entry.reference([{ shape: [], data: Float64Array.of(x) }], one.attributes ?? {}).data[0];

const isReal = ({ dtypes }: Case): boolean =>
  dtypes === undefined || dtypes.every((dtype) => dtype === 'f32');

/** Does the twin treat one element after the other? */
function isElementwise(entry: Entry): boolean {
  const one = entry.cases.find((some) => some.shapes.length === 1 && sizeOf(some.shapes[0]) > 2);
  if (!one || !entry.cases.every((some) => some.shapes.length === 1 && isReal(some))) return false;
  const [low, high] = one.range ?? [-2, 2];
  const data = Float64Array.from(
    { length: sizeOf(one.shapes[0]) },
    (_, i) => low + ((high - low) * (i + 0.5)) / 300,
  );
  try {
    const y = entry.reference([{ shape: one.shapes[0], data }], one.attributes ?? {});
    return (
      String(y.shape) === String(one.shapes[0]) &&
      data.every((x, i) => Object.is(scalar(entry, one)(x), y.data[i]))
    );
  } catch {
    return false;
  }
}

/** f(x) with slopes by central differences, as often as wanted. */
function smooth(f: (x: number) => number, x: Num, error: (y: number) => number): Num {
  const h = 1e-4;
  const v = f(x.v);
  return node(v, error(v), [x], () => [
    smooth(
      (at) => (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h),
      x,
      (y) => 1e-4 * Math.abs(y) + 1e-5,
    ),
  ]);
}

const call = (entry: Entry, inputs: readonly string[], attributes: object = {}): string =>
  'compute' in entry
    ? `W.registry.get('${entry.name}').compute([${inputs.join(', ')}], ${JSON.stringify(attributes)})`
    : `W.${entry.name}(${inputs.join(', ')})`;

function elementwiseRow(entry: Entry): OpRow {
  const one = entry.cases[0];
  const [low, high] = one.range ?? [-2, 2];
  const kinks = one.avoid ?? [];
  const { relative = 1e-6, absolute = 0 } = entry.tolerance ?? {};
  const dtype: DType = 'compute' in entry ? 'f32' : entry.dtype(['f32'], {});
  const hasSlope = !one.noGradient && dtype === 'f32';
  const f = scalar(entry, one);
  return {
    covers: [entry.name],
    weight: 0.3,
    choose(_random, pool) {
      const x = pool.pick(
        ({ dtype: own, data }) =>
          own === 'f32' &&
          data.every(({ v }) => v >= low && v <= high && kinks.every((kink) => Math.abs(v - kink) > 1e-3)),
      );
      return x && { inputs: [x] };
    },
    walk([x]) {
      must(x.dtype === 'f32', 'whole numbers');
      const data = x.data.map((each) =>
        hasSlope ? smooth(f, each, (y) => relative * Math.abs(y) + absolute) : step(f(each.v), each),
      );
      return { shape: x.shape, dtype, data: dtype === 'f32' ? data : data.map(({ v }) => num(v)) };
    },
    code: ([x]) => call(entry, [x], one.attributes),
  };
}

/** On numbers of its own, which the seed of the statement gives. */
function caseRow(entry: Composite): OpRow | null {
  const cases = entry.cases.filter(
    ({ shapes }) => shapes.length > 0 && shapes.every((shape) => sizeOf(shape) <= 150),
  );
  if (cases.length === 0) return null;
  const inputsOf = (at: number, seed: number): Value[] => {
    const { shapes, dtypes, range = [-2, 2] } = cases[at];
    const random = generator(seed);
    return shapes.map((shape, i) => {
      const dtype = dtypes?.[i] ?? 'f32';
      const draw = () => {
        const x = random.between(...range);
        return dtype === 'f32' ? x : dtype === 'bool' ? Number(x > 0) : Math.floor(x);
      };
      return { shape, dtype, data: Array.from({ length: sizeOf(shape) }, () => num(draw())) };
    });
  };
  return {
    covers: [entry.name],
    weight: 0.15,
    choose: (random) => ({
      inputs: [],
      attributes: { at: random.below(cases.length), seed: random.below(1000) },
    }),
    walk(_inputs, a) {
      const one = cases[a.at as number];
      const inputs = inputsOf(a.at as number, a.seed as number);
      const arrays = inputs.map(({ shape, data }) => ({
        shape,
        data: Float64Array.from(data, ({ v }) => v),
      }));
      const y = entry.reference(arrays, one.attributes ?? {});
      const { relative = 1e-6, absolute = 1e-6 } = entry.tolerance ?? {};
      // Ask the op itself for the dtype alone: the walk has no rule for one that it does not know.
      const { dtype } = entry.compute(
        inputs.map((x) => W.zeros(x.shape, x.dtype)),
        one.attributes ?? {},
      );
      const data = [...y.data].map((v) =>
        dtype === 'f32' ? node(v, relative * Math.abs(v) + absolute, [], () => []) : num(v),
      );
      return { shape: y.shape, dtype, data };
    },
    code(_x, a) {
      const tensors = inputsOf(a.at as number, a.seed as number).map(
        ({ shape, dtype, data }) =>
          `W.tensor([${data.map(({ v }) => v).join(', ')}], { shape: ${JSON.stringify(shape)}, dtype: '${dtype}' })`,
      );
      return call(entry, tensors, cases[a.at as number].attributes);
    },
  };
}

/** A row for every entry that none of `covered` reaches and that can be called. */
export function rowsFor(covered: ReadonlySet<string>): Record<string, OpRow> {
  const rows: Record<string, OpRow> = {};
  for (const entry of W.registry.values()) {
    if (covered.has(entry.name)) continue;
    const isCallable =
      'compute' in entry || typeof (W as unknown as Record<string, unknown>)[entry.name] === 'function';
    const plain = 'compute' in entry || entry.cases.every(({ attributes }) => attributes === undefined);
    const row =
      isCallable && plain && isElementwise(entry as Entry)
        ? elementwiseRow(entry as Entry)
        : 'compute' in entry
          ? caseRow(entry as Composite)
          : null;
    if (row) rows[entry.name] = row;
  }
  return rows;
}
