/**
 * Horizontal fusion: elementwise kernels over different tensors become one dispatch.
 *
 * Those of one structure are one formula. This is what makes an optimizer one kernel although it is written as
 * algebra on single tensors: its formula has the same text for every parameter, and only the places of the
 * operands differ. In-place updates of other structures, a step's counters and its sums of loss and metrics,
 * join as further formulas.
 */
import { storedAs } from '../ops/define.ts';
import { storageType } from '../ops/dtype.ts';
import { UPDATE_CHUNK } from '../ops/elementwise.ts';
import type { Tensor } from '../ops/tensor.ts';
import type { Fuser } from './fuse.ts';
import { Generator, type Source } from './generate.ts';
import { type Kernel, STORAGE_BUFFERS } from './kernel.ts';
import { isLeaf } from './order.ts';

/** Kernels that run as one dispatch: one kernel as it is, or several; those in one list are of one structure. */
export type UpdateGroup = readonly (readonly Kernel[])[];

/**
 * Writes an elementwise kernel so that operands are found by a column of the table (`o0`, `o1`, …) in
 * the buffer that holds them, as words.
 */
export class UpdateGenerator extends Generator {
  /** The operands of the present formula in order of their first use: the table's columns. */
  columns: Tensor[] = [];
  readonly #classOf: (tensor: Tensor) => unknown;
  readonly #columnOf = new Map<unknown, number>();
  readonly #keys = new Map<Tensor, unknown>();

  /** Begins another formula, over operands of its own. */
  next(): void {
    this.columns = [];
    this.#columnOf.clear();
    this.#keys.clear();
  }

  constructor(source: (x: Tensor) => Source | null, classOf: (tensor: Tensor) => unknown) {
    super(source);
    this.#classOf = classOf;
  }

