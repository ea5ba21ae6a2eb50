/**
 * From kernels to commands: writes the holes of a kernel's shader and says what is bound and how many workgroups run.
 */
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import type { Command } from '../engine/recorder.ts';
import { type Shader, specialize } from '../engine/shader.ts';
import type { Tuning } from '../engine/tuning.ts';
import { type KernelCall, type Lowered, storedAs } from '../ops/define.ts';
import { bytesKernel, elementwiseKernel, updateKernel } from '../ops/elementwise.ts';
import type { Tensor } from '../ops/tensor.ts';
import { kernelText } from '../shaders/index.ts';
import { opsOf } from './explain.ts';
import type { Fuser } from './fuse.ts';
import { Generator, type Source } from './generate.ts';
import { base, callOf, type Kernel } from './kernel.ts';
import type { Place } from './memory.ts';
import { append, isLeaf } from './order.ts';
import { readsPackedRows } from './packed.ts';
import type { Places } from './places.ts';
import { isSlot } from './slots.ts';
import { UpdateGenerator, type UpdateGroup, updateBody, updateTable } from './update.ts';

export class CommandWriter {
  readonly #engine: Engine;
  readonly #fuser: Fuser;
  readonly #places: Places;
  readonly #shaders = new Map<string, Shader>();
  readonly #calls = new Map<Kernel, KernelCall>();
  readonly #lowered = new Map<Kernel, Lowered>();

  /** Whether a command binds a slot together with what lies around it: then it is not bound anew elsewhere. */
  pinned = false;

  constructor(engine: Engine, fuser: Fuser, places: Places) {
    this.#engine = engine;
    this.#fuser = fuser;
    this.#places = places;
  }

  /** The kernel, whose text is loaded, as one dispatch; `tuning`: of its family, which otherwise has its own. */
  command(kernel: Kernel, tuning?: Tuning): Command {
    return kernel.family ? this.#familyCommand(kernel, tuning) : this.#elementwiseCommand(kernel);
  }

