/**
 * Kernel ops that share a dispatch: nodes of one family with the same inputs are one kernel with several
 * outputs, and a node may be another family's by-product.
 */
import { familyOf } from '../ops/families/index.ts';
import type { Attributes, Tensor } from '../ops/tensor.ts';
import { base, type Kernel } from './kernel.ts';
import { isLeaf } from './order.ts';

/** The kernels of all kernel ops of a graph (`nodes`: inputs before users). */
export class Families {
  readonly kernels: Kernel[] = [];
  readonly producer = new Map<Tensor, Kernel>();

  constructor(nodes: readonly Tensor[]) {
    const found = this.kernels;
    for (const [order, node] of nodes.entries()) {
      if (isLeaf(node) || !node.op!.kernel) continue;
      const { inputs: names, output } = node.op!.kernel;
      const family = familyOf(node.op!.kernel);
      const inputs = new Map(names.map((name, i) => [name, node.inputs[i]]));
      const sibling = found.find(
        (kernel) =>
          kernel.family === family &&
          !kernel.outputs.has(output) &&
          shareInputs(kernel.inputs, inputs) &&
          sameAttributes(kernel.attributes, node.attributes) &&
          this.#independent(kernel, node),
      );
      if (sibling) this.#add(sibling, node, order, output, inputs);
      else {
        const kernel: Kernel = {
          order,
          family,
          attributes: node.attributes,
          inputs: new Map(inputs),
          outputs: new Map([[output, node]]),
          roots: [],
        };
        found.push(kernel);
        this.producer.set(node, kernel);
      }
    }
    // A node may be another family's by-product: a column sum that a matrix product meets on its way.
    for (const kernel of [...found]) {
      if (kernel.outputs.size !== 1) continue;
      const [node] = kernel.outputs.values();
      if (!node.op!.join) continue;
      for (const host of found) {
        if (host === kernel || host.outputs.size === 0) continue;
        const anchor = [...host.outputs.values()].find((one) => familyOf(one.op!.kernel!) === host.family);
        const output = anchor ? node.op!.join(node, anchor) : null;
        if (output === null || host.outputs.has(output) || !this.#independent(host, node)) continue;
        this.#add(host, node, kernel.order, output, new Map());
        found.splice(found.indexOf(kernel), 1);
        break;
      }
    }
  }

  #add(
    kernel: Kernel,
    node: Tensor,
    order: number,
    output: string,
    inputs: ReadonlyMap<string, Tensor>,
  ): void {
    kernel.outputs.set(output, node);
    for (const [name, input] of inputs) kernel.inputs.set(name, input);
    kernel.order = Math.max(kernel.order, order);
    this.producer.set(node, kernel);
  }

  /** Neither does the node depend on a result of the kernel nor the other way round, also by way of other merged kernels. */
  #independent(kernel: Kernel, node: Tensor): boolean {
    const members = new Set(kernel.outputs.values());
    return !this.#dependsOn([node], members) && !this.#dependsOn([...members], new Set([node]));
  }

  #dependsOn(from: readonly Tensor[], targets: ReadonlySet<Tensor>): boolean {
    const seen = new Set<Tensor>();
    const stack = from.flatMap((node) => (isLeaf(node) ? [] : [...node.inputs]));
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (targets.has(node)) return true;
      if (seen.has(node) || isLeaf(node)) continue;
      seen.add(node);
      stack.push(...node.inputs);
      // What else the kernel of this node needs is needed for this node as well.
      const kernel = this.producer.get(node);
      if (kernel)
        for (const other of kernel.outputs.values()) if (other !== node) stack.push(...other.inputs);
    }
    return false;
  }
}

function shareInputs(a: ReadonlyMap<string, Tensor>, b: ReadonlyMap<string, Tensor>): boolean {
  let shared = false;
  for (const [name, input] of b) {
    if (!a.has(name)) continue;
    if (base(a.get(name)!) !== base(input) || a.get(name)!.size !== input.size) return false;
    shared = true;
  }
  return shared;
}

const sameAttributes = (a: Attributes, b: Attributes): boolean => JSON.stringify(a) === JSON.stringify(b);
