/**
 * From nodes to kernels.
 *
 * 1. Kernel ops of one family with the same inputs become one kernel with several outputs (families.ts).
 *    A short sum that only an in-place update asks for becomes a loop there.
 * 2. Each expression is either computed where it is used or given memory (`materialised`).
 * 3. Materialised expressions become elementwise kernels, and those melt into the kernel that makes
 *    what they read, as long as no detour through another kernel would turn into a circle.
 *
 * Nothing here knows a model: only ops, sizes and who reads whom.
 */
import type { Profile } from '../engine/profile.ts';
import type { Tensor } from '../ops/tensor.ts';
import { Families } from './families.ts';
import { Generator, type Source } from './generate.ts';
import { type Kernel, STORAGE_BUFFERS } from './kernel.ts';
import { append, inOrder, isLeaf, Ranks } from './order.ts';
import { packedReads } from './packed.ts';

/**
 * Which elements of which sources one expression reads: for every source, the index expressions with
 * which it is read when the result is at element `i`.
 */
function accesses(root: Tensor, isSource: (x: Tensor) => boolean): Map<Tensor, Set<string>> {
  const found = new Map<Tensor, Set<string>>();
  class Probe extends Generator {
    override load(source: Source, index: string): string {
      const seen = found.get(source.tensor) ?? new Set();
      found.set(source.tensor, seen.add(index));
      return super.load(source, index);
    }
  }
  const probe = new Probe((x) => (x !== root && isSource(x) ? { key: x, tensor: x } : null));
  probe.scope(() => probe.value(root, 'i'));
  return found;
}

/**
 * Ops that a kernel computes at most in one loop or hole. What goes on and on is cut by memory: text grows with it,
 * and with the text what drivers take to compile, which is more than linear; and what walks through it recurses.
 */
const MOST_OPS = 256;

interface Cost {
  readonly loads: number;
  readonly steps: number;
}

/** What a kernel reads from memory, and what it computes on the way. */
interface Needs {
  readonly reads: ReadonlySet<Tensor>;
  readonly computes: ReadonlySet<Tensor>;
}

/** What a plan's nodes become. */
export class Fuser {
  kernels: Kernel[] = [];
  /** Which kernel makes a tensor that has memory. */
  producer = new Map<Tensor, Kernel>();
  /** Tensors that need memory: made by one kernel and read by another, or asked for. */
  readonly stored = new Set<Tensor>();
  readonly #nodes: readonly Tensor[];
  readonly #users = new Map<Tensor, Tensor[]>();
  readonly #wanted: ReadonlySet<Tensor>;
  readonly #needed = new Map<Kernel, Needs>();
  /** Which kernels read a tensor, and what each of them was noted for. */
  readonly #readers = new Map<Tensor, Set<Kernel>>();
  readonly #noted = new Map<Kernel, ReadonlySet<Tensor>>();
  /** Kernels that became a part of others. */
  readonly #absorbed = new Set<Kernel>();
  #ranks!: Ranks<Kernel>;
  readonly #accesses = new Map<Tensor, Map<Tensor, Set<string>>>();
  /** Expressions that kernels compute as they read rows of packed bytes. */
  readonly #packed: ReadonlyMap<Tensor, ReadonlySet<Kernel>>;
  /** Kernel ops that are computed where they are used. */
  readonly #short = new Set<Tensor>();
  /** Expressions that get memory because so much is behind them. */
  readonly #cuts: ReadonlySet<Tensor>;
  /** Leaves that a kernel overwrites, by the effect's value, and the other way round. */
  readonly #overwrites: ReadonlyMap<Tensor, Tensor>;
  readonly #overwriter: ReadonlyMap<Tensor, Tensor>;

