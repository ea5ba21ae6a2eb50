/**
 * What an op is: one object with its shape rule, its dtype rule, its gradient and its cost, and below it its
 * twin: the same in float64, and the cases to try. The registry has them all.
 *
 * There are three kinds. An *expression* op says what one element of the result is and can melt into
 * any other kernel. A *kernel* op has a shader of its own, into which expressions melt. A *composite*
 * is written in other ops and exists only as a name with a contract.
 */
import { EngineMismatchError } from '../base/errors.ts';
import type { Profile } from '../engine/profile.ts';
import type { Candidate, Tuning } from '../engine/tuning.ts';
import type { KernelName } from '../shaders/index.ts';
import type { DType, StoredDType } from './dtype.ts';
import type { Expressions } from './expression.ts';
import type { NdArray } from './reference.ts';
import type { Shape } from './shape.ts';
import { type Attributes, present, Tensor, tracing } from './tensor.ts';

export interface Facts {
  readonly shape: Shape;
  readonly dtype: DType;
  /** An input of two axes that is computed, as it is read, from rows of packed bytes. */
  readonly packed?: boolean;
}

/** One test case: inputs are seeded uniform numbers in `range` (default [-2, 2]), rounded to f32. */
export interface Case {
  readonly shapes: readonly Shape[];
  readonly attributes?: Attributes;
  readonly range?: readonly [number, number];
  /** Per input; default all f32. Integer inputs are drawn from `range`, rounded down. */
  readonly dtypes?: readonly DType[];
  /** Keep inputs at least this far from these points (kinks), for the gradient test. */
  readonly avoid?: readonly number[];
  /** False where the gradient is not tested, with the reason. */
  readonly noGradient?: string;
  /** Instead of the op's, where numbers of this size bring larger errors. */
  readonly tolerance?: Tolerance;
}

/**
 * Error allowed against float64: |got − exact| ≤ absolute + relative · |exact|, from WGSL's accuracy bounds of
 * the functions that an op uses. For ops that add up, tests of real devices add to it by `terms`.
 */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
}

export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** The families of ops/families/index.ts, which is loaded with the planner. */
export type FamilyName = 'matmul' | 'reduce' | 'softmax' | 'argReduce' | 'scatter';

/** How an op with a shader of its own meets its kernel family. */
export interface KernelBinding {
  /** By name; the family itself where an op has one of its own. */
  readonly family: FamilyName | KernelFamily;
  /** The family's name for each input, in order: load hole and binding of that name. */
  readonly inputs: readonly string[];
  /** The family's name for the result: store hole and binding of that name. */
  readonly output: string;
}

/** A request to a family: shapes of the inputs by name, and which outputs are wanted. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, Facts>>;
  readonly outputs: Readonly<Record<string, Facts>>;
  readonly attributes: Attributes;
  readonly profile: Profile;
  /** What was measured or pinned for this kernel, or {}: the family's own rule decides. */
  readonly tuning: Tuning;
}

/** A family's answer: the kernel and how to run it. Its text, with what fills the holes, is the graph's business. */
export interface Lowered {
  readonly kernel: KernelName;
  readonly tune?: Readonly<Record<string, number | string | boolean>>;
  /** Inputs that are read four neighbours at a time, through the hole `load4`. */
  readonly fours?: readonly string[];
  readonly enable?: readonly string[];
  /** Holes that the family fills itself. */
  readonly holes?: Readonly<Record<string, string>>;
  readonly constants?: Readonly<Record<string, number | boolean>>;
  readonly params: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  /** The variant that it is, in the words of the candidates: given back to `lower`, it makes the same kernel. */
  readonly tuning?: Tuning;
}

/**
 * A shader (or several behind one contract) with named inputs and outputs. Nodes of one family with
 * the same inputs share one dispatch, each asking for its own output: softmax, cross-entropy, its
 * gradient and the argmax of the same logits are one kernel.
 */
export interface KernelFamily {
  readonly name: string;
  /** Its inputs are read many times, so that only the cheapest expression may melt into a load. */
  readonly readsOften?: boolean;
  lower(call: KernelCall): Lowered;
  /**
   * Every way to compute it, as tuning objects, with the reason where this profile cannot run one: what the
   * compile and correctness loops go through. With a call: what is worth measuring for it, the likeliest first.
   */
  candidates?(profile: Profile, call?: KernelCall): readonly Candidate[];
  /** Why this profile cannot run a variant that is none of the candidates but has the form of one, or null. */
  refusal?(profile: Profile, tuning: Tuning): string | null;
  /** Inputs that it had rather read as rows of packed bytes, where they are that, than from a copy as f32. */
  packed?(call: KernelCall): readonly string[];
}

/** Candidates that every device can run. */
export const alternatives = (...tunings: readonly Tuning[]): readonly Candidate[] =>
  tunings.map((tuning) => ({ tuning, refused: null }));