  /** What the kernel asks of its family. */
  call(kernel: Kernel): KernelCall {
    let call = this.#calls.get(kernel);
    if (!call) {
      const source = (x: Tensor) => this.#source(x, kernel);
      call = callOf(kernel, this.#engine.profile, {}, (x) => !source(x) && readsPackedRows(x, source));
      this.#calls.set(kernel, call);
    }
    return call;
  }

  /** What the family makes of it, in a variant or in its own. */
  lowered(kernel: Kernel, tuning?: Tuning): Lowered {
    let lowered = tuning ? undefined : this.#lowered.get(kernel);
    if (!lowered) {
      const call = this.call(kernel);
      lowered = kernel.family!.lower(tuning ? { ...call, tuning } : call);
      if (!tuning) this.#lowered.set(kernel, lowered);
    }
    return lowered;
  }

  #elementwiseCommand(kernel: Kernel): Command {
    const generator = new Generator((x) => this.#source(x, kernel));
    const roots = rootsOf(kernel);
    const { profile } = this.#engine;
    if (roots[0].dtype === 'u8') {
      const lowered = bytesKernel(roots[0].size, profile);
      const place = this.#places.of(roots[0]);
      // An update in place reads the four elements of a word before it writes the word.
      generator.alias(place, 'y');
      const holes = { body: generator.returned(roots[0], 'i') };
      return this.#finish(this.label(kernel), lowered, generator, holes, { y: place.range! });
    }
    const four = this.#fourAtATime(kernel);
    const { prologue, body } = generator.loop(() => this.#storeAll(generator, roots, four));
    const loops = roots.some(({ op }) => op?.loops);
    const lowered = elementwiseKernel(Math.ceil(roots[0].size / (four ? 4 : 1)), profile, loops);
    return this.#finish(this.label(kernel), lowered, generator, { prologue, body });
  }

  /**
   * Should a lane take four neighbours at a time? One load or store of four words costs SwiftShader what one
   * of a single word does (25,088 bytes to f32: 641 µs singly, 111 µs in fours), and GPUs like it as well.
   * On llvmpipe it costs as much as four, and compiling the longer loop takes time: there it pays for packed
   * bytes only, which share a word (57 → 27 µs). Ranges are padded, so the last four may reach beyond the end.
   */
  #fourAtATime(kernel: Kernel): boolean {
    const { backendName } = this.#engine.profile;
    // Four loops would be four times the text, and SwiftShader takes its time for each.
    if (kernel.roots.some(({ tensor }) => tensor.op?.loops)) return false;
    const bytes = [...this.#fuser.reads(kernel)].some(({ dtype }) => dtype === 'u8');
    return kernel.roots[0].tensor.size >= 64 && (bytes || backendName !== 'llvmpipe');
  }

  /** All values first, then all stores: an update in place reads before it overwrites. */
  #storeAll(generator: Generator, roots: readonly Tensor[], four = false): void {
    const stored = (root: Tensor) => this.#fuser.stored.has(root);
    const source = (root: Tensor) => ({ key: this.#places.of(root), tensor: root });
    if (!four) {
      const values = roots.map((root) => generator.value(root, 'i'));
      for (const [i, root] of roots.entries())
        if (stored(root)) generator.store(source(root), 'i', values[i]);
      return;
    }
    const quad = generator.quad(generator.name('i * 4u'));
    const values = quad.map((index) => roots.map((root) => generator.value(root, index)));
    for (const [i, root] of roots.entries())
      if (stored(root))
        generator.storeQuad(
          source(root),
          quad[0],
          values.map((of) => of[i]),
        );
  }

  #familyCommand(kernel: Kernel, tuning?: Tuning): Command {
    const lowered = this.lowered(kernel, tuning);
    const generator = new Generator((x) => this.#source(x, kernel));
    const holes: Record<string, string> = {};
    const own: Record<string, BufferRange> = {};
    const { input: inputs, output: outputs } = namesIn(kernelText(lowered.kernel));

    // What is read in fours comes first: the first use decides how a memory is declared.
    for (const name of lowered.fours ?? []) {
      const input = kernel.inputs.get(name)!;
      const rows = this.#source(input, kernel) ? null : generator.rows(input);
      holes[`load4 ${name}`] = rows?.four ?? generator.returned(input, 'base', true);
      if (rows) holes[`origin ${name}`] = rows.origin;
    }
    const melted: [string, Tensor][] = [];
    for (const name of inputs) {
      const input = kernel.inputs.get(name);
      if (!input) {
        holes[`load ${name}`] = 'return 0;';
        continue;
      }
      const source = this.#source(this.#behind(input), kernel);
      if (
        !source ||
        input.dtype === 'bool' ||
        input.dtype === 'u8' ||
        storedAs(source.tensor) === 'f16' ||
        generator.has(this.#places.of(source.tensor))
      ) {
        melted.push([name, input]);
        continue;
      }
      const place = this.#places.of(source.tensor);
      generator.alias(place, name);
      own[name] = place.range!;
    }
    for (const [name, input] of melted) holes[`load ${name}`] = generator.returned(input, 'i');
    for (const name of outputs) {
      const result = kernel.outputs.get(name);
      const roots = kernel.roots.filter(({ host }) => host === name).map(({ tensor }) => tensor);
      const stored = result !== undefined && this.#fuser.stored.has(result);
      if (!result || (!stored && roots.length === 0)) holes[`store ${name}`] = '';
      else if (roots.length === 0) own[name] = this.#places.of(result).range!;
      else
        holes[`store ${name}`] = generator.scope(
          () => this.#storeAll(generator, stored ? [result, ...roots] : roots),
          new Map([[result, 'value']]),
        );
    }
    return this.#finish(this.label(kernel), lowered, generator, holes, own);
  }

  /** `own`: what the shader's own names are bound to; `rangeOf`: what the generator's keys are. */
  #finish(
    label: string,
    lowered: Lowered,
    generator: Generator,
    holes: Readonly<Record<string, string>>,
    own: Readonly<Record<string, BufferRange>> = {},
    rangeOf = (key: unknown): BufferRange => (key as Place).range!,
  ): Command {
    const { params, tune, enable, constants, workgroups } = lowered;
    const { bindings, uniforms } = generator;
    const filled = {
      tune: { ...tune },
      holes: {
        ...lowered.holes,
        ...holes,
        bindings: holes.bindings ?? generator.declarations(),
        ...(enable && { enable: enable.map((name) => `enable ${name};`).join('\n') }),
      },
    };
    // Layers alike have one text: it is made, and kept, once.
    const key = JSON.stringify([lowered.kernel, filled]);
    const shader = this.#shaders.get(key) ?? specialize(kernelText(lowered.kernel), filled);
    this.#shaders.set(key, shader);
    return {
      label,
      shader,
      tune,
      constants,
      bindings: {
        ...own,
        ...Object.fromEntries(bindings.map(({ name, source }) => [name, rangeOf(source.key)])),
      },
      uniforms: {
        params: { ...params },
        ...(uniforms.length > 0 && {
          fused: Object.fromEntries(uniforms.map(({ name, value }) => [name, value])),
        }),
      },
      workgroups,
    };
  }

  /** One window per buffer that holds all operands there, those of `others` as well. */
  #windows(operands: Iterable<Tensor>, others: Windows = new Map()): Windows {
    const windows = new Map(others);
    for (const tensor of operands) {
      const range = this.#places.of(tensor).range!;
      const { buffer, offset, size } = range;
      const key = this.#places.bufferOf(tensor);
      const before = windows.get(key) ?? range;
      const begin = Math.min(before.offset, offset);
      const end = Math.max(before.offset + before.size, offset + size);
      windows.set(key, { buffer, offset: begin, size: end - begin });
      // One binding for all that lies there: bindings of one dispatch must not overlap.
      if (isSlot(tensor)) this.pinned = true;
    }
    return windows;
  }

  /** A group in parts, each of whose windows one binding reaches; what is too far apart by itself stands alone. */
  parts(group: UpdateGroup): UpdateGroup[] {
    const most = this.#engine.profile.limits.maxStorageBufferBindingSize;
    const fits = (windows: Windows) => [...windows.values()].every(({ size }) => size <= most);
    const parts: { windows: Windows; formulas: Map<unknown, Kernel[]> }[] = [];
    const alone: UpdateGroup[] = [];
    for (const kernels of group)
      for (const kernel of kernels) {
        const operands = [...this.#fuser.reads(kernel), ...rootsOf(kernel)].filter(
          (x) => isLeaf(x) || this.#fuser.stored.has(x),
        );
        if (!fits(this.#windows(operands))) {
          alone.push([[kernel]]);
          continue;
        }
        let part = parts.find(({ windows }) => fits(this.#windows(operands, windows)));
        if (!part) {
          part = { windows: new Map(), formulas: new Map() };
          parts.push(part);
        }
        part.windows = this.#windows(operands, part.windows);
        append(part.formulas, kernels, kernel);
      }
    return [...parts.map(({ formulas }) => [...formulas.values()]), ...alone];
  }

  /**
   * Several elementwise kernels as one dispatch over a table of chunks: a formula for each structure. The table is
   * added to `owned`.
   */
  update(group: UpdateGroup, owned: BufferRange[]): Command {
    const engine = this.#engine;
    const members = group.flat();
    const four = members.some((kernel) => this.#fourAtATime(kernel));
    let writing = members[0];
    const bufferOf = (tensor: Tensor) => this.#places.bufferOf(tensor);
    const writer = () => new UpdateGenerator((x) => this.#source(x, writing), bufferOf);
    const write = (generator: UpdateGenerator, kernel: Kernel) => {
      writing = kernel;
      return generator.formula(() => this.#storeAll(generator, rootsOf(kernel), four));
    };
    const generator = writer();
    const formulas = group.map((kernels) => ({
      ...write(generator, kernels[0]),
      // A lane has few loops to do, so that there are lanes enough.
      ...(kernels[0].roots[0].tensor.op?.loops && { chunk: LOOPS }),
      segments: kernels.map((kernel) => {
        const own = writer();
        write(own, kernel);
        return { size: kernel.roots[0].tensor.size, columns: own.columns };
      }),
    }));
    const operands = formulas
      .flatMap(({ segments }) => segments.flatMap(({ columns }) => columns))
      .filter((one) => typeof one !== 'number');
    const windows = this.#windows(operands);
    const wordOf = (tensor: Tensor): number =>
      (this.#places.of(tensor).range!.offset - windows.get(bufferOf(tensor))!.offset) / 4;
    const { words, chunks, columns } = updateTable(formulas, wordOf, four);
    const table = engine.allocateTable(words.byteLength, 'update.table');
    owned.push(table);
    engine.write(table, words);
    const lowered = updateKernel(chunks, columns, engine.profile);
    const label = group.map((kernels) => `update ${kernels.length} × ${this.label(kernels[0])}`).join(' | ');
    const holes = { body: updateBody(formulas) };
    return this.#finish(
      label,
      lowered,
      generator,
      holes,
      { table },
      (buffer) => windows.get(buffer as GPUBuffer)!,
    );
  }

  /** A copy of a value to where a variable lies. */
  copy(name: string, from: Place, to: Place): Command {
    const words = Math.ceil(from.sizeBytes / 4);
    const lowered = elementwiseKernel(words, this.#engine.profile);
    const bindings = [
      '@group(0) @binding(101) var<storage, read> source: array<u32>;',
      '@group(0) @binding(102) var<storage, read_write> destination: array<u32>;',
    ].join('\n');
    return this.#finish(
      `assign ${name}`,
      lowered,
      new Generator(() => null),
      { prologue: '', body: 'destination[i] = source[i];', bindings },
      { source: from.range!, destination: to.range! },
    );
  }

  /** Its ops in a few words. */
  label(kernel: Kernel): string {
    const ops = [...new Set(opsOf(kernel, this.#fuser))];
    return ops.length === 0 ? 'copy' : ops.slice(0, 6).join('+') + (ops.length > 6 ? '+…' : '');
  }

  /** The tensor whose bytes a view shows, as far as nobody gave the view memory of its own. */
  #behind(view: Tensor): Tensor {
    return base(view, (x) => this.#fuser.producer.has(x));
  }

  /** Where the kernel finds a tensor; null for what it computes itself. */
  #source(x: Tensor, kernel: Kernel): Source | null {
    const maker = this.#fuser.producer.get(x);
    if (maker === kernel) return null;
    return maker || isLeaf(x) ? { key: this.#places.of(x), tensor: x } : null;
  }
}

/** Elements of a chunk that are loops. */
const LOOPS = 64;

type Windows = ReadonlyMap<unknown, BufferRange>;

/** The names that a text gives a kernel's inputs and outputs. */
function namesIn(text: string): Readonly<Record<'input' | 'output', readonly string[]>> {
  let names = named.get(text);
  if (!names) {
    names = { input: [], output: [] };
    for (const [, mark, name] of text.matchAll(/\/\/ @(input|output) (\w+)/g))
      names[mark as 'input'].push(name);
    named.set(text, names);
  }
  return names;
}

const named = new Map<string, Record<'input' | 'output', string[]>>();

const rootsOf = (kernel: Kernel): Tensor[] => kernel.roots.map(({ tensor }) => tensor);
