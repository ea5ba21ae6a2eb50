/**
 * A plan: kernels in order, a place for every value, and the engine's recording of it all.
 *
 * Made once from a graph; run as often as one likes without another allocation.
 */
import type { BufferRange } from '../engine/arena.ts';
import type { Copy, Engine } from '../engine/engine.ts';
import type { Command, Recording } from '../engine/recorder.ts';
import { specialize } from '../engine/shader.ts';
import type { TuningRequest } from '../engine/tuner.ts';
import type { Tuning } from '../engine/tuning.ts';
import { type KernelCall, type Lowered, storedAs } from '../ops/define.ts';
import { wgslType } from '../ops/dtype.ts';
import { bytesKernel, elementwiseKernel, updateKernel } from '../ops/elementwise.ts';
import type { Tensor, Variable } from '../ops/tensor.ts';
import { explainKernels, opsOf, type PlannedKernel, type Sketch } from './explain.ts';
import { Fuser } from './fuse.ts';
import { Generator, type Source } from './generate.ts';
import { base, callOf, type Kernel } from './kernel.ts';
import { type Access, layOut, type Place, placeFor, verify } from './memory.ts';
import { readsPackedRows } from './packed.ts';
import { isLeaf, simplify } from './simplify.ts';
import { refusalOf, shaderFingerprint, tuningKey } from './tune.ts';
import { mergeUpdates, UpdateGenerator, type UpdateGroup, UpdateTable, updateBody } from './update.ts';

export interface PlanRequest {
  readonly label: string;
  readonly engine: Engine;
  /** Results that are to be found somewhere after a run. */
  readonly outputs: readonly Tensor[];
  /** In-place updates: the value becomes the contents of the variable. */
  readonly effects: readonly { readonly variable: Variable; readonly value: Tensor }[];
  /** For each variable that is overwritten: the leaf by which this graph reads its old value, if it does. */
  readonly leafOf: (variable: Variable) => Tensor | undefined;
  /** The memory of a leaf. Two leaves with the same range are the same memory. */
  readonly leafRange: (leaf: Tensor) => BufferRange;
  /** The memory of a variable. */
  readonly variableRange: (variable: Variable) => BufferRange;
  /** What `explain()` calls a leaf, where it has a name. */
  readonly nameOf?: (leaf: Tensor) => string | null;
  /** Ranges into which outputs are to be computed directly; the others stay in the step arena. */
  readonly direct?: ReadonlyMap<Tensor, BufferRange>;
  /** Given for what runs many times, whose kernels are worth measuring; hears how many of them are measured. */
  readonly onTune?: (done: number, total: number) => void;
}

type Variant = NonNullable<PlannedKernel['tuning']>;

export class Plan {
  readonly label: string;
  readonly engine: Engine;
  readonly recording: Recording;
  /** Where each output is after a run, in the order asked for. */
  readonly outputs: readonly BufferRange[];
  /** Bytes of the step arena that it uses. */
  readonly arenaBytes: number;
  readonly #owned: readonly BufferRange[];
  readonly #explain: () => PlannedKernel[];
  #kernels: readonly PlannedKernel[] | null = null;

  constructor(
    request: PlanRequest,
    recording: Recording,
    outputs: readonly BufferRange[],
    arenaBytes: number,
    owned: readonly BufferRange[],
    explain: () => PlannedKernel[],
  ) {
    this.label = request.label;
    this.engine = request.engine;
    this.recording = recording;
    this.outputs = outputs;
    this.arenaBytes = arenaBytes;
    this.#owned = owned;
    this.#explain = explain;
  }

  /** Its kernels in order. Made when somebody asks. */
  get kernels(): readonly PlannedKernel[] {
    this.#kernels ??= this.#explain();
    return this.#kernels;
  }

  get dispatches(): number {
    return this.recording.steps.length;
  }

  run(times = 1, copies: readonly Copy[] = []): void {
    this.engine.run(this.recording, { times, copies });
  }

