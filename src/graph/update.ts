/**
 * Horizontal fusion: elementwise kernels of one structure over different tensors become one dispatch.
 *
 * This is what makes an optimizer one kernel although it is written as algebra on single tensors: its
 * formula has the same text for every parameter, and only the places of the operands differ.
 */
import { storageType } from '../ops/dtype.ts';
import type { Tensor } from '../ops/tensor.ts';
import type { Fuser } from './fuse.ts';
import { Generator, type Source } from './generate.ts';
import { type Kernel, STORAGE_BUFFERS } from './kernel.ts';
import { isLeaf } from './simplify.ts';

/** Kernels that run as one dispatch: one kernel as it is, or several of one structure. */
export interface UpdateGroup {
  readonly kind: 'single' | 'update';
  readonly kernels: Kernel[];
}

/**
 * Writes an elementwise kernel so that operands are found by a column of the table (`o0`, `o1`, …) in
 * the buffer that holds them, as words.
 */
export class UpdateGenerator extends Generator {
  /** The operands in order of their first use: the table's columns. */
  readonly columns: Tensor[] = [];
  readonly #classOf: (tensor: Tensor) => unknown;
  readonly #columnOf = new Map<unknown, number>();
  readonly #keys = new Map<Tensor, unknown>();

  constructor(source: (x: Tensor) => Source | null, classOf: (tensor: Tensor) => unknown) {
    super(source);
    this.#classOf = classOf;
  }

  override bind(source: Source): string {
    this.#keys.set(source.tensor, source.key);
    return super.bind({ key: this.#classOf(source.tensor), tensor: source.tensor });
  }

  protected override position(tensor: Tensor, index: string): string {
    return `o${this.#column(tensor)} + ${index}`;
  }

  protected override typed(tensor: Tensor, words: string, count: 1 | 4): string {
    return storageType(tensor.dtype) === 'u32'
      ? words
      : `bitcast<${several(storageType(tensor.dtype), count)}>(${words})`;
  }

  protected override untyped(tensor: Tensor, values: string, count: 1 | 4): string {
    return storageType(tensor.dtype) === 'u32' ? values : `bitcast<${several('u32', count)}>(${values})`;
  }

  #column(tensor: Tensor): number {
    const key = this.#keys.get(tensor);
    let column = this.#columnOf.get(key);
    if (column === undefined) {
      column = this.columns.length;
      this.#columnOf.set(key, column);
      this.columns.push(tensor);
    }
    return column;
  }
}

const several = (type: string, count: 1 | 4): string => (count === 1 ? type : `vec4<${type}>`);

/**
 * Groups of a sorted list of kernels, still sorted. Only kernels that read every operand at their own
 * element (or as a scalar) can join, and only when none of a group waits for another.
 */
export function mergeUpdates(
  sorted: readonly Kernel[],
  fuser: Fuser,
  classOf: (tensor: Tensor) => unknown,
  placeOf: (tensor: Tensor) => unknown,
): UpdateGroup[] {
  const position = new Map(sorted.map((kernel, i) => [kernel, i]));
  const before = sorted.map(() => new Set<number>());
  sorted.forEach((kernel, i) => {
    for (const other of fuser.predecessors(kernel)) {
      const j = position.get(other)!;
      before[i].add(j);
      for (const earlier of before[j]) before[i].add(earlier);
    }
  });

  const groups = new Map<string, number[]>();
  const groupOf = new Map<number, string>();
  sorted.forEach((kernel, i) => {
    const key = structure(kernel, fuser, classOf, placeOf);
    if (key === null) return;
    const members = groups.get(key) ?? [];
    if (members.some((j) => before[i].has(j) || before[j].has(i))) return;
    members.push(i);
    groups.set(key, members);
    groupOf.set(i, key);
  });

  return schedule(sorted, before, groups, groupOf);
}

/** Runs groups as units; a group that would have to run both before and after another is taken apart. */
function schedule(
  sorted: readonly Kernel[],
  before: readonly ReadonlySet<number>[],
  groups: Map<string, number[]>,
  groupOf: Map<number, string>,
): UpdateGroup[] {
  for (;;) {
    const units = new Map<string | number, number[]>();
    sorted.forEach((_, i) => {
      const key = groupOf.get(i);
      if (key !== undefined && groups.get(key)!.length > 1) units.set(key, groups.get(key)!);
      else units.set(i, [i]);
    });
    const unitOf = new Map<number, string | number>();
    for (const [unit, members] of units) for (const i of members) unitOf.set(i, unit);
    const waiting = new Map<string | number, Set<string | number>>();
    for (const [unit, members] of units) {
      const needs = new Set<string | number>();
      for (const i of members)
        for (const j of before[i]) if (unitOf.get(j) !== unit) needs.add(unitOf.get(j)!);
      waiting.set(unit, needs);
    }
    const order: UpdateGroup[] = [];
    while (waiting.size > 0) {
      const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([unit]) => unit);
      if (ready.length === 0) break;
      const next = ready.reduce((a, b) => (units.get(a)![0] <= units.get(b)![0] ? a : b));
      waiting.delete(next);
      for (const needs of waiting.values()) needs.delete(next);
      const members = units.get(next)!;
      order.push({
        kind: typeof next === 'string' ? 'update' : 'single',
        kernels: members.map((i) => sorted[i]),
      });
    }
    if (waiting.size === 0) return order;
    const stuck = [...waiting.keys()].find((unit) => typeof unit === 'string')!;
    for (const i of units.get(stuck)!) groupOf.delete(i);
    groups.delete(stuck as string);
  }
}

/** What two kernels must have in common to run as one: text, constants, buffers. Null when a kernel cannot join. */
function structure(
  kernel: Kernel,
  fuser: Fuser,
  classOf: (tensor: Tensor) => unknown,
  placeOf: (tensor: Tensor) => unknown,
): string | null {
  if (kernel.family) return null;
  const size = kernel.roots[0].tensor.size;
  for (const { tensor } of kernel.roots) {
    if (tensor.dtype === 'u8' || tensor.size !== size || size === 0) return null;
    for (const [source, indices] of fuser.pattern(tensor))
      for (const index of indices) if (index !== (source.size === 1 ? '0u' : 'i')) return null;
  }
  const generator = new UpdateGenerator((x) => {
    const maker = fuser.producer.get(x);
    return maker !== kernel && (maker || isLeaf(x)) ? { key: placeOf(x), tensor: x } : null;
  }, classOf);
  const { prologue, body } = generator.loop(() => {
    const values = kernel.roots.map(({ tensor }) => generator.value(tensor, 'i'));
    for (const [i, { tensor }] of kernel.roots.entries())
      generator.store({ key: placeOf(tensor), tensor }, 'i', values[i]);
  });
  if (generator.bindings.length + 1 > STORAGE_BUFFERS) return null;
  const classes = generator.bindings.map(({ source }) => identity(source.key));
  const constants = generator.uniforms.map(
    ({ value, type }) => `${type}:${Object.is(value, -0) ? '-0' : value}`,
  );
  return JSON.stringify([prologue, body, classes, constants, kernel.roots.map(({ tensor }) => tensor.dtype)]);
}

const identities = new WeakMap<object, number>();
let identified = 0;

/** A number for an object, the same every time. */
function identity(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key);
  if (!identities.has(key)) identities.set(key, ++identified);
  return `#${identities.get(key)}`;
}
