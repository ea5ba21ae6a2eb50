/**
 * Grows the WGSL that fills a kernel's holes, from the elements that it stores back to the loads.
 *
 * One Generator serves one kernel: its functions (`load x`, `store y`, the body of a loop) are scopes of
 * their own, its bindings and uniforms are shared. Shapes and constants become uniforms, so two kernels
 * of the same structure have the same text and share one pipeline.
 */
import { storedAs } from '../ops/define.ts';
import { type DType, storageType, wgslType } from '../ops/dtype.ts';
import { type Expressions, literal } from '../ops/expression.ts';
import type { Tensor } from '../ops/tensor.ts';
import { type KernelName, kernelText } from '../shaders/index.ts';

/** Where a kernel finds the elements of a materialised tensor. */
export interface Source {
  /** What identifies its memory: two tensors with one key are one binding. */
  readonly key: unknown;
  readonly tensor: Tensor;
}

export interface GeneratedUniform {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
  readonly value: number;
}

export interface GeneratedBinding {
  readonly name: string;
  readonly source: Source;
}

/** One of four neighbours: element `base` + `offset`, where `base` is a multiple of 4. */
interface Quad {
  readonly base: string;
  readonly offset: number;
}

/** Statements and the names already given in one function. */
class Scope {
  readonly lines: string[] = [];
  readonly known = new Map<string, string>();
  readonly outer: Scope | null;

  constructor(outer: Scope | null = null) {
    this.outer = outer;
  }

  find(key: string): string | undefined {
    return this.known.get(key) ?? this.outer?.find(key);
  }
}

export class Generator implements Expressions {
  readonly uniforms: GeneratedUniform[] = [];
  readonly bindings: GeneratedBinding[] = [];
  readonly #libraries = new Set<string>();
  readonly #source: (x: Tensor) => Source | null;
  readonly #byKey = new Map<unknown, string>();
  /** Bindings that are arrays of four words; the others, and all of packed bytes, are arrays of single ones. */
  readonly #fours = new Set<string>();
  #allFours = false;
  /** Set while `rows` looks for the origin of a row. */
  #row: { readonly extent: number; origin: string | null } | null = null;
  #names = 0;
  #scope = new Scope();
  /** Where numbers that are the same for all elements are computed, when the kernel has such a place. */
  #hoisted: Scope | null = null;

  /** `source` tells the memory of a materialised tensor, or null for one that is to be computed here. */
  constructor(source: (x: Tensor) => Source | null) {
    this.#source = source;
  }

  /**
   * Index expressions that are a base plus 0, 1, 2 or 3, where the base is a multiple of 4: neighbours then
   * share their row and, in packed bytes, their word.
   */
  readonly #quads = new Map<string, Quad>();

  /** Declares `base`, base + 1, base + 2, base + 3 as the indices of four neighbours. `base` must be a multiple of 4. */
  neighbours(base: string): string[] {
    return [0, 1, 2, 3].map((offset) => this.#neighbour(base, offset));
  }

  /** The same where the whole kernel goes four by four, stores included: all memory is declared as fours. */
  quad(base: string): string[] {
    this.#allFours = true;
    return this.neighbours(base);
  }

  #neighbour(base: string, offset: number): string {
    const index = offset === 0 ? base : this.name(`${base} + ${offset}u`);
    this.#quads.set(index, { base, offset });
    return index;
  }

  /**
   * How to read a matrix x: [rows, extent] four neighbours at a time, when what it reads lies in rows of one
   * memory: `origin`, the body of a function of `row` that says where its row begins, and `four`, the body of
   * a function of `base`, origin plus position, that gives the four. So whoever walks along a row works out
   * once where it begins: for gathered rows that is a load and a product. Null when x is not of that form.
   */
  rows(x: Tensor): { origin: string; four: string } | null {
    const extent = x.shape[x.rank - 1];
    if (x.rank !== 2 || extent % 4 !== 0) return null;
    const row: { extent: number; origin: string | null } = { extent, origin: null };
    this.#row = row;
    let four = '';
    this.scope(() => {
      four = this.#together(x, this.neighbours('flat'));
    });
    this.#row = null;
    if (row.origin === null) return null;
    const { lines } = this.#scope;
    const origin = needed(lines, row.origin);
    four = needed(lines, four);
    const elsewhere = /\b(flat|position)\b/.test(origin) || /\b(flat|position|row)\b/.test(four);
    return elsewhere ? null : { origin, four };
  }