  dispose(): void {
    this.recording.dispose();
    for (const range of this.#owned) this.engine.free(range);
  }
}

/** Makes a plan: simplifies, fuses, lays out memory, writes the shaders' holes and compiles them. */
export async function makePlan(request: PlanRequest): Promise<Plan> {
  const builder = new Builder(request);
  return builder.finish();
}

class Builder {
  readonly #request: PlanRequest;
  readonly #engine: Engine;
  readonly #outputs: readonly Tensor[];
  readonly #fuser: Fuser;
  readonly #places = new Map<Tensor, Place>();
  readonly #fixed = new Map<string, Place>();
  /** Effects whose value is first computed elsewhere, because somebody still reads the old one. */
  readonly #deferred: { value: Tensor; variable: Variable }[] = [];
  readonly #bufferIds = new Map<GPUBuffer, number>();
  /** For `explain()`: how each command was lowered, and the variables that values are written to. */
  readonly #lowered = new Map<Command, Lowered>();
  readonly #assigned = new Map<Tensor, string>();

  constructor(request: PlanRequest) {
    this.#request = request;
    this.#engine = request.engine;
    const { outputs, effects } = request;
    const { roots, nodes } = simplify(
      [...outputs, ...effects.map(({ value }) => value)],
      this.#engine.profile,
    );
    this.#outputs = roots.slice(0, outputs.length);
    const values = roots.slice(outputs.length);
    effects.forEach(({ variable }, i) => {
      if (!isLeaf(values[i])) this.#assigned.set(values[i], variable.path ?? variable.name);
    });
    const wanted = new Set(roots.filter((root) => !isLeaf(root)));
    let inPlace = effects.map(({ variable }, i) => ({ variable, value: values[i] }));
    // Try to overwrite every variable directly; whatever cannot be is computed aside and copied at the end.
    for (;;) {
      const overwritten = new Map<Tensor, Tensor>();
      for (const { variable, value } of inPlace) {
        const leaf = request.leafOf(variable);
        if (leaf) overwritten.set(value, leaf);
      }
      this.#fuser = new Fuser(nodes, wanted, overwritten, this.#engine.profile);
      const order = this.#sorted();
      const blocked = inPlace.filter(
        ({ value }) =>
          !isLeaf(value) && overwritten.has(value) && (order === null || !this.#fuser.canOverwrite(value)),
      );
      if (blocked.length === 0) break;
      this.#deferred.push(...blocked);
      inPlace = inPlace.filter((effect) => !blocked.includes(effect));
    }
    for (const { variable, value } of inPlace)
      this.#places.set(value, this.#fixedPlace(request.variableRange(variable), value));
    outputs.forEach((original, i) => {
      const range = request.direct?.get(original);
      const root = this.#outputs[i];
      if (range && !isLeaf(root) && !this.#places.has(root))
        this.#places.set(root, this.#fixedPlace(range, root));
    });
  }

  async finish(): Promise<Plan> {
    const { engine, label } = this.#request;
    const groups = mergeUpdates(
      this.#sorted()!,
      this.#fuser,
      (tensor) => this.#bufferClass(tensor),
      (tensor) => this.#place(tensor),
    );
    this.#setLifetimes(groups);
    const stepPlaces = [...new Set(this.#places.values())].filter((place) => place.range === null);
    const arenaBytes = layOut(stepPlaces, !engine.options.debug?.noReuse);
    if (arenaBytes > 0) {
      const buffer = engine.stepArena(arenaBytes);
      for (const place of stepPlaces) place.range = { buffer, offset: place.offset, size: place.sizeBytes };
    }
    const owned: BufferRange[] = [];
    const commands: Command[] = [];
    const sketches: Sketch[] = [];
    const accesses: Access[] = [];
    const push = (access: Access, sketch: Sketch) => {
      commands.push(sketch.command);
      accesses.push(access);
      sketches.push(sketch);
    };
    try {
      const variants = await this.#variants(groups);
      for (const group of groups) {
        const members = group.flat();
        const written = members.flatMap((kernel) => this.#written(kernel));
        if (written.every((tensor) => tensor.size === 0)) continue;
        const access: Access = {
          label: this.#label(members[0]),
          reads: members.flatMap((kernel) => [...this.#fuser.reads(kernel)].map((x) => this.#place(x))),
          writes: written.map((tensor) => this.#place(tensor)),
        };
        const tuning = variants.get(members[0]);
        const command =
          members.length > 1 ? this.#updateCommand(group, owned) : this.#command(members[0], tuning?.tuning);
        push(access, { command, formulas: group, written, tuning });
      }
      for (const { value, variable } of this.#deferred) this.#copyCommand(value, variable, push);
      verify(accesses);
      const recording = await engine.record(commands, label);
      const outputs = this.#outputs.map(
        (output) => this.#place(output).range ?? { buffer: null as never, offset: 0, size: 0 },
      );
      return new Plan(this.#request, recording, outputs, arenaBytes, owned, () =>
        explainKernels({
          sketches,
          steps: recording.steps,
          fuser: this.#fuser,
          lowered: this.#lowered,
          nameOf: (x) => this.#assigned.get(x) ?? ((isLeaf(x) && this.#request.nameOf?.(x)) || null),
        }),
      );
    } catch (error) {
      for (const range of owned) engine.free(range);
      throw error;
    }
  }

  // ---- order and memory

  /** Kernels so that each comes after what it needs, otherwise in the user's order; null when there is a circle. */
  #sorted(): Kernel[] | null {
    const { kernels } = this.#fuser;
    const waiting = new Map(kernels.map((kernel) => [kernel, this.#fuser.predecessors(kernel)]));
    const done: Kernel[] = [];
    while (waiting.size > 0) {
      let next: Kernel | null = null;
      for (const [kernel, before] of waiting)
        if (before.size === 0 && (!next || kernel.order < next.order)) next = kernel;
      if (!next) return null;
      waiting.delete(next);
      for (const before of waiting.values()) before.delete(next);
      done.push(next);
    }
    return done;
  }

  #setLifetimes(groups: readonly UpdateGroup[]): void {
    groups.forEach((formulas, time) => {
      for (const kernel of formulas.flat())
        for (const tensor of [...this.#fuser.reads(kernel), ...this.#written(kernel)]) {
          const place = this.#place(tensor);
          place.first = Math.min(place.first, time);
          place.last = Math.max(place.last, time);
        }
    });
    // What is read after the last kernel lives to the end.
    for (const tensor of [...this.#outputs, ...this.#deferred.map(({ value }) => value)])
      if (!isLeaf(tensor)) this.#place(tensor).last = groups.length;
  }

  /** The tensors that a kernel stores. */
  #written(kernel: Kernel): Tensor[] {
    const outputs = [...kernel.outputs.values()].filter((tensor) => this.#fuser.stored.has(tensor));
    return [
      ...outputs,
      ...kernel.roots.map(({ tensor }) => tensor).filter((tensor) => this.#fuser.stored.has(tensor)),
    ];
  }

  #place(tensor: Tensor): Place {
    const known = this.#places.get(tensor);
    if (known) return known;
    const place = isLeaf(tensor)
      ? this.#fixedPlace(this.#request.leafRange(tensor), tensor)
      : placeFor(tensor, this.#engine.profile.limits);
    this.#places.set(tensor, place);
    return place;
  }

  /** One place for one range, whoever asks: a variable that is read and overwritten is one binding. */
  #fixedPlace(range: BufferRange, tensor: Tensor): Place {
    const id = this.#bufferIds.get(range.buffer) ?? this.#bufferIds.size;
    this.#bufferIds.set(range.buffer, id);
    const key = `${id}:${range.offset}`;
    const known = this.#fixed.get(key);
    if (known) return known;
    const place = placeFor(tensor, this.#engine.profile.limits, range);
    this.#fixed.set(key, place);
    return place;
  }

  /** Tensors in one class lie in one buffer. */
  #bufferClass(tensor: Tensor): unknown {
    return this.#place(tensor).range?.buffer ?? 'arena';
  }

  // ---- commands

  #source(x: Tensor, kernel: Kernel): Source | null {
    const maker = this.#fuser.producer.get(x);
    if (maker === kernel) return null;
    return maker || isLeaf(x) ? { key: this.#place(x), tensor: x } : null;
  }

  #command(kernel: Kernel, tuning: Tuning = {}): Command {
    return kernel.family ? this.#familyCommand(kernel, tuning) : this.#elementwiseCommand(kernel);
  }

  /** The variant of each family's kernel: the family's own choice, a pinned one, or what was measured. */
  async #variants(groups: readonly UpdateGroup[]): Promise<Map<Kernel, Variant>> {
    const kernels = groups
      .flat(2)
      .filter((kernel) => kernel.family?.candidates && this.#written(kernel).some(({ size }) => size > 0));
    const { onTune } = this.#request;
    const choices = await this.#engine.tuning.choose(
      kernels.map((kernel) => this.#tuningRequest(kernel)),
      { shaders: shaderFingerprint(), measure: onTune !== undefined, progress: onTune },
    );
    return new Map(kernels.map((kernel, i) => [kernel, { family: kernel.family!.name, ...choices[i] }]));
  }

  #tuningRequest(kernel: Kernel): TuningRequest {
    const family = kernel.family!;
    const { profile } = this.#engine;
    const call = this.#call(kernel);
    const whole = (values: Tuning): Tuning => family.lower({ ...call, tuning: values }).tuning ?? values;
    const standard = whole({});
    const command = (tuning: Tuning): Command => this.#command(kernel, tuning);
    let key: string | undefined;
    return {
      family: family.name,
      get key() {
        key ??= tuningKey(family.name, call, command(standard).shader.holes);
        return key;
      },
      standard,
      whole,
      candidates: () => family.candidates!(profile, call),
      refusal: (tuning) => refusalOf(family, call, standard, tuning),
      command,
      writes: this.#written(kernel).map((tensor) => this.#place(tensor).range!),
    };
  }

  #call(kernel: Kernel, tuning: Tuning = {}): KernelCall {
    const source = (x: Tensor) => this.#source(x, kernel);
    return callOf(kernel, this.#engine.profile, tuning, (x) => !source(x) && readsPackedRows(x, source));
  }

  #elementwiseCommand(kernel: Kernel): Command {
    const generator = new Generator((x) => this.#source(x, kernel));
    const roots = kernel.roots.map(({ tensor }) => tensor);
    const { profile } = this.#engine;
    if (roots[0].dtype === 'u8') {
      const body = generator.scope(({ lines }) => {
        const value = generator.value(roots[0], 'i');
        return [...lines, `return ${value};`].join('\n');
      });
      return this.#finish(kernel, bytesKernel(roots[0].size, profile), { body }, generator, {
        y: this.#place(roots[0]),
      });
    }
    const four = this.#fourAtATime(kernel);
    const { prologue, body } = generator.loop(() => this.#storeAll(generator, roots, four));
    const lowered = elementwiseKernel(Math.ceil(roots[0].size / (four ? 4 : 1)), profile);
    return this.#finish(kernel, lowered, { prologue, body }, generator, {});
  }

  /**
   * Should a lane take four neighbours at a time? One load or store of four words costs SwiftShader what one
   * of a single word does (25,088 bytes to f32: 641 µs singly, 111 µs in fours), and GPUs like it as well.
   * On llvmpipe it costs as much as four, and compiling the longer loop takes time: there it pays for packed
   * bytes only, which share a word (57 → 27 µs). Ranges are padded, so the last four may reach beyond the end.
   */
  #fourAtATime(kernel: Kernel): boolean {
    const { backendName } = this.#engine.profile;
    const bytes = [...this.#fuser.reads(kernel)].some(({ dtype }) => dtype === 'u8');
    return kernel.roots[0].tensor.size >= 64 && (bytes || backendName !== 'llvmpipe');
  }

  /** All values first, then all stores: an update in place reads before it overwrites. */
  #storeAll(generator: Generator, roots: readonly Tensor[], four = false): void {
    const stored = (root: Tensor) => this.#fuser.stored.has(root);
    const source = (root: Tensor) => ({ key: this.#place(root), tensor: root });
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

  #familyCommand(kernel: Kernel, tuning: Tuning): Command {
    const lowered = kernel.family!.lower(this.#call(kernel, tuning));
    const generator = new Generator((x) => this.#source(x, kernel));
    const holes: Record<string, string> = {};
    const own: Record<string, Place> = {};
    const names = (mark: string) =>
      [...lowered.text.matchAll(new RegExp(`// @${mark} (\\w+)`, 'g'))].map(([, name]) => name);

    const value = (input: Tensor, indices: readonly string[]) =>
      generator.scope(({ lines }) => {
        const values = indices.map((index) => generator.value(input, index));
        const all = values.length === 1 ? values[0] : `vec4<${wgslType(input.dtype)}>(${values.join(', ')})`;
        return [...lines, `return ${all};`].join('\n');
      });
    // What is read in fours comes first: the first use decides how a memory is declared.
    for (const name of lowered.fours ?? []) {
      const input = kernel.inputs.get(name)!;
      const rows = this.#source(input, kernel) ? null : generator.rows(input);
      holes[`load4 ${name}`] = rows?.four ?? value(input, generator.neighbours('base'));
      if (rows) holes[`origin ${name}`] = rows.origin;
    }
    const melted: [string, Tensor][] = [];
    for (const name of names('input')) {
      const input = kernel.inputs.get(name);
      if (!input) {
        holes[`load ${name}`] = 'return 0.0;';
        continue;
      }
      const source = this.#source(base(input), kernel);
      if (
        !source ||
        input.dtype === 'bool' ||
        input.dtype === 'u8' ||
        storedAs(source.tensor) === 'f16' ||
        generator.has(this.#place(source.tensor))
      ) {
        melted.push([name, input]);
        continue;
      }
      const place = this.#place(source.tensor);
      generator.alias(place, name);
      own[name] = place;
    }
    for (const [name, input] of melted) holes[`load ${name}`] = value(input, ['i']);
    for (const name of names('output')) {
      const result = kernel.outputs.get(name);
      const roots = kernel.roots.filter(({ host }) => host === name).map(({ tensor }) => tensor);
      const stored = result !== undefined && this.#fuser.stored.has(result);
      if (!result || (!stored && roots.length === 0)) holes[`store ${name}`] = '';
      else if (roots.length === 0) own[name] = this.#place(result);
      else
        holes[`store ${name}`] = generator.scope(
          ({ lines }) => {
            this.#storeAll(generator, stored ? [result, ...roots] : roots);
            return lines.join('\n');
          },
          new Map([[result, 'value']]),
        );
    }
    return this.#finish(kernel, lowered, holes, generator, own);
  }

  #finish(
    kernel: Kernel,
    lowered: Lowered,
    holes: Record<string, string>,
    generator: Generator,
    own: Readonly<Record<string, Place>>,
  ): Command {
    const bindings: Record<string, BufferRange> = {};
    for (const [name, place] of Object.entries(own)) bindings[name] = place.range!;
    for (const { name, source } of generator.bindings) bindings[name] = (source.key as Place).range!;
    const command: Command = {
      label: this.#label(kernel),
      shader: specialize(lowered.text, {
        tune: { ...lowered.tune },
        holes: {
          ...holes,
          bindings: generator.declarations(),
          ...(lowered.enable ? { enable: lowered.enable.map((name) => `enable ${name};`).join('\n') } : {}),
        },
      }),
      constants: lowered.constants,
      bindings,
      uniforms: uniformsOf(lowered, generator),
      workgroups: lowered.workgroups,
    };
    this.#lowered.set(command, lowered);
    return command;
  }

  /** Several elementwise kernels as one dispatch over a table of chunks: a formula for each structure. */
  #updateCommand(group: UpdateGroup, owned: BufferRange[]): Command {
    const { engine } = this.#request;
    const members = group.flat();
    const four = members.some((kernel) => this.#fourAtATime(kernel));
    let writing = members[0];
    const generator = new UpdateGenerator(
      (x) => this.#source(x, writing),
      (tensor) => this.#bufferClass(tensor),
    );
    /** Writes a kernel's formula; its operands are then the generator's columns. */
    const write = (kernel: Kernel) => {
      writing = kernel;
      generator.next();
      return generator.loop(() => this.#storeAll(generator, rootsOf(kernel), four));
    };
    const formulas = group.map((kernels) => {
      const text = write(kernels[0]);
      const segments = kernels.map((kernel) => {
        const twin = new UpdateGenerator(
          (x) => this.#source(x, kernel),
          (tensor) => this.#bufferClass(tensor),
        );
        twin.loop(() => this.#storeAll(twin, rootsOf(kernel), four));
        return { size: kernel.roots[0].tensor.size, columns: twin.columns };
      });
      return { ...text, segments };
    });
    // One window per buffer that holds every operand of every segment.
    const segments = formulas.flatMap((formula) => formula.segments);
    const windows = generator.bindings.map(({ source }) => {
      const ranges = segments.flatMap(({ columns }) =>
        columns
          .filter((tensor) => this.#bufferClass(tensor) === source.key)
          .map((tensor) => this.#place(tensor).range!),
      );
      const offset = Math.min(...ranges.map((range) => range.offset));
      const end = Math.max(...ranges.map((range) => range.offset + range.size));
      return { buffer: ranges[0].buffer, offset, size: end - offset };
    });
    const windowOf = new Map(generator.bindings.map(({ source }, i) => [source.key, windows[i]]));
    const table = new UpdateTable(four);
    formulas.forEach((formula, number) => {
      for (const { size, columns } of formula.segments)
        table.add(
          number,
          size,
          columns.map((tensor) => {
            const { offset } = this.#place(tensor).range!;
            return (offset - windowOf.get(this.#bufferClass(tensor))!.offset) / 4;
          }),
        );
    });
    const rows = table.words();
    const tableRange = engine.allocateTable(rows.byteLength, 'update.table');
    owned.push(tableRange);
    engine.write(tableRange, rows);
    const lowered = updateKernel(table.chunks, table.columns, engine.profile);
    const command: Command = {
      label: group.map((kernels) => `update ${kernels.length} × ${this.#label(kernels[0])}`).join(' | '),
      shader: specialize(lowered.text, {
        tune: { ...lowered.tune },
        holes: { body: updateBody(formulas), bindings: generator.declarations(true) },
      }),
      constants: lowered.constants,
      bindings: {
        table: tableRange,
        ...Object.fromEntries(generator.bindings.map(({ name }, i) => [name, windows[i]])),
      },
      uniforms: uniformsOf(lowered, generator),
      workgroups: lowered.workgroups,
    };
    this.#lowered.set(command, lowered);
    return command;
  }

  #copyCommand(value: Tensor, variable: Variable, push: (access: Access, sketch: Sketch) => void): void {
    const from = this.#place(value);
    const to = this.#fixedPlace(this.#request.variableRange(variable), value);
    const words = Math.ceil(from.sizeBytes / 4);
    const lowered = elementwiseKernel(words, this.#engine.profile);
    const bindings = [
      '@group(0) @binding(101) var<storage, read> source: array<u32>;',
      '@group(0) @binding(102) var<storage, read_write> destination: array<u32>;',
    ].join('\n');
    const command: Command = {
      label: `assign ${variable.name}`,
      shader: specialize(lowered.text, {
        holes: { prologue: '', body: 'destination[i] = source[i];', bindings },
      }),
      constants: lowered.constants,
      bindings: { source: from.range!, destination: to.range! },
      uniforms: { params: { ...lowered.params } },
      workgroups: lowered.workgroups,
    };
    const access = { label: command.label, reads: [from], writes: [to] };
    push(access, { command, formulas: [], written: [value], copied: value });
  }

  // ---- names

  #label(kernel: Kernel): string {
    const ops = [...new Set(opsOf(kernel, this.#fuser))];
    return ops.length === 0 ? 'copy' : ops.slice(0, 6).join('+') + (ops.length > 6 ? '+…' : '');
  }
}

const rootsOf = (kernel: Kernel): Tensor[] => kernel.roots.map(({ tensor }) => tensor);

/** The numbers that a kernel gets: its own parameters, and what generated code asked for. */
function uniformsOf({ params }: Lowered, { uniforms }: Generator): Record<string, Record<string, number>> {
  if (uniforms.length === 0) return { params: { ...params } };
  return {
    params: { ...params },
    fused: Object.fromEntries(uniforms.map(({ name, value }) => [name, value])),
  };
}