  override bind(source: Source, four = false): string {
    this.#keys.set(source.tensor, source.key);
    return super.bind({ key: this.#classOf(source.tensor), tensor: source.tensor }, four);
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
  sorted.forEach((kernel, i) => {
    const key = structure(kernel, fuser, classOf, placeOf);
    if (key === null) return;
    const members = groups.get(key) ?? [];
    if (members.some((j) => before[i].has(j) || before[j].has(i))) return;
    members.push(i);
    groups.set(key, members);
  });
  const formulas = [...groups.values()].filter((members) => members.length > 1);
  // Units that wait for each other are taken apart, the largest first.
  return (
    schedule(sorted, before, joinUpdates(formulas, sorted, before, fuser, classOf)) ??
    schedule(
      sorted,
      before,
      formulas.map((members) => [members]),
    ) ??
    schedule(sorted, before, [])!
  );
}

/** Numbers of kernels, by formula. */
type Unit = readonly (readonly number[])[];

/** In-place updates that do not wait for each other become formulas of one unit, as far as bindings allow. */
function joinUpdates(
  formulas: readonly (readonly number[])[],
  sorted: readonly Kernel[],
  before: readonly ReadonlySet<number>[],
  fuser: Fuser,
  classOf: (tensor: Tensor) => unknown,
): Unit[] {
  const grouped = new Set(formulas.flat());
  const single = sorted.flatMap((_, i) => (grouped.has(i) ? [] : [[i]]));
  const together: (readonly number[])[] = [];
  const buffers = new Set<unknown>();
  const rest: Unit[] = [];
  for (const members of [...formulas, ...single]) {
    const own = new Set<unknown>();
    const isUpdate = members.every((i) => {
      const tensors = operands(sorted[i], fuser);
      for (const tensor of tensors) own.add(classOf(tensor));
      return fuser.updates(sorted[i]) && tensors.every((x) => inWords(x) && x.size > 0);
    });
    const waits = together.flat().some((j) => members.some((i) => before[i].has(j) || before[j].has(i)));
    const fits = new Set([...buffers, ...own]).size + 1 <= STORAGE_BUFFERS;
    if (isUpdate && !waits && fits) {
      together.push(members);
      for (const buffer of own) buffers.add(buffer);
    } else rest.push([members]);
  }
  return together.length > 0 ? [together, ...rest] : rest;
}

/** What an elementwise kernel reads and writes. */
const operands = (kernel: Kernel, fuser: Fuser): Tensor[] => [
  ...fuser.reads(kernel),
  ...kernel.roots.map(({ tensor }) => tensor),
];

/** All kernels, units as one, each after what it needs; null when two units would wait for each other. */
function schedule(
  sorted: readonly Kernel[],
  before: readonly ReadonlySet<number>[],
  joined: readonly Unit[],
): UpdateGroup[] | null {
  const units: Unit[] = [...joined];
  const unitOf = new Map<number, Unit>();
  for (const unit of units) for (const i of unit.flat()) unitOf.set(i, unit);
  sorted.forEach((_, i) => {
    if (unitOf.has(i)) return;
    const unit = [[i]];
    units.push(unit);
    unitOf.set(i, unit);
  });
  const first = new Map(units.map((unit) => [unit, Math.min(...unit.flat())]));
  const waiting = new Map(
    units.map((unit) => {
      const needs = new Set(unit.flat().flatMap((i) => [...before[i]].map((j) => unitOf.get(j)!)));
      needs.delete(unit);
      return [unit, needs];
    }),
  );
  const order: UpdateGroup[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([unit]) => unit);
    if (ready.length === 0) return null;
    const next = ready.reduce((a, b) => (first.get(a)! <= first.get(b)! ? a : b));
    waiting.delete(next);
    for (const needs of waiting.values()) needs.delete(next);
    order.push(next.map((members) => members.map((i) => sorted[i])));
  }
  return order;
}

/** Has every element a word of its own, as the table of an update counts them? */
const inWords = (x: Tensor): boolean => storedAs(x) !== 'u8' && storedAs(x) !== 'f16';

/** What two kernels must have in common to run as one: text, constants, buffers. Null when a kernel cannot join. */
function structure(
  kernel: Kernel,
  fuser: Fuser,
  classOf: (tensor: Tensor) => unknown,
  placeOf: (tensor: Tensor) => unknown,
): string | null {
  if (kernel.family || [...fuser.reads(kernel)].some((x) => storedAs(x) === 'f16')) return null;
  const size = kernel.roots[0].tensor.size;
  for (const { tensor } of kernel.roots) {
    if (!inWords(tensor) || tensor.size !== size || size === 0) return null;
    if (fuser.updates(kernel)) continue;
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

/** The rows of update.wgsl's table: formula, first element, the one after the last, and where the operands are. */
export class UpdateTable {
  /** Operands per row, at most. */
  #operands = 0;
  readonly #rows: number[][] = [];
  readonly #step: number;

  /** `four`: elements are counted in fours. */
  constructor(four: boolean) {
    this.#step = four ? 4 : 1;
  }

  /** A tensor of `size` elements, in chunks; `operands`: words from the start of their bindings. */
  add(formula: number, size: number, operands: readonly number[]): void {
    this.#operands = Math.max(this.#operands, operands.length);
    for (let begin = 0; begin < size; begin += UPDATE_CHUNK) {
      const end = Math.min(begin + UPDATE_CHUNK, size);
      this.#rows.push([formula, begin / this.#step, Math.ceil(end / this.#step), ...operands]);
    }
  }

  get chunks(): number {
    return this.#rows.length;
  }

  get columns(): number {
    return FIXED_COLUMNS + this.#operands;
  }

  words(): Uint32Array {
    const words = new Uint32Array(this.chunks * this.columns);
    for (const [i, row] of this.#rows.entries()) words.set(row, i * this.columns);
    return words;
  }
}

/** Formula, begin, end. */
const FIXED_COLUMNS = 3;

interface Formula {
  readonly prologue: string;
  readonly body: string;
  readonly segments: readonly { readonly size: number; readonly columns: readonly Tensor[] }[];
}

const LOOP = 'for (var i = first + lane; i < end; i += WORKGROUP) {';

/** The statements of a workgroup of update.wgsl: its chunk's formula, element by element. */
export function updateBody(formulas: readonly Formula[]): string {
  const texts = formulas.map(({ prologue, body, segments }) => [
    ...segments[0].columns.map((_, j) => `let o${j} = table[row + ${j + FIXED_COLUMNS}u];`),
    // Where a lane has one element at most, only those that have one do any work.
    ...(segments.every(({ size }) => size <= 4)
      ? [LOOP, ...indented(lines(prologue))]
      : [...lines(prologue), LOOP]),
    ...indented(lines(body)),
    '}',
  ]);
  if (texts.length === 1) return texts[0].join('\n');
  const cases = texts.flatMap((text, number) => [`case ${number}u: {`, ...indented(text), '}']);
  return ['switch (formula) {', ...indented([...cases, 'default: {}']), '}'].join('\n');
}

const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'));
const indented = (text: readonly string[]): string[] => text.map((line) => `  ${line}`);
