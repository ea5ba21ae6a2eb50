/**
 * A plan: kernels in order, a place for every value, and the engine's recording of it all.
 *
 * Made once from a graph; run as often as one likes without another allocation.
 */
import { loaded } from '../base/loaded.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Copy, Engine } from '../engine/engine.ts';
import type { Recording } from '../engine/recorder.ts';
import type { Tuning, TuningRequest } from '../engine/tuning.ts';
import { identity } from '../ops/constant.ts';
import { Tensor, type Variable } from '../ops/tensor.ts';
import { fingerprint, type KernelName, loadKernels } from '../shaders/index.ts';
import { CommandWriter } from './commands.ts';
import { explainKernels, type PlannedKernel, type Sketch } from './explain.ts';
import { Fuser } from './fuse.ts';
import type { Kernel } from './kernel.ts';
import { type Access, layOut, verify } from './memory.ts';
import { isLeaf } from './order.ts';
import { Places } from './places.ts';
import { simplify } from './simplify.ts';
import { tuningKey } from './tune.ts';
import { mergeUpdates, type UpdateGroup } from './update.ts';

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

/** A family's kernel in the variant that was chosen. */
type Variant = Pick<Sketch, 'command' | 'tuning'>;

export class Plan {
  readonly label: string;
  readonly engine: Engine;
  readonly recording: Recording;
  /** Where each output is after a run, in the order asked for. */
  readonly outputs: readonly BufferRange[];
  /** Bytes of the step arena that it uses. */
  readonly arenaBytes: number;
  /** Whether slots must stay where they are. */
  pinned = false;
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
  /** Its kernels, each after what it needs. */
  readonly #order: readonly Kernel[];
  readonly #places: Places;
  /** The libraries of functions that its expressions call. */
  readonly #libraries = new Set<KernelName>();
  /** Effects whose value is first computed elsewhere, because somebody still reads the old one. */
  readonly #deferred: { value: Tensor; variable: Variable }[] = [];
  /** For `explain()`: the variables that values are written to. */
  readonly #assigned = new Map<Tensor, string>();