export interface Op {
  readonly name: string;
  shape(inputs: readonly Shape[], attributes: Attributes): Shape;
  dtype(inputs: readonly DType[], attributes: Attributes): DType;
  /** Expression op: element `index` of the result in WGSL. */
  expression?(e: Expressions, inputs: readonly Tensor[], index: string, result: Tensor): string;
  /** The text of functions that its expression calls, where it is one that a plan loads. */
  readonly library?: KernelName;
  /** Expression op that only renames indices over the same bytes (reshape): its result needs no memory of its own. */
  readonly alias?: boolean;
  /** Each element of the result is made of the elements at its own place in the inputs, which broadcast. */
  readonly pointwise?: boolean;
  /** No work of its own, so that no report names it. */
  readonly silent?: boolean;
  /** Arithmetic behind one element, as the planner counts it when it computes something twice; default 1. */
  readonly steps?: number;
  /** The result always gets memory of its own, where its elements lie in this form. Reading them gives its dtype. */
  readonly stored?: StoredDType;
  /** Its expression is a loop over elements elsewhere: a kernel of one result, that those of the same text may join. */
  readonly loops?: boolean;
  /** Kernel op. */
  readonly kernel?: KernelBinding;
  /** Kernel op with an `expression` too: is this node so small that it can be computed where it is used? */
  short?(node: Tensor): boolean;
  /** The name of another family's output that this node can be instead, when `anchor` is in the same graph. */
  join?(node: Tensor, anchor: Tensor): string | null;
  /** A simpler tensor with the same bits, for a plan; null where there is none. */
  simplify?(node: Tensor): Tensor | null;
  /** Replaces the node by simpler ops when a plan is made (long reductions in stages). */
  expand?(node: Tensor, profile: Profile): Tensor | null;
  /** Gradients for each input, given the result and the gradient g that arrives; null where there is none. */
  backward?(inputs: readonly Tensor[], result: Tensor, g: Tensor, attributes: Attributes): (Tensor | null)[];
  cost?(inputs: readonly Facts[], result: Facts, attributes: Attributes): Cost;
}

/** The slow twin of an op, and how the two are compared. */
export interface Twin {
  /** The same in float64 loops. */
  reference(inputs: readonly NdArray[], attributes: Attributes): NdArray;
  readonly tolerance?: Tolerance;
  /**
   * For sums and products: how many terms stand behind one element. WGSL lets each addition round up or down,
   * which comes to about 2⁻²⁴ · terms · Σ|terms|. Σ|terms| is `reference` of the inputs' absolute values.
   */
  terms?(inputs: readonly Shape[], attributes: Attributes): number;
  readonly cases: readonly Case[];
}

/** An op and its twin: what the registry knows. */
export interface ProvenOp extends Op, Twin {}

/** A named function of tensors that is written in other ops; its gradient follows from theirs. */
export interface Composite extends Twin {
  readonly name: string;
  compute(inputs: readonly Tensor[], attributes: Attributes): Tensor;
}

export const defineOp = (op: Op): Op => op;

/** An op for every row of a table. */
export const opsOf = <Name extends string, Row>(
  table: Readonly<Record<Name, Row>>,
  make: (row: Row, name: Name) => Op,
): Record<Name, Op> =>
  Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, make(row as Row, name as Name)]),
  ) as Record<Name, Op>;

/** The `backward` of what has only steps, and of what has no inputs that a gradient could be for. */
export const noGradient: NonNullable<Op['backward']> = (inputs) => inputs.map(() => null);

/**
 * Puts an op's twin beside it. Only the registry calls for the twin: an application that tests no kernels does
 * not carry the loops and cases that prove them.
 */
export const twin = (op: Op, proof: () => Twin) => (): ProvenOp => Object.assign(op, proof());

/** How the elements of a tensor lie in memory. */
export const storedAs = ({ op, storage, host, dtype }: Tensor): StoredDType =>
  storage === null && host === null ? (op?.stored ?? dtype) : dtype;

/** Makes the node `op(inputs)`: checks shapes, dtypes and engines; touches no GPU. */
export function apply(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
  const operands = inputs.map((input) => present(input.checkUsable(op.name)));
  let engine = null;
  for (const { engine: own } of operands) {
    if (own && engine && own !== engine)
      throw new EngineMismatchError(
        `${op.name}: operands belong to two engines. Read one with data() and make it anew with tensor(…, { engine }).`,
      );
    engine = own ?? engine;
  }
  const shape = op.shape(
    operands.map((x) => x.shape),
    attributes,
  );
  const dtype = op.dtype(
    operands.map((x) => x.dtype),
    attributes,
  );
  const node = new Tensor(shape, dtype, op, operands, attributes, engine);
  if (!tracing.planning)
    for (const operand of operands) if (operand.readers) addReader(operand.readers, node);
  return node;
}

/** Notes that `node` was made from a variable's value; now and then, those that no longer wait are dropped. */
export function addReader(readers: WeakRef<Tensor>[], node: Tensor): void {
  readers.push(new WeakRef(node));
  if (readers.length % 256 !== 0) return;
  const waiting = readers.filter((reader) => {
    const node = reader.deref();
    return node && node.storage === null && node.host === null;
  });
  readers.splice(0, readers.length, ...waiting);
}
