/**
 * Kernel ops that share a dispatch: nodes of one family with the same inputs are one kernel with several
 * outputs, and a node may be another family's by-product.
 */
import { familyOf } from '../ops/families/index.ts';
import { sameShape } from '../ops/shape.ts';
import type { Tensor } from '../ops/tensor.ts';
import { base, type Kernel } from './kernel.ts';
import { append, isLeaf, Ranks } from './order.ts';
import { attributesKey } from './simplify.ts';

type Inputs = ReadonlyMap<string, Tensor>;

/** The kernels of all kernel ops of a graph. */
export class Families {
  kernels: Kernel[] = [];
  readonly producer = new Map<Tensor, Kernel>();
  /** Nodes; those that one kernel makes are one, under the name of its first. */
  readonly #ranks: Ranks<Tensor>;
  /** Kernels by family, the name of an input and what it reads; a search through all would take a square of their number. */
  readonly #reading = new Map<string, Kernel[]>();
  /** Kernels by their age. */
  readonly #made = new Map<Kernel, number>();
  /** How many kernels a family has, and how many of them have an input of that name. */
  readonly #count = new Map<string, number>();

  /** `nodes`: inputs before users; `users` of each. */
  constructor(nodes: readonly Tensor[], users: ReadonlyMap<Tensor, readonly Tensor[]>) {
    const first = (x: Tensor): Tensor => this.producer.get(x)?.outputs.values().next().value ?? x;
    const members = (x: Tensor): Iterable<Tensor> => this.producer.get(x)?.outputs.values() ?? [x];
    this.#ranks = new Ranks(
      nodes,
      (x) => [...members(x)].flatMap((one) => (isLeaf(one) ? [] : one.inputs.map(first))),
      (x) => [...members(x)].flatMap((one) => (users.get(one) ?? []).map(first)),
    );
    for (const [order, node] of nodes.entries()) {
      if (isLeaf(node) || !node.op!.kernel) continue;
      const { inputs: names, output } = node.op!.kernel;
      const family = familyOf(node.op!.kernel);
      const inputs = new Map(names.map((name, i) => [name, node.inputs[i]]));
      const attributes = attributesKey(node.attributes);
      const sibling = this.#candidates(family.name, inputs).find(
        (kernel) =>
          kernel.family === family &&
          !kernel.outputs.has(output) &&
          sharesInputs(kernel.inputs, inputs) &&
          attributesKey(kernel.attributes) === attributes &&
          this.#independent(kernel, node),
      );
      if (sibling) {
        this.#add(sibling, node, order, output, inputs);
        continue;
      }
      const kernel: Kernel = {
        order,
        family,
        attributes: node.attributes,
        inputs: new Map(inputs),
        outputs: new Map([[output, node]]),
        roots: [],
      };
      this.kernels.push(kernel);
      this.producer.set(node, kernel);
      this.#made.set(kernel, order);
      this.#count.set(family.name, (this.#count.get(family.name) ?? 0) + 1);
      this.#enlist(kernel, inputs);
    }
    this.#takeByProducts();
  }

  /** A node may be another family's by-product: a column sum that a matrix product meets on its way. */
  #takeByProducts(): void {
    const readers = new Map<Tensor, Kernel[]>();
    for (const kernel of this.kernels)
      for (const bytes of new Set([...kernel.inputs.values()].map(underlying)))
        append(readers, bytes, kernel);
    for (const kernel of this.kernels) {
      if (kernel.outputs.size !== 1) continue;
      const [node] = kernel.outputs.values();
      if (!node.op!.join) continue;
      const hosts = new Set(node.inputs.flatMap((input) => readers.get(underlying(input)) ?? []));
      for (const host of [...hosts].sort((a, b) => this.#made.get(a)! - this.#made.get(b)!)) {
        if (host === kernel || !this.#made.has(host)) continue;
        const anchor = [...host.outputs.values()].find((one) => familyOf(one.op!.kernel!) === host.family);
        const output = anchor ? node.op!.join(node, anchor) : null;
        if (output === null || host.outputs.has(output) || !this.#independent(host, node)) continue;
        this.#add(host, node, kernel.order, output, new Map());
        this.#made.delete(kernel);
        break;
      }
    }
    this.kernels = this.kernels.filter((kernel) => this.#made.has(kernel));
  }

  #add(kernel: Kernel, node: Tensor, order: number, output: string, inputs: Inputs): void {
    const [first] = kernel.outputs.values();
    kernel.outputs.set(output, node);
    const fresh = new Map([...inputs].filter(([name]) => !kernel.inputs.has(name)));
    for (const [name, input] of inputs) kernel.inputs.set(name, input);
    this.#enlist(kernel, fresh);
    kernel.order = Math.max(kernel.order, order);
    this.producer.set(node, kernel);
    this.#ranks.unite(first, node);
  }

  /** Neither does the node depend on a result of the kernel nor the other way round, also by way of other merged kernels. */
  #independent({ outputs }: Kernel, node: Tensor): boolean {
    const [first] = outputs.values();
    return !this.#ranks.needs(node, first) && !this.#ranks.needs(first, node);
  }

  /** The kernels that may have all inputs in common that they and these have names for, in the order they were made. */
  #candidates(family: string, inputs: Inputs): Kernel[] {
    const lists = [...inputs].map(([name, x]) => ({
      ofAll: this.#count.get(`${family}.${name}`) === this.#count.get(family),
      kernels: this.#reading.get(readKey(family, name, x)) ?? [],
    }));
    // Whoever has something in common has it in each list of an input that all kernels of the family have.
    const [shortest] = lists.filter(({ ofAll }) => ofAll).sort((a, b) => a.kernels.length - b.kernels.length);
    const found = shortest?.kernels ?? [...new Set(lists.flatMap(({ kernels }) => kernels))];
    return [...found].sort((a, b) => this.#made.get(a)! - this.#made.get(b)!);
  }

  #enlist(kernel: Kernel, inputs: Inputs): void {
    const family = kernel.family!.name;
    const count = (key: string) => this.#count.set(key, (this.#count.get(key) ?? 0) + 1);
    for (const [name, x] of inputs) {
      count(`${family}.${name}`);
      append(this.#reading, readKey(family, name, x), kernel);
    }
  }
}

/** What an input reads. The same bytes in another shape are something else: a family's rows end elsewhere. */
const readKey = (family: string, name: string, x: Tensor): string =>
  `${family}.${name} ${base(x).id} ${x.dtype}[${x.shape}]`;

/** Do the inputs of one name read the same, and is there one? */
function sharesInputs(a: Inputs, b: Inputs): boolean {
  const shared = [...b].filter(([name]) => a.has(name));
  return (
    shared.length > 0 &&
    shared.every(([name, x]) => base(a.get(name)!) === base(x) && sameShape(a.get(name)!.shape, x.shape))
  );
}

/** The tensor behind all views of its bytes, also behind those that have memory already. */
function underlying(x: Tensor): Tensor {
  let at = x;
  while (at.op?.alias) at = at.inputs[0];
  return at;
}