  constructor(request: PlanRequest) {
    this.#request = request;
    this.#engine = request.engine;
    this.#places = new Places(this.#engine.profile, request.leafRange);
    const { outputs, effects } = request;
    const { roots, nodes } = simplify(
      [...outputs, ...effects.map(({ value }) => value)],
      this.#engine.profile,
    );
    // A result that is the old value of a variable is read after the run: it is copied before the update.
    const overwrittenLeaves = new Set(effects.map(({ variable }) => request.leafOf(variable)));
    const copyOf = new Map<Tensor, Tensor>();
    for (const [i, root] of roots.slice(0, outputs.length).entries()) {
      if (!overwrittenLeaves.has(root)) continue;
      const copy = copyOf.get(root) ?? new Tensor(root.shape, root.dtype, identity, [root]);
      if (!copyOf.has(root)) nodes.push(copy);
      copyOf.set(root, copy);
      roots[i] = copy;
    }
    for (const { op } of nodes) if (op?.library) this.#libraries.add(op.library);
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
      const order = this.#fuser.sorted();
      const blocked = inPlace.filter(
        ({ value }) =>
          !isLeaf(value) && overwritten.has(value) && (order === null || !this.#fuser.canOverwrite(value)),
      );
      if (blocked.length === 0) {
        this.#order = order!;
        break;
      }
      this.#deferred.push(...blocked);
      const aside = new Set(blocked);
      inPlace = inPlace.filter((effect) => !aside.has(effect));
    }
    for (const { variable, value } of inPlace) this.#places.settle(value, request.variableRange(variable));
    outputs.forEach((original, i) => {
      const range = request.direct?.get(original);
      if (range && !isLeaf(this.#outputs[i])) this.#places.settle(this.#outputs[i], range);
    });
  }

  async finish(): Promise<Plan> {
    const { engine, label } = this.#request;
    const groups = mergeUpdates(
      this.#order,
      this.#fuser,
      (tensor) => this.#places.bufferOf(tensor),
      (tensor) => this.#places.of(tensor),
    );
    this.#setLifetimes(groups);
    const stepPlaces = this.#places.unsettled();
    const arenaBytes = layOut(stepPlaces, !engine.options.debug?.noReuse);
    if (arenaBytes > 0) {
      const buffer = engine.stepArena(arenaBytes);
      for (const place of stepPlaces) place.range = { buffer, offset: place.offset, size: place.sizeBytes };
    }
    const writer = new CommandWriter(engine, this.#fuser, this.#places);
    const owned: BufferRange[] = [];
    try {
      const sketches = await this.#sketches(groups, writer, owned);
      verify(sketches.map(({ access }) => access));
      const recording = await engine.record(
        sketches.map(({ command }) => command),
        label,
      );
      const outputs = this.#outputs.map(
        (output) => this.#places.of(output).range ?? { buffer: null as never, offset: 0, size: 0 },
      );
      const plan = new Plan(this.#request, recording, outputs, arenaBytes, owned, () =>
        explainKernels({
          sketches,
          steps: recording.steps,
          fuser: this.#fuser,
          nameOf: (x) => this.#assigned.get(x) ?? ((isLeaf(x) && this.#request.nameOf?.(x)) || null),
        }),
      );
      plan.pinned = writer.pinned;
      return plan;
    } catch (error) {
      for (const range of owned) engine.free(range);
      throw error;
    }
  }

  /** The commands in order, with what they read and write. Tables that they need are added to `owned`. */
  async #sketches(
    groups: readonly UpdateGroup[],
    writer: CommandWriter,
    owned: BufferRange[],
  ): Promise<(Sketch & { readonly access: Access })[]> {
    const places = this.#places;
    const variants = await this.#variants(groups, writer);
    const sketches: (Sketch & { readonly access: Access })[] = [];
    // A kernel by itself binds each of its operands alone.
    for (const group of groups.flatMap((one) => (one.flat().length > 1 ? writer.parts(one) : [one]))) {
      const members = group.flat();
      const written = members.flatMap((kernel) => this.#written(kernel));
      if (written.every((tensor) => tensor.size === 0)) continue;
      const access: Access = {
        label: writer.label(members[0]),
        reads: members.flatMap((kernel) => [...this.#fuser.reads(kernel)].map((x) => places.of(x))),
        writes: written.map((tensor) => places.of(tensor)),
      };
      const { command, tuning } =
        members.length > 1
          ? { command: writer.update(group, owned) }
          : (variants.get(members[0]) ?? { command: writer.command(members[0]) });
      sketches.push({ command, formulas: group, written, tuning, access });
    }
    for (const { value, variable } of this.#deferred) {
      const from = places.of(value);
      const to = places.fixed(this.#request.variableRange(variable), value);
      const command = writer.copy(variable.name, from, to);
      const access = { label: command.label, reads: [from], writes: [to] };
      sketches.push({ command, formulas: [], written: [value], copied: value, access });
    }
    return sketches;
  }

  /** The variant of each family's kernel: the family's own choice, a pinned one, or what was measured. */
  async #variants(groups: readonly UpdateGroup[], writer: CommandWriter): Promise<Map<Kernel, Variant>> {
    const kernels = groups
      .flat(2)
      .filter((kernel) => kernel.family && this.#written(kernel).some(({ size }) => size > 0));
    await this.#load(writer, kernels);
    const tuned = kernels.filter(({ family }) => family!.candidates);
    const { onTune } = this.#request;
    const requests = tuned.map((kernel) => this.#tuningRequest(kernel, writer));
    const choices = await this.#engine.tuning.choose(requests, {
      shaders: fingerprint,
      measure: onTune !== undefined,
      progress: onTune,
    });
    const commands = await Promise.all(requests.map(({ command }, i) => command(choices[i].tuning)));
    return new Map(
      tuned.map((kernel, i) => {
        return [kernel, { command: commands[i], tuning: { family: kernel.family!.name, ...choices[i] } }];
      }),
    );
  }

  /** Loads the WGSL of these kernels and of all expressions, all of it at once: as families would have them, or in a variant. */
  async #load(writer: CommandWriter, kernels: readonly Kernel[], tuning?: Tuning): Promise<void> {
    const loading = loadKernels([
      ...this.#libraries,
      ...kernels.map((kernel) => writer.lowered(kernel, tuning).kernel),
    ]);
    await loaded(`${this.#request.label}: the WGSL of a kernel`, loading);
  }

  #tuningRequest(kernel: Kernel, writer: CommandWriter): TuningRequest {
    const family = kernel.family!;
    const { profile } = this.#engine;
    const call = writer.call(kernel);
    const standard = writer.lowered(kernel).tuning ?? {};
    const usual = writer.command(kernel);
    return {
      family: family.name,
      get key() {
        return tuningKey(family.name, call, usual.shader.holes);
      },
      standard,
      whole: (values) => writer.lowered(kernel, values).tuning ?? values,
      candidates: () => family.candidates!(profile, call),
      catalogue: () => family.candidates!(profile),
      refusal: family.refusal && ((tuning) => family.refusal!(profile, tuning)),
      command: async (tuning) => {
        if (tuning === standard) return usual;
        await this.#load(writer, [kernel], tuning);
        return writer.command(kernel, tuning);
      },
      writes: this.#written(kernel).map((tensor) => this.#places.of(tensor).range!),
    };
  }

  // ---- order and memory

  #setLifetimes(groups: readonly UpdateGroup[]): void {
    groups.forEach((formulas, time) => {
      for (const kernel of formulas.flat())
        for (const tensor of [...this.#fuser.reads(kernel), ...this.#written(kernel)]) {
          const place = this.#places.of(tensor);
          place.first = Math.min(place.first, time);
          place.last = Math.max(place.last, time);
        }
    });
    // What is read after the last kernel lives to the end.
    for (const tensor of [...this.#outputs, ...this.#deferred.map(({ value }) => value)])
      if (!isLeaf(tensor)) this.#places.of(tensor).last = groups.length;
  }

  /** The tensors that a kernel stores. */
  #written({ outputs, roots }: Kernel): Tensor[] {
    return [...outputs.values(), ...roots.map(({ tensor }) => tensor)].filter((tensor) =>
      this.#fuser.stored.has(tensor),
    );
  }
}