  /**
   * `wanted`: tensors that must have memory in the end. `overwritten` gives, for the value of an in-place
   * effect, the leaf whose memory it will take.
   */
  constructor(
    nodes: readonly Tensor[],
    wanted: ReadonlySet<Tensor>,
    overwritten: ReadonlyMap<Tensor, Tensor>,
    profile: Profile,
  ) {
    this.#nodes = nodes;
    this.#wanted = wanted;
    this.#overwrites = overwritten;
    this.#overwriter = new Map([...overwritten].map(([value, leaf]) => [leaf, value]));
    for (const node of nodes)
      if (!isLeaf(node)) for (const input of new Set(node.inputs)) append(this.#users, input, node);
    const families = new Families(nodes, this.#users);
    const kernels = families.kernels.filter((kernel) => !this.#isShort(kernel, families));
    this.#cuts = this.#tooLarge();
    const hasMemory = (x: Tensor) => isLeaf(x) || families.producer.has(x) || this.#cuts.has(x);
    this.#packed = packedReads(kernels, hasMemory, profile);
    const forced = new Set(this.#cuts);
    for (;;) {
      this.kernels = [...kernels];
      this.producer = new Map(families.producer);
      this.#needed.clear();
      this.#formExpressions(forced);
      this.#readers.clear();
      for (const kernel of this.kernels) this.#note(kernel);
      const heavy = this.#overBudget();
      if (heavy.size === 0) break;
      for (const node of heavy) forced.add(node);
    }
    this.#ranks = new Ranks(
      this.sorted(),
      (kernel) => this.predecessors(kernel),
      (kernel) => this.#successors(kernel),
    );
    this.#meltAll();
    this.#joinSiblings();
    this.#findStored();
  }

  /** Kernels so that each comes after what it needs, otherwise in the user's order; null when there is a circle. */
  sorted(): Kernel[] | null {
    return inOrder(
      new Map(this.kernels.map((kernel) => [kernel, this.predecessors(kernel)])),
      ({ order }) => order,
    );
  }

  /** What the kernel reads from memory. */
  reads(kernel: Kernel): ReadonlySet<Tensor> {
    return this.#needsOf(kernel).reads;
  }

  #needsOf(kernel: Kernel): Needs {
    let needs = this.#needed.get(kernel);
    if (!needs) {
      needs = this.#needs(startsOf(kernel), kernel);
      this.#needed.set(kernel, needs);
    }
    return needs;
  }

  /** What a kernel reads from memory, and what it computes on the way, to have all of `wanted` at hand. */
  #needs(wanted: readonly Tensor[], kernel: Kernel): Needs {
    const reads = new Set<Tensor>();
    const computes = new Set<Tensor>();
    const stack = [...wanted].reverse();
    for (let node = stack.pop(); node; node = stack.pop()) {
      const maker = this.producer.get(node);
      if (maker === kernel || computes.has(node)) continue;
      if (maker || isLeaf(node)) reads.add(node);
      else {
        computes.add(node);
        for (let i = node.inputs.length - 1; i >= 0; i--) stack.push(node.inputs[i]);
      }
    }
    return { reads, computes };
  }

  /** Notes who reads what, also when that has changed. */
  #note(kernel: Kernel): void {
    this.#forget(kernel);
    const reads = this.reads(kernel);
    this.#noted.set(kernel, reads);
    for (const read of reads) {
      const readers = this.#readers.get(read);
      if (readers) readers.add(kernel);
      else this.#readers.set(read, new Set([kernel]));
    }
  }

  #forget(kernel: Kernel): void {
    for (const read of this.#noted.get(kernel) ?? []) this.#readers.get(read)?.delete(kernel);
    this.#noted.delete(kernel);
  }

  // ---- 1. families

