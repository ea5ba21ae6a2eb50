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
import { append, inOrder, isLeaf } from './order.ts';

/** What a row of the table has for a formula: where an operand is, or a number. */
export type Column = Tensor | number;

/** Kernels that run as one dispatch: one kernel as it is, or several; those in one list are of one structure. */
export type UpdateGroup = readonly (readonly Kernel[])[];

/**
 * Writes an elementwise kernel so that operands are found by a column of the table (`o0`, `o1`, …) in
 * the buffer that holds them, as words.
 */
export class UpdateGenerator extends Generator {
  /** The operands of the formula that was written last, in order of their first use: the table's columns. */
  columns: Column[] = [];
  readonly #classOf: (tensor: Tensor) => unknown;
  readonly #columnOf = new Map<unknown, number>();
  readonly #keys = new Map<Tensor, unknown>();

  constructor(source: (x: Tensor) => Source | null, classOf: (tensor: Tensor) => unknown) {
    super(source);
    this.#classOf = classOf;
  }

  /** A formula over operands of its own. */
  formula(emit: () => void): { prologue: string; body: string } {
    this.columns = [];
    this.#columnOf.clear();
    this.#keys.clear();
    return this.loop(emit);
  }

  override bind(source: Source, four = false): string {
    this.#keys.set(source.tensor, source.key);
    return super.bind({ key: this.#classOf(source.tensor), tensor: source.tensor }, four);
  }

  override extent(x: Tensor): string {
    return `o${this.#columnFor(x, x.size)}`;
  }

  protected override position(tensor: Tensor, index: string): string {
    return `o${this.#column(tensor)} + ${index}`;
  }

  protected override word(): string {
    return 'u32';
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
    return this.#columnFor(this.#keys.get(tensor), tensor);
  }

  #columnFor(key: unknown, value: Column): number {
    let column = this.#columnOf.get(key);
    if (column === undefined) {
      column = this.columns.length;
      this.#columnOf.set(key, column);
      this.columns.push(value);
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
  const before = new Map(sorted.map((kernel) => [kernel, fuser.predecessors(kernel)]));

  /** Of kernels in order, the first, and each that waits for none of those that joined before it. */
  const together = (kernels: readonly Kernel[]): Kernel[] => {
    const candidates = new Set(kernels);
    const members: Kernel[] = [];
    const taken = new Set<Kernel>();
    for (let at = position.get(kernels[0])!; at <= position.get(kernels.at(-1)!)!; at++) {
      const kernel = sorted[at];
      const waits = [...before.get(kernel)!].some((one) => taken.has(one));
      if (!waits && candidates.has(kernel)) members.push(kernel);
      if (waits || candidates.has(kernel)) taken.add(kernel);
    }
    return members;
  };

  const alike = new Map<string, Kernel[]>();
  for (const kernel of sorted) {
    const key = structure(kernel, fuser, classOf, placeOf);
    if (key !== null) append(alike, key, kernel);
  }
  const formulas: Kernel[][] = [];
  // Those that wait for one of them join among themselves.
  for (const kernels of alike.values())
    for (let rest = kernels; rest.length > 1; ) {
      const members = together(rest);
      if (members.length > 1 && !keepsMuch(members, fuser)) formulas.push(members);
      rest = rest.filter((kernel) => !members.includes(kernel));
    }

  /** All kernels, groups as one, each after what it needs; null when two groups would wait for each other. */
  const schedule = (joined: readonly UpdateGroup[]): UpdateGroup[] | null => {
    const grouped = new Set(joined.flat(2));
    const all = [...joined, ...sorted.filter((kernel) => !grouped.has(kernel)).map((kernel) => [[kernel]])];
    const groupOf = new Map(all.flatMap((group) => group.flat().map((kernel) => [kernel, group] as const)));
    const needs = all.map((group) => {
      const others = new Set<UpdateGroup>();
      for (const kernel of group.flat()) for (const one of before.get(kernel)!) others.add(groupOf.get(one)!);
      others.delete(group);
      return [group, others] as const;
    });
    const first = new Map(
      all.map((group) => [
        group,
        group.flat().reduce((least, one) => Math.min(least, position.get(one)!), sorted.length),
      ]),
    );
    return inOrder(new Map(needs), (group) => first.get(group)!);
  };
  // Groups that wait for each other are taken apart, those last that are an optimizer's.
  const updates = formulas.filter((members) => members.every((kernel) => fuser.updates(kernel)));
  for (const some of [formulas, updates]) {
    const scheduled =
      schedule(joinUpdates(some, sorted, before, fuser, classOf)) ??
      schedule(some.map((members) => [members]));
    if (scheduled) return scheduled;
  }
  return schedule([])!;
}

/** Bytes that kernels which join may keep alive until the last of them runs. A dispatch is not worth more. */
const MOST_KEPT = 2 ** 25;

/** Would what the kernels read lie about for long? What updates read is kept by their variables anyway. */
function keepsMuch(kernels: readonly Kernel[], fuser: Fuser): boolean {
  if (kernels.every((kernel) => fuser.updates(kernel))) return false;
  const read = new Set(kernels.flatMap((kernel) => [...fuser.reads(kernel)]));
  return [...read].reduce((bytes, { size }) => bytes + 4 * size, 0) > MOST_KEPT;
}

/** In-place updates that do not wait for each other become formulas of one group, as far as bindings allow. */
function joinUpdates(
  formulas: UpdateGroup,
  sorted: readonly Kernel[],
  before: ReadonlyMap<Kernel, ReadonlySet<Kernel>>,
  fuser: Fuser,
  classOf: (tensor: Tensor) => unknown,
): UpdateGroup[] {
  const after = new Map<Kernel, Kernel[]>();
  for (const [kernel, needed] of before) for (const one of needed) append(after, one, kernel);
  const grouped = new Set(formulas.flat());
  const single = sorted.filter((kernel) => !grouped.has(kernel)).map((kernel) => [kernel]);
  const together: (readonly Kernel[])[] = [];
  /** All that the kernels of `together` wait for, and all that wait for them. */
  const earlier = new Set<Kernel>();
  const later = new Set<Kernel>();
  let buffers = new Set<unknown>();
  const rest: UpdateGroup[] = [];
  for (const members of [...formulas, ...single]) {
    const tensors = members.flatMap((kernel) => operands(kernel, fuser));
    const all = new Set([...buffers, ...tensors.map(classOf)]);
    const joins =
      members.every((kernel) => fuser.updates(kernel)) &&
      tensors.every((x) => inWords(x) && x.size > 0) &&
      !members.some((kernel) => earlier.has(kernel) || later.has(kernel)) &&
      all.size + 1 <= STORAGE_BUFFERS;
    if (joins) {
      together.push(members);
      buffers = all;
      mark(earlier, members, (kernel) => before.get(kernel) ?? []);
      mark(later, members, (kernel) => after.get(kernel) ?? []);
    } else rest.push([members]);
  }
  return together.length > 0 ? [together, ...rest] : rest;
}

/** Adds to `marked` what can be reached from some kernels. Whoever is marked already, all behind it is as well. */
function mark(
  marked: Set<Kernel>,
  from: readonly Kernel[],
  near: (kernel: Kernel) => Iterable<Kernel>,
): void {
  const stack = from.flatMap((kernel) => [...near(kernel)]);
  for (let kernel = stack.pop(); kernel; kernel = stack.pop()) {
    if (marked.has(kernel)) continue;
    marked.add(kernel);
    stack.push(...near(kernel));
  }
}

/** What an elementwise kernel reads and writes. */
const operands = (kernel: Kernel, fuser: Fuser): Tensor[] => [
  ...fuser.reads(kernel),
  ...kernel.roots.map(({ tensor }) => tensor),
];

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
    if (!tensor.op!.loops)
      for (const [source, indices] of fuser.pattern(tensor))
        for (const index of indices) if (index !== (source.size === 1 ? '0u' : 'i')) return null;
  }
  const generator = new UpdateGenerator((x) => {
    const maker = fuser.producer.get(x);
    return maker !== kernel && (maker || isLeaf(x)) ? { key: placeOf(x), tensor: x } : null;
  }, classOf);
  const { prologue, body } = generator.formula(() => {
    const values = kernel.roots.map(({ tensor }) => generator.value(tensor, 'i'));
    for (const [i, { tensor }] of kernel.roots.entries())
      generator.store({ key: placeOf(tensor), tensor }, 'i', values[i]);
  });
  if (generator.bindings.length + 1 > STORAGE_BUFFERS) return null;
  const classes = generator.bindings.map(({ source }) => identity(source.key));
  const constants = generator.uniforms.map(
    ({ value, type }) => `${type}:${Object.is(value, -0) ? '-0' : value}`,
  );
  const results = kernel.roots.map(({ tensor }) => [tensor.dtype, fuser.stored.has(tensor)]);
  return JSON.stringify([prologue, body, classes, constants, results]);
}

const identities = new WeakMap<object, number>();
let identified = 0;

/** A number for an object, the same every time. */
function identity(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key);
  if (!identities.has(key)) identities.set(key, ++identified);
  return `#${identities.get(key)}`;
}

