/**
 * Gradients against finite differences: what the GPU says of a function's slopes, beside what follows from its values
 * in float64, which the ops' twins compute. Whoever writes a layer, a loss or a backward rule asks here.
 */
import { GradientError, UnsupportedError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { RandomSequence } from '../base/random.ts';
import { mul } from '../ops/binary.ts';
import { type TensorLike, tensor, toTensor } from '../ops/constant.ts';
import { sum } from '../ops/reduce.ts';
import { type NdArray, ndarray } from '../ops/reference.ts';
import { registry } from '../ops/registry.ts';
import { present, Tensor, tracing, type Variable } from '../ops/tensor.ts';
import { gradients } from './gradients.ts';
import { topological } from './order.ts';

export interface GradcheckOptions {
  /** Half the distance of two values, for numbers up to 1, beyond them in proportion; default 1e-5. */
  epsilon?: number;
  /** Error allowed as a share of a slope; default 1e-3. */
  relative?: number;
  /** Error allowed besides; default 1e-5. */
  absolute?: number;
  /** Elements that are checked of each input and variable, evenly spread; default 32. */
  elements?: number;
}

/** What was found of one input, or of one variable that the function reads. */
export interface GradcheckResult {
  /** `input 0`, or the variable's name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements that were checked, and those of them at a kink, where every slope between left and right is right. */
  readonly checked: number;
  readonly kinks: number;
  /** The largest error as a multiple of what is allowed; at most 1 when passed. */
  readonly worst: number;
  /** Where that is, the gradient there and the slope. */
  readonly at: readonly number[];
  readonly got: number;
  readonly expected: number;
  readonly passed: boolean;
}

export interface GradcheckReport {
  readonly passed: boolean;
  readonly results: readonly GradcheckResult[];
}

/**
 * Checks the gradients of a function by all its inputs of f32 and by the trainable variables that it reads:
 * dy/dx ≈ (y(x + ε) − y(x − ε)) / 2ε, the values in float64, the gradient as the GPU computes it.
 *
 * `fn`: tensors to a tensor of any shape; it is called once, and each of its elements counts by a weight of its own.
 * `inputs`: numbers, arrays or tensors. Where left and right slopes differ (relu at 0) any number between them passes.
 *
 * Throws GradientError where the function depends on nothing that could be checked, UnsupportedError for an op
 * without a twin, ValueError for a tolerance that is none.
 *
 * ```ts
 * const report = await gradcheck((x) => x.tanh().matmul(w).softmax(), [[[0.1, -0.4]]]);
 * console.log(report.passed, report.results[0].worst);
 * ```
 */
export async function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly TensorLike[],
  options?: GradcheckOptions,
): Promise<GradcheckReport> {
  const name = 'gradcheck';
  const known = ['epsilon', 'relative', 'absolute', 'elements'] as const;
  const given = knownOptions<GradcheckOptions>(name, options, known);
  const { epsilon = 1e-5, relative = 1e-3, absolute = 1e-5, elements = 32 } = given;
  for (const [option, value] of Object.entries({ epsilon, relative, absolute, elements }))
    if (!(Number.isFinite(value) && value > 0))
      throw new ValueError(`${name}: ${option} is ${value}; expected a number above 0.`);

  const leaves = await Promise.all(inputs.map(copied));
  const [y, variables] = watching(() => weighted(fn(...leaves)));
  const graph = new Graph(y);
  const asked = [
    ...leaves.map((x, i) => ({ name: `input ${i}`, x, node: x })),
    ...variables.map((x) => ({ name: x.name, x, node: present(x) })),
  ].filter(({ x, node }) => x.dtype === 'f32' && graph.has(node));
  if (asked.length === 0)
    throw new GradientError(
      `${name}: the function depends on no input of f32 and on no trainable variable; there is nothing to check.`,
    );
  const slopes = gradients(
    y,
    asked.map(({ x }) => x),
  );
  const [got] = await Promise.all([Promise.all(slopes.map((one) => one.data())), graph.load()]);

  const results = asked.map(({ name, node }, k): GradcheckResult => {
    const { size, shape } = node;
    const count = Math.min(size, Math.floor(elements));
    const along = graph.along(node);
    let worst = { ratio: 0, at: 0, got: got[k][0] ?? 0, expected: got[k][0] ?? 0 };
    let kinks = 0;
    for (let i = 0; i < count; i++) {
      const at = Math.floor((i * size) / count);
      const [left, right, middle] = along(at, epsilon);
      const allowed = absolute + relative * Math.abs(middle);
      const isKink = Math.abs(right - left) > 10 * allowed;
      if (isKink) kinks++;
      const g = got[k][at];
      const [low, high] = isKink ? [Math.min(left, right), Math.max(left, right)] : [middle, middle];
      const error = g >= low && g <= high ? 0 : Math.min(Math.abs(g - low), Math.abs(g - high));
      // NaN is right only where the slope is NaN too.
      const ratio =
        Number.isNaN(g) || Number.isNaN(middle) ? (Object.is(g, middle) ? 0 : Infinity) : error / allowed;
      if (ratio >= worst.ratio) worst = { ratio, at, got: g, expected: middle };
    }
    return {
      name,
      shape,
      checked: count,
      kinks,
      worst: worst.ratio,
      at: indexOf(worst.at, shape),
      got: worst.got,
      expected: worst.expected,
      passed: worst.ratio <= 1,
    };
  });
  return { passed: results.every(({ passed }) => passed), results };
}