  /** Does only one small in-place update ask for the kernel's single, short result? Then it is an expression. */
  #isShort(kernel: Kernel, { producer }: Families): boolean {
    const [node] = kernel.outputs.values();
    if (kernel.outputs.size > 1 || !node.op!.short?.(node) || this.#wanted.has(node)) return false;
    const users = [...(this.#users.get(node) ?? [])];
    const updates = new Set<Tensor>();
    const seen = new Set<Tensor>();
    for (let user = users.pop(); user; user = users.pop()) {
      if (user.op!.kernel) return false;
      if (seen.has(user)) continue;
      seen.add(user);
      if (this.#wanted.has(user)) updates.add(user);
      else users.push(...(this.#users.get(user) ?? []));
    }
    const [update] = updates;
    if (updates.size !== 1 || !this.#overwrites.has(update) || update.size > 16) return false;
    this.#short.add(node);
    producer.delete(node);
    return true;
  }

  /** Has the node a kernel with a shader of its own? */
  #hasShader(node: Tensor): boolean {
    return node.op!.kernel !== undefined && !this.#short.has(node);
  }

  // ---- 2. expressions

  /** Has the node memory whatever else is decided? */
  #isSource(node: Tensor): boolean {
    return isLeaf(node) || this.#hasShader(node) || node.op!.stored !== undefined || this.#wanted.has(node);
  }

  /** Expressions behind which there are so many ops that they are a kernel's full measure. */
  #tooLarge(): Set<Tensor> {
    const cuts = new Set<Tensor>();
    const ends = (node: Tensor) => this.#isSource(node) || cuts.has(node);
    /** At most so many ops are behind a node. */
    const most = new Map<Tensor, number>();
    for (const node of this.#nodes) {
      if (isLeaf(node) || this.#hasShader(node)) continue;
      let count = 1;
      for (const input of node.inputs) if (!ends(input)) count += most.get(input)!;
      // What is used twice was counted twice.
      if (count >= MOST_OPS) count = opsBehind(node, ends);
      if (count >= MOST_OPS && !node.op!.alias) cuts.add(node);
      most.set(node, count);
    }
    return cuts;
  }

  #formExpressions(forced: ReadonlySet<Tensor>): void {
    const costs = this.#costs();
    /** Who would compute the expression if it had no memory. */
    const owners = new Map<Tensor, Set<Tensor | Kernel>>();
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i];
      if (isLeaf(node) || this.#hasShader(node)) continue;
      const own = new Set<Tensor | Kernel>();
      for (const user of this.#users.get(node) ?? []) {
        const maker = this.producer.get(user);
        if (maker?.family) own.add(maker);
        else if (maker || this.#short.has(user)) own.add(user);
        else for (const owner of owners.get(user) ?? []) own.add(owner);
      }
      owners.set(node, own);
      if (forced.has(node) || this.#wanted.has(node) || this.#needsMemory(node, own, costs)) {
        const kernel: Kernel = {
          order: i,
          family: null,
          attributes: {},
          inputs: new Map(),
          outputs: new Map(),
          roots: [{ tensor: node, host: null }],
        };
        this.kernels.push(kernel);
        this.producer.set(node, kernel);
      }
    }
    this.kernels.sort((a, b) => a.order - b.order);
  }

  #needsMemory(
    node: Tensor,
    owners: ReadonlySet<Tensor | Kernel>,
    costs: ReadonlyMap<Tensor, Cost>,
  ): boolean {
    if (node.op!.alias) return false;
    if (node.op!.stored) return true;
    const { loads, steps } = costs.get(node)!;
    const packed = this.#packed.get(node);
    for (const owner of owners) {
      if (packed?.has(owner as Kernel)) continue;
      const family = 'family' in owner ? owner.family : null;
      if (family?.readsOften && !(loads <= 1 && steps <= 3)) return true;
      if (!family && this.#short.has(owner as Tensor) && steps > 1 && this.#continuesKernel(node))
        return true;
    }
    // Computing twice costs less than a dispatch and a trip through memory, when it is this little.
    const copies = [...owners].filter((owner) => !packed?.has(owner as Kernel)).length;
    if (owners.size > 1 && copies > 0 && !(loads <= 3 && steps <= 12)) return true;
    // A small tensor repeated many times: compute it once rather than at every element. Row numbers are
    // exempt: four neighbours share them anyway.
    if (node.dtype !== 'f32') return false;
    const users = this.#users.get(node) ?? [];
    const widest = Math.max(0, ...users.map((user) => user.size));
    return node.size > 1 && widest > 65_536 && widest >= 16 * node.size && steps >= 2;
  }

  /** Does the node go on, at the same element, from what a kernel makes? Then it costs little to compute it there. */
  #continuesKernel(node: Tensor): boolean {
    const found = accesses(node, (x) => isLeaf(x) || this.producer.has(x) || this.#cuts.has(x));
    return [...found].some(
      ([source, indices]) =>
        this.producer.get(source)?.family && source.size === node.size && onlyAtOwnPlace(indices, source),
    );
  }

  /** Loads and steps per element, were everything up to leaves and kernels computed in place. */
  #costs(): Map<Tensor, Cost> {
    const costs = new Map<Tensor, Cost>();
    for (const node of this.#nodes) {
      if (isLeaf(node) || this.#hasShader(node) || node.op!.stored)
        costs.set(node, { loads: node.size === 1 ? 0 : 1, steps: 0 });
      else {
        let loads = 0;
        let steps = node.op!.alias ? 0 : (node.op!.steps ?? 1);
        for (const input of node.inputs) {
          loads += costs.get(input)!.loads;
          steps += costs.get(input)!.steps;
        }
        costs.set(node, { loads: Math.min(loads, 1e6), steps: Math.min(steps, 1e6) });
      }
    }
    return costs;
  }

  /** Inlined expressions to give memory to, where kernels read from too many places: one for each kernel. */
  #overBudget(): Set<Tensor> {
    const found = new Set<Tensor>();
    for (const kernel of this.kernels) {
      if (this.#buffers(kernel) <= STORAGE_BUFFERS) continue;
      const { computes } = this.#needsOf(kernel);
      // Where one of its expressions gets memory already, that may do.
      if (found.size > 0 && [...computes].some((node) => found.has(node))) continue;
      let heaviest: Tensor | null = null;
      let most = 1;
      for (const node of computes) {
        const { size } = this.#needs(node.inputs, kernel).reads;
        if (!node.op!.alias && size > most && size < STORAGE_BUFFERS) [heaviest, most] = [node, size];
      }
      if (heaviest) found.add(heaviest);
    }
    return found;
  }

  /** How many buffers the kernel binds; `melting` is about to become a part of it. */
  #buffers(kernel: Kernel, melting: Kernel | null = null): number {
    const places = new Set<unknown>(this.reads(kernel));
    for (const { tensor } of kernel.roots) places.add(this.#overwrites.get(tensor) ?? tensor);
    for (const tensor of kernel.outputs.values()) {
      const isRead = () =>
        [...(this.#readers.get(tensor) ?? [])].some((other) => other !== kernel && other !== melting);
      if (this.#wanted.has(tensor) || isRead()) places.add(tensor);
    }
    return places.size;
  }

  /** How much the kernel computes beside what its family does. */
  #ops(kernel: Kernel): number {
    return this.#needsOf(kernel).computes.size + kernel.roots.length;
  }

  // ---- 3. melting

  #meltAll(): void {
    const repeated = this.#repeatedUpdates();
    for (const kernel of [...this.kernels])
      if (!kernel.family && kernel.roots.length === 1)
        this.#melt(kernel, repeated.has(kernel.roots[0].tensor) ? 'elementwise' : 'any');
    // What dropout draws is wanted on the way back as well: the product before it can store both. Updates stay out, as above.
    for (const kernel of this.kernels)
      if (!kernel.family && kernel.roots.length > 1 && !this.#absorbed.has(kernel) && !this.updates(kernel))
        this.#melt(kernel, 'family');
    this.kernels = this.kernels.filter((kernel) => !this.#absorbed.has(kernel));
  }

  /**
   * In-place updates that come in several of one structure: an optimizer's. They stay out of the kernels
   * that make their gradients, so that all of them can become one dispatch (update.ts).
   */
  #repeatedUpdates(): Set<Tensor> {
    const byText = new Map<string, Tensor[]>();
    for (const value of this.#overwrites.keys()) {
      if (isLeaf(value)) continue;
      const generator = new Generator((x) =>
        x !== value && (isLeaf(x) || this.producer.has(x)) ? { key: x, tensor: x } : null,
      );
      const { prologue, body } = generator.loop(() => {
        generator.value(value, 'i');
      });
      append(byText, `${prologue}\n${body}`, value);
    }
    const repeated = new Set([...byText.values()].filter((values) => values.length > 1).flat());
    // What such an update computes on the way stays out as well.
    const stack = [...repeated];
    for (let node = stack.pop(); node; node = stack.pop())
      for (const input of node.inputs) {
        if (isLeaf(input) || this.#hasShader(input) || input.op!.loops || repeated.has(input)) continue;
        repeated.add(input);
        // What a short sum adds up is no part of the formula.
        if (!this.#short.has(input)) stack.push(input);
      }
    return repeated;
  }

  /** Moves a kernel's expressions into the latest one, of some kind, that makes what they read at their own places. */
  #melt(kernel: Kernel, kind: 'any' | 'elementwise' | 'family'): void {
    const tensors = kernel.roots.map(({ tensor }) => tensor);
    if (storesBytes(kernel)) return;
    const makers = new Set<Kernel>();
    for (const tensor of tensors)
      for (const source of this.pattern(tensor).keys()) {
        const maker = this.producer.get(source);
        if (maker && maker !== kernel) makers.add(maker);
      }
    for (const host of [...makers].sort((a, b) => b.order - a.order)) {
      if (kind !== 'any' && (kind === 'family') !== (host.family !== null)) continue;
      if (storesBytes(host)) continue;
      const place = this.#placeIn(host, tensors);
      if (place === undefined || !tensors.every((tensor) => this.#mayOverwrite(host, tensor))) continue;
      if (this.#ranks.needs(kernel, host, true)) continue;
      const before = this.#needsOf(host);
      for (const tensor of tensors) {
        host.roots.push({ tensor, host: place });
        this.producer.set(tensor, host);
      }
      this.#needed.delete(host);
      if (this.#buffers(host, kernel) <= STORAGE_BUFFERS && this.#ops(host) <= MOST_OPS) {
        this.#absorb(host, kernel);
        return;
      }
      host.roots.length -= tensors.length;
      for (const tensor of tensors) this.producer.set(tensor, kernel);
      this.#needed.set(host, before);
    }
  }

  /** The kernel is a part of `host` now. */
  #absorb(host: Kernel, kernel: Kernel): void {
    host.order = Math.max(host.order, kernel.order);
    this.#absorbed.add(kernel);
    this.#forget(kernel);
    this.#note(host);
    this.#ranks.unite(host, kernel);
  }

  /**
   * Elementwise kernels of one size that read one tensor read it together: a weight's update and its slots'.
   * Scalars need nothing in common: counters and rates that a step moves on are one kernel.
   */
  #joinSiblings(): void {
    const readersOf = new Map<Tensor, Kernel[]>();
    const scalars: Kernel[] = [];
    for (const kernel of [...this.kernels]) {
      if (kernel.family) continue;
      const { size } = kernel.roots[0].tensor;
      if (storesBytes(kernel)) continue;
      const shared = size === 1 ? [] : [...this.reads(kernel)].filter((read) => read.size >= size);
      const hosts = size === 1 ? scalars : new Set(shared.flatMap((read) => readersOf.get(read) ?? []));
      const host = [...hosts].find((one) => this.#joins(one, kernel, size));
      if (!host) {
        if (size === 1) scalars.push(kernel);
        for (const read of shared) append(readersOf, read, kernel);
        continue;
      }
      host.roots.push(...kernel.roots);
      for (const { tensor } of kernel.roots) this.producer.set(tensor, host);
      this.#needed.delete(host);
      this.#absorb(host, kernel);
    }
    this.kernels = this.kernels.filter((kernel) => !this.#absorbed.has(kernel));
  }

  /** May the roots of `kernel` be computed in `host`'s loop? */
  #joins(host: Kernel, kernel: Kernel, size: number): boolean {
    if (host.roots[0].tensor.size !== size) return false;
    const roots = [...host.roots, ...kernel.roots].map(({ tensor }) => tensor);
    const places = new Set<Tensor>([...this.reads(host), ...this.reads(kernel)]);
    for (const root of roots) places.add(this.#overwrites.get(root) ?? root);
    if (places.size > STORAGE_BUFFERS || this.#ops(host) + this.#ops(kernel) > MOST_OPS) return false;
    const overwritten = new Set(roots.map((root) => this.#overwrites.get(root)));
    // Updates of a weight and its slots may read a gradient that still lies in parts.
    const updating = !overwritten.has(undefined);
    for (const root of roots)
      for (const [source, indices] of this.pattern(root)) {
        const maker = this.producer.get(source);
        const own = this.producer.get(root);
        if (maker !== own && (maker === host || maker === kernel)) return false;
        if (!onlyAtOwnPlace(indices, source) && (!updating || overwritten.has(source))) return false;
        // A scalar that one of them overwrites would be read before or after by chance.
        if (size > 1 && source.size === 1 && overwritten.has(source)) return false;
      }
    // Melting the two would make a circle with what is between them.
    return !this.#ranks.needs(kernel, host, true) && !this.#ranks.needs(host, kernel, true);
  }

  /** The one output in whose store the expressions can be computed, null for an elementwise host, undefined for none. */
  #placeIn(host: Kernel, tensors: readonly Tensor[]): string | null | undefined {
    let place: string | null | undefined;
    for (const tensor of tensors) {
      if (tensor.size !== tensors[0].size) return undefined;
      for (const [source, indices] of this.pattern(tensor)) {
        if (this.producer.get(source) !== host) continue;
        if (source.size !== tensor.size) return undefined;
        for (const index of indices)
          if (index !== 'i' && !(tensor.size === 1 && index === '0u')) return undefined;
        const root = host.roots.find((one) => one.tensor === source);
        const output = root ? root.host : [...host.outputs].find(([, one]) => one === source)![0];
        if (place !== undefined && place !== output) return undefined;
        place = output;
      }
    }
    return place;
  }

  /** The kernels that must run before this one. */
  predecessors(kernel: Kernel): Set<Kernel> {
    const before = new Set<Kernel>();
    for (const read of this.reads(kernel)) {
      const maker = this.producer.get(read);
      if (maker) before.add(maker);
    }
    // Whoever reads a variable's old value comes before the kernel that overwrites it.
    for (const tensor of madeBy(kernel)) {
      const leaf = this.#overwrites.get(tensor);
      if (leaf) for (const other of this.#readers.get(leaf) ?? []) before.add(other);
    }
    before.delete(kernel);
    return before;
  }

  /** The kernels of which this one is a predecessor. */
  #successors(kernel: Kernel): Set<Kernel> {
    const after = new Set<Kernel>();
    for (const tensor of madeBy(kernel))
      for (const other of this.#readers.get(tensor) ?? []) after.add(other);
    for (const read of this.reads(kernel)) {
      const value = this.#overwriter.get(read);
      const maker = value && this.producer.get(value);
      if (maker) after.add(maker);
    }
    after.delete(kernel);
    return after;
  }

  /** A value may be written over a variable inside `host` only if host reads that variable nowhere else. */
  #mayOverwrite(host: Kernel, value: Tensor): boolean {
    const leaf = this.#overwrites.get(value);
    if (!leaf) return true;
    if (this.#needs([...host.inputs.values()], host).reads.has(leaf)) return false;
    const roots = [value, ...host.roots.map(({ tensor }) => tensor)];
    return roots.every((tensor) => onlyAtOwnPlace(this.pattern(tensor).get(leaf), leaf));
  }

  /** How an expression reads its sources: see `accesses`. */
  pattern(tensor: Tensor): ReadonlyMap<Tensor, ReadonlySet<string>> {
    let found = this.#accesses.get(tensor);
    if (!found) {
      found = accesses(tensor, (x) => isLeaf(x) || this.producer.has(x));
      this.#accesses.set(tensor, found);
    }
    return found;
  }

  /** May the kernel that makes `value` write it over `leaf` directly? */
  canOverwrite(value: Tensor): boolean {
    return this.#mayOverwrite(this.producer.get(value)!, value);
  }

  /** Is it an elementwise kernel that updates something in place? */
  updates(kernel: Kernel): boolean {
    return !kernel.family && kernel.roots.some(({ tensor }) => this.#overwrites.has(tensor));
  }

  #findStored(): void {
    for (const kernel of this.kernels)
      for (const read of this.reads(kernel)) if (this.producer.has(read)) this.stored.add(read);
    for (const tensor of this.#wanted) if (this.producer.has(tensor)) this.stored.add(tensor);
  }
}

const onlyAtOwnPlace = (indices: ReadonlySet<string> | undefined, leaf: Tensor): boolean =>
  !indices || [...indices].every((index) => index === 'i' || leaf.size === 1);

/** A kernel that packs bytes has one result, four elements of which are one word. */
const storesBytes = ({ roots }: Kernel): boolean => roots.some(({ tensor }) => tensor.dtype === 'u8');

const madeBy = ({ outputs, roots }: Kernel): Tensor[] => [
  ...outputs.values(),
  ...roots.map(({ tensor }) => tensor),
];

/** How many ops are behind a node up to where others begin, itself included; at most `MOST_OPS`. */
function opsBehind(node: Tensor, ends: (x: Tensor) => boolean): number {
  const seen = new Set([node]);
  for (const one of seen) {
    for (const input of one.inputs) if (!ends(input)) seen.add(input);
    if (seen.size >= MOST_OPS) return MOST_OPS;
  }
  return seen.size;
}

/** Where a kernel's expressions begin: its family's inputs, and what its roots are made from. */
const startsOf = ({ inputs, roots }: Kernel): Tensor[] => [
  ...inputs.values(),
  ...roots.flatMap(({ tensor }) => tensor.inputs),
];
