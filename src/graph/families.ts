/**
 * Kernel ops that share a dispatch: nodes of one family with the same inputs are one kernel with several
 * outputs, and a node may be another family's by-product.
 */
import { familyOf } from '../ops/families/index.ts';
import type { Tensor } from '../ops/tensor.ts';
import { base, type Kernel } from './kernel.ts';
import { append, isLeaf, Ranks, underlying } from './order.ts';
import { attributesKey } from './simplify.ts';

type Inputs = ReadonlyMap<string, Tensor>;

/** The kernels of all kernel ops of a graph. */
export class Families {
  kernels: Kernel[] = [];
  readonly producer = new Map<Tensor, Kernel>();
  /** Nodes; those that one kernel makes are one, under the name of its first. */
  readonly #ranks: Ranks<Tensor>;
  /** Kernels by what they read through their first inputs; and by all that they read. */
  readonly #reading = new Map<string, Kernel[]>();
  /** Kernels by their age. */
  readonly #made = new Map<Kernel, number>();

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
      const inputs = new Map(node.inputs.map((x, i) => [names[i], x]));
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
      this.#enlist(kernel);
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
    for (const [name, input] of inputs) kernel.inputs.set(name, input);
    if (inputs.size > 0) this.#enlist(kernel);
    kernel.order = Math.max(kernel.order, order);
    this.producer.set(node, kernel);
    this.#ranks.unite(first, node);
  }

  /** Neither does the node depend on a result of the kernel nor the other way round, also by way of other merged kernels. */
  #independent({ outputs }: Kernel, node: Tensor): boolean {
    const [first] = outputs.values();
    return !this.#ranks.needs(node, first) && !this.#ranks.needs(first, node);
  }

  /**
   * Kernels that read the same through all inputs that they and these have, in the order they were made. Ops of one
   * family name their inputs in one order: one has more of them than another.
   */
  #candidates(family: string, inputs: Inputs): Kernel[] {
    const [all, ...fewer] = prefixes(family, inputs).reverse();
    const found = [all, ...fewer.map((key) => `${key}.`)].flatMap((key) => this.#reading.get(key) ?? []);
    return found.sort((a, b) => this.#made.get(a)! - this.#made.get(b)!);
  }

  #enlist(kernel: Kernel): void {
    const keys = prefixes(kernel.family!.name, kernel.inputs);
    for (const key of [...keys, `${keys.at(-1)}.`]) append(this.#reading, key, kernel);
  }
}

function prefixes(family: string, inputs: Inputs): string[] {
  let key = family;
  return [...inputs].map(([name, x]) => (key += ` ${name}=${readKey(x)}`));
}

/** What an input reads. The same bytes in another shape are something else: a family's rows end elsewhere. */
const readKey = (x: Tensor): string => `${base(x).id}${x.dtype}[${x.shape}]`;

const sharesInputs = (a: Inputs, b: Inputs): boolean =>
  [...b].every(([name, x]) => !a.has(name) || readKey(a.get(name)!) === readKey(x));