/** Formula, begin, end. */
const FIXED_COLUMNS = 3;

interface Formula {
  /** Elements of a row of the table, where they are not as many as usual. */
  readonly chunk?: number;
  readonly prologue: string;
  readonly body: string;
  readonly segments: readonly { readonly size: number; readonly columns: readonly Column[] }[];
}

/**
 * The rows of update.wgsl's table: formula, first element, the one after the last, and where the operands are, in
 * words from the start of their bindings. `four`: elements are counted in fours.
 */
export function updateTable(
  formulas: readonly Formula[],
  wordOf: (operand: Tensor) => number,
  four: boolean,
): { words: Uint32Array; chunks: number; columns: number } {
  const step = four ? 4 : 1;
  const rows: number[][] = [];
  for (const [number, { segments, chunk = UPDATE_CHUNK }] of formulas.entries())
    for (const { size, columns } of segments)
      for (let begin = 0; begin < size; begin += chunk) {
        const end = Math.min(begin + chunk, size);
        const words = columns.map((one) => (typeof one === 'number' ? one : wordOf(one)));
        rows.push([number, begin / step, Math.ceil(end / step), ...words]);
      }
  const columns = rows.reduce((most, { length }) => Math.max(most, length), 0);
  const words = new Uint32Array(rows.length * columns);
  for (const [i, row] of rows.entries()) words.set(row, i * columns);
  return { words, chunks: rows.length, columns };
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