  divide(index: string, divisor: number): string {
    const quad = divisor % 4 === 0 ? this.#quads.get(index) : undefined;
    if (quad?.base === 'flat' && divisor === this.#row?.extent) return 'row';
    const dividend = quad?.base ?? index;
    if (isPowerOfTwo(divisor)) return this.name(`${dividend} >> ${this.uniform(Math.log2(divisor), 'u32')}`);
    return this.name(`${dividend} / ${this.uniform(divisor, 'u32')}`);
  }

  remainder(index: string, divisor: number): string {
    const quad = divisor % 4 === 0 ? this.#quads.get(index) : undefined;
    if (!quad) return this.name(this.#modulo(index, divisor));
    if (quad.base === 'flat' && divisor === this.#row?.extent)
      return this.#neighbour('position', quad.offset);
    return this.#neighbour(this.name(this.#modulo(quad.base, divisor)), quad.offset);
  }

  /** A driver's integer division takes a hundred cycles for eight lanes on llvmpipe; it does not know the divisor. */
  #modulo(index: string, divisor: number): string {
    return isPowerOfTwo(divisor)
      ? `${index} & ${this.uniform(divisor - 1, 'u32')}`
      : `${index} % ${this.uniform(divisor, 'u32')}`;
  }

  advance(index: string, start: string, multiple: number): string {
    const quad = multiple % 4 === 0 ? this.#quads.get(index) : undefined;
    if (!quad) return this.name(`${start} + ${index}`);
    if (quad.base === 'position' && multiple === this.#row?.extent) {
      const origin = this.name(start);
      this.#row.origin ??= origin;
      if (this.#row.origin === origin) return this.#neighbour('base', quad.offset);
    }
    return this.#neighbour(this.name(`${start} + ${quad.base}`), quad.offset);
  }

  /** A function body of its own. `given`: values that are at hand at element `i`, a kernel's results in its epilogue. */
  scope(emit: () => void, given: ReadonlyMap<Tensor, string> = new Map()): string {
    this.#scope = new Scope();
    this.#hoisted = null;
    for (const [tensor, value] of given) {
      this.#scope.known.set(`${tensor.id}@i`, value);
      if (tensor.size === 1) this.#scope.known.set(`${tensor.id}@0u`, value);
    }
    emit();
    return this.#scope.lines.join('\n');
  }

  /** The body of a function that gives element `index` of x, or as a vector that and the three after it. */
  returned(x: Tensor, index: string, four = false): string {
    return this.scope(() => {
      const indices = four ? this.neighbours(index) : [index];
      this.statement(`return ${this.#together(x, indices)};`);
    });
  }

  #together(x: Tensor, indices: readonly string[]): string {
    const values = indices.map((index) => this.value(x, index));
    return values.length === 1 ? values[0] : `vec4<${wgslType(x.dtype)}>(${values.join(', ')})`;
  }

  /** A loop body, with a place before the loop for what all elements share. */
  loop(emit: () => void): { prologue: string; body: string } {
    this.#hoisted = new Scope();
    this.#scope = new Scope(this.#hoisted);
    emit();
    return { prologue: this.#hoisted.lines.join('\n'), body: this.#scope.lines.join('\n') };
  }

  statement(line: string): void {
    this.#scope.lines.push(line);
  }

  value(x: Tensor, index: string): string {
    return x.size === 1 ? this.#scalar(x) : this.#element(x, index);
  }

  /** A tensor of one element does not depend on the index: it is computed once, before the loop if there is one. */
  #scalar(x: Tensor): string {
    if (this.#scope.find(`${x.id}@0u`) !== undefined || !this.#hoisted) return this.#element(x, '0u');
    return this.#within(this.#hoisted, () => this.#element(x, '0u'));
  }

  /** What `emit` gives while statements and names go to `scope`. */
  #within<T>(scope: Scope, emit: () => T): T {
    const before = this.#scope;
    this.#scope = scope;
    const result = emit();
    this.#scope = before;
    return result;
  }

  #element(x: Tensor, index: string): string {
    const key = `${x.id}@${index}`;
    const known = this.#scope.find(key);
    if (known !== undefined) return known;
    const source = this.#source(x);
    const value = source ? this.name(this.load(source, index)) : x.op!.expression!(this, x.inputs, index, x);
    this.#scope.known.set(key, value);
    return value;
  }

  /** The expression that reads an element from memory, in the dtype's expression type. */
  load(source: Source, index: string): string {
    const { tensor } = source;
    const quad = this.#quads.get(index);
    const binding = this.bind(source, quad !== undefined);
    if (tensor.dtype === 'u8') {
      if (!quad)
        return `(${this.#word(tensor, binding, `(${index}) >> 2u`)} >> (((${index}) & 3u) * 8u)) & 0xffu`;
      const word = this.name(this.#word(tensor, binding, this.name(`${quad.base} >> 2u`)));
      return quad.offset === 0 ? `${word} & 0xffu` : `(${word} >> ${8 * quad.offset}u) & 0xffu`;
    }
    const element =
      quad && this.#fours.has(binding)
        ? this.#component(tensor, binding, quad)
        : this.#word(tensor, binding, index);
    return tensor.dtype === 'bool' ? `${element} != 0u` : element;
  }

  /** One of four neighbours, all of which are loaded at once. */
  #component(tensor: Tensor, binding: string, { base, offset }: Quad): string {
    const at = this.name(`(${this.position(tensor, base)}) >> 2u`);
    return `${this.name(this.typed(tensor, `${binding}[${at}]`, 4))}.${'xyzw'[offset]}`;
  }

  /** Any one word of a memory, in the tensor's type. */
  #word(tensor: Tensor, binding: string, index: string): string {
    const at = this.position(tensor, index);
    if (!this.#fours.has(binding)) return this.typed(tensor, `${binding}[${at}]`, 1);
    return this.typed(
      tensor,
      index === '0u' ? `${binding}[(${at}) >> 2u].x` : `${binding}[(${at}) >> 2u][(${at}) & 3u]`,
      1,
    );
  }

  /** Where an element lies in its binding; a kernel over many tensors overrides it. */
  protected position(_tensor: Tensor, index: string): string {
    return index;
  }

  /** What the elements of its binding are. */
  protected word(tensor: Tensor): string {
    return storageType(storedAs(tensor));
  }

  /** A loaded word, or four of them, in the tensor's type; a kernel over many tensors has to convert. */
  protected typed(tensor: Tensor, words: string, count: 1 | 4): string {
    return storedAs(tensor) === 'f16' ? `${count === 4 ? 'vec4f' : 'f32'}(${words})` : words;
  }

  /** The reverse of `typed`. */
  protected untyped(tensor: Tensor, values: string, count: 1 | 4): string {
    return storedAs(tensor) === 'f16' ? `${count === 4 ? 'vec4h' : 'f16'}(${values})` : values;
  }

  /** Writes element `index`. */
  store(source: Source, index: string, value: string): void {
    const { tensor } = source;
    const word = this.untyped(tensor, stored(tensor, value), 1);
    this.statement(`${this.bind(source)}[${this.position(tensor, index)}] = ${word};`);
  }

  /** Writes the four neighbours from `base` on. */
  storeQuad(source: Source, base: string, values: readonly string[]): void {
    const { tensor } = source;
    const words = values.map((value) => stored(tensor, value)).join(', ');
    const four = `vec4<${storageType(tensor.dtype)}>(${words})`;
    this.statement(
      `${this.bind(source)}[(${this.position(tensor, base)}) >> 2u] = ${this.untyped(tensor, four, 4)};`,
    );
  }

  /** The binding of a memory, declared at its first use: that decides whether it is an array of fours. */
  bind(source: Source, four = false): string {
    const existing = this.#byKey.get(source.key);
    if (existing) return existing;
    const name = `b${this.bindings.length}`;
    this.#byKey.set(source.key, name);
    this.bindings.push({ name, source });
    if ((four || this.#allFours) && source.tensor.dtype !== 'u8') this.#fours.add(name);
    return name;
  }

  /** Makes an existing binding of the shader's own the one for a memory. */
  alias(key: unknown, name: string): void {
    this.#byKey.set(key, name);
  }

  /** Has this memory a binding already? */
  has(key: unknown): boolean {
    return this.#byKey.has(key);
  }

  name(expression: string): string {
    if (/^[\w.]+$/.test(expression)) return expression;
    const key = `= ${expression}`;
    const known = this.#scope.find(key);
    if (known !== undefined) return known;
    const name = `v${this.#names++}`;
    this.#scope.lines.push(`let ${name} = ${expression};`);
    this.#scope.known.set(key, name);
    return name;
  }

  uniform(value: number, type: 'u32' | 'i32' | 'f32'): string {
    // The neighbours of a quad are one computation four times: what they share must have one name.
    if (this.#quads.size > 0) {
      const known = this.uniforms.findIndex((one) => Object.is(one.value, value) && one.type === type);
      if (known >= 0) return `fused.u${known}`;
    }
    const name = `u${this.uniforms.length}`;
    this.uniforms.push({ name, type, value });
    return `fused.${name}`;
  }

  extent(x: Tensor): string {
    return this.uniform(x.size, 'u32');
  }

  total(count: number | string, dtype: DType, term: (l: string) => string): string {
    const total = `v${this.#names++}`;
    const l = `v${this.#names++}`;
    const bound = typeof count === 'string' ? count : this.uniform(count, 'u32');
    const loop = new Scope(this.#scope);
    const value = this.#within(loop, () => term(l));
    this.#scope.lines.push(
      `var ${total} = ${literal(0, dtype)};`,
      `for (var ${l} = 0u; ${l} < ${bound}; ${l}++) {`,
      ...[...loop.lines, `${total} += ${value};`].map((line) => `  ${line}`),
      '}',
    );
    return total;
  }

  use(name: string): void {
    this.#libraries.add(name);
  }

  /** What stands in the `@bindings` hole. Generated bindings are numbered from 100, clear of the shader's own. */
  declarations(): string {
    const lines = this.bindings.map(({ name, source }, i) => {
      const word = this.word(source.tensor);
      const element = this.#fours.has(name) ? `vec4<${word}>` : word;
      return `@group(0) @binding(${101 + i}) var<storage, read_write> ${name}: array<${element}>;`;
    });
    if (this.uniforms.length > 0) {
      lines.push(
        'struct Fused {',
        ...this.uniforms.map(({ name, type }) => `  ${name}: ${type},`),
        '}',
        '@group(0) @binding(100) var<uniform> fused: Fused;',
      );
    }
    for (const name of this.#libraries) lines.push(kernelText(name as KernelName) ?? name);
    return lines.join('\n');
  }
}

const isPowerOfTwo = (n: number): boolean => n > 1 && Number.isInteger(Math.log2(n)) && n < 2 ** 31;

/** A value as it is stored: truth as a number. */
const stored = ({ dtype }: Tensor, value: string): string => (dtype === 'bool' ? `u32(${value})` : value);

/** `return result;` after the declarations among `lines` that it needs, and no others. */
function needed(lines: readonly string[], result: string): string {
  const wanted = new Set(result.match(/\w+/g));
  const kept = [`return ${result};`];
  for (const line of [...lines].reverse()) {
    const declared = /^let (\w+) = (.*);$/.exec(line);
    if (!declared || !wanted.has(declared[1])) continue;
    for (const name of declared[2].match(/\w+/g) ?? []) wanted.add(name);
    kept.unshift(line);
  }
  return kept.join('\n');
}
