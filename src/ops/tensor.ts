/**
 * The one class of values. A Tensor is a description: an op, its inputs and attributes, a shape and a
 * dtype. It gets memory only when somebody asks for its numbers, or when it is a variable or data.
 * Its methods are in graph/methods.ts.
 */

import { DisposedError, StateError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import type { Op } from './define.ts';
import type { DType, TypedArray } from './dtype.ts';
import { type Shape, show, sizeOf } from './shape.ts';

/** Static arguments of an op: plain data, part of a plan's key. */
export type Attributes = Readonly<Record<string, unknown>>;

let created = 0;

export class Tensor {
  /** Hears of every tensor that is made, or null: see graph/leaks.ts. */
  static made: ((tensor: Tensor) => void) | null = null;
  /** Order of creation, hence a topological order. */
  readonly id = ++created;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The op that computes it, or null for a leaf: data, a variable's value, a captured function's argument. */
  op: Op | null;
  inputs: readonly Tensor[];
  attributes: Attributes;
  /** Where its numbers are on the GPU, once they are. */
  storage: BufferRange | null = null;
  /** Data not yet uploaded. */
  host: TypedArray | null = null;
  /** The engine it belongs to, or null as long as no engine has seen it. */
  engine: Engine | null;
  /** Why it can no longer be read, or null. */
  gone: string | null = null;
  /** True where a variable is among its ancestors: such a graph is kept after evaluation, for `gradients`. */
  readonly tracked: boolean;
  /**
   * Set on a variable's value, and on what a captured function assigns: who was made from it. A mutation looks here
   * for readers still waiting, and no gradient flows on to what it was computed from.
   */
  readers: WeakRef<Tensor>[] | null = null;
  /** The captured function inside which alone it means something, or null. */
  inside: Tracer | null = null;

  constructor(
    shape: Shape,
    dtype: DType,
    op: Op | null = null,
    inputs: readonly Tensor[] = [],
    attributes: Attributes = {},
    engine: Engine | null = null,
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.engine = engine;
    let tracked = false;
    for (const input of inputs) {
      tracked ||= input.tracked || input.readers !== null;
      this.inside ??= input.inside;
    }
    this.tracked = tracked;
    Tensor.made?.(this);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    return `Tensor(${this.dtype} ${show(this.shape)}${this.op ? ` = ${this.op.name}` : ''})`;
  }

  /** Throws DisposedError when the tensor was disposed of. */
  checkUsable(operation: string): this {
    if (this.gone !== null) throw new DisposedError(`${operation}: ${this.toString()} ${this.gone}`);
    if (this.inside !== tracing.current) this.checkOutside(operation);
    return this;
  }

  /** Throws StateError when the tensor belongs to a captured function. */
  checkOutside(operation: string): void {
    if (this.inside && !tracing.planning)
      throw new StateError(
        `${operation}: ${this.toString()} is a part of a captured function and has no numbers of its own. Return it from the function, and use what a call gives.`,
      );
  }
}

/**
 * A tensor that can change: a layer's kernel, an optimizer's slot, a counter.
 *
 * Reading it in an expression takes the value it has at that moment; `assign` gives it a new one.
 * Its place on the GPU never moves, so a captured step can update it in place.
 *
 * ```ts
 * const w = variable(zeros([784, 10]), { name: 'kernel' });
 * w.assign(w.sub(g.mul(0.01)));
 * await w.data();
 * ```
 */
export class Variable extends Tensor {
  readonly name: string;
  /** Where it belongs, for reports: 'dense_1/kernel'. Null where its name says enough. */
  path: string | null = null;
  trainable: boolean;
  /** The present value. */
  value: Tensor;
  /** Its place for captured steps, which update it there; set at the first of them. */
  home: BufferRange | null = null;
  /** The value that lies at home, and the one that will once the steps asked for so far have run (graph/variables.ts). */
  resident: Tensor | null = null;
  promised: Tensor | null = null;

  constructor(value: Tensor, name: string, trainable: boolean) {
    value.checkOutside('variable');
    super(value.shape, value.dtype, null, [], {}, value.engine);
    this.name = name;
    this.trainable = trainable;
    this.value = value;
    this.value.readers ??= [];
  }

  override toString(): string {
    return `Variable(${this.name}: ${this.dtype} ${show(this.shape)})`;
  }
}

/** What stands between an op call and a variable while a function is being captured. */
export interface Tracer {
  read(variable: Variable): Tensor;
  assign(variable: Variable, value: Tensor): void;
  /** Notes that the function went by what `read` gives: an option of `of` that may change later. */
  observe(of: object, read: () => unknown): void;
  /** For numbers that differ from run to run: a stream of random numbers, and a counter of runs. */
  draw(): { readonly stream: number; readonly counter: Tensor };
}

/** A flag that a captured function may go by: when it has changed, the function is traced anew. */
export function observed<T>(of: object, read: () => T): T {
  tracing.current?.observe(of, read);
  return read();
}

/** The capture in progress, if any; and whether a plan is being made, whose own nodes are nobody's readers. */
export const tracing: { current: Tracer | null; planning: boolean; watched: Set<Variable> | null } = {
  current: null,
  planning: false,
  watched: null,
};

/** The value that an expression sees: a variable's present one, any other tensor itself. */
export function present(x: Tensor): Tensor {
  if (!(x instanceof Variable)) return x;
  tracing.watched?.add(x);
  return tracing.current ? tracing.current.read(x) : x.checkUsable('read').value;
}