/** What `make` gives, and the trainable variables that it reads. */
function watching<T>(make: () => T): [T, Variable[]] {
  const outer = tracing.watched;
  const watched = new Set<Variable>();
  tracing.watched = watched;
  try {
    return [make(), [...watched].filter((variable) => variable.trainable)];
  } finally {
    tracing.watched = outer;
  }
}

/** A leaf of its own with the same numbers. */
async function copied(given: TensorLike): Promise<Tensor> {
  const x = toTensor(given);
  return tensor((await x.data()).slice(), { shape: x.shape, dtype: x.dtype });
}

/** Σ of all elements, each by a weight between ½ and 1½ of its own, so that no two errors cancel. */
function weighted(y: Tensor): Tensor {
  if (!(y instanceof Tensor))
    throw new GradientError(`gradcheck: the function returned ${typeof y}; expected a tensor.`);
  const random = new RandomSequence(1, 0);
  const weights = Float32Array.from({ length: y.size }, () => random.between(0.5, 1.5));
  return sum(mul(y, tensor(weights, { shape: y.shape })));
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

/** A scalar as a function of its leaves, in float64. */
class Graph {
  private readonly root: Tensor;
  /** Inputs before users. */
  private readonly order: readonly Tensor[];
  private readonly values = new Map<Tensor, NdArray>();

  constructor(root: Tensor) {
    this.root = root;
    // No gradient goes on behind a variable's value.
    this.order = topological([root], isEnd);
    for (const { op } of this.order) if (op) twinOf(op.name);
  }

  has(leaf: Tensor): boolean {
    return this.order.includes(leaf);
  }

  /** Reads the leaves, and computes the rest from them. */
  async load(): Promise<void> {
    await Promise.all(
      this.order.filter(isEnd).map(async (x) => {
        this.values.set(x, ndarray(x.shape, await x.data()));
      }),
    );
    for (const x of this.order) if (!isEnd(x)) this.values.set(x, computed(x, this.values));
  }

  /** The slopes at an element of a leaf: to the left, to the right, and across. */
  along(leaf: Tensor): (at: number, epsilon: number) => [left: number, right: number, across: number] {
    const depends = new Set([leaf]);
    const moved = this.order.filter((x) => {
      if (isEnd(x) || !x.inputs.some((input) => depends.has(input))) return false;
      depends.add(x);
      return true;
    });
    const { shape, data } = this.values.get(leaf)!;
    const here = this.values.get(this.root)!.data[0];
    const y = (at: number, x: number): number => {
      const values = new Map(this.values).set(leaf, ndarray(shape, data.with(at, x)));
      for (const node of moved) values.set(node, computed(node, values));
      return values.get(this.root)!.data[0];
    };
    return (at, epsilon) => {
      const step = epsilon * Math.max(1, Math.abs(data[at]));
      const [low, high] = [y(at, data[at] - step), y(at, data[at] + step)];
      return [(here - low) / step, (high - here) / step, (high - low) / (2 * step)];
    };
  }
}

const isEnd = (x: Tensor): boolean => x.op === null || x.readers !== null;

const computed = ({ op, inputs, attributes }: Tensor, values: ReadonlyMap<Tensor, NdArray>): NdArray =>
  twinOf(op!.name).reference(
    inputs.map((input) => values.get(input)!),
    attributes,
  );

function twinOf(name: string) {
  const twin = registry.get(name);
  if (twin) return twin;
  throw new UnsupportedError(
    `gradcheck: op ${name} has no twin in float64. Check what comes before and after it.`,
  );
}
