/** From what the user wrote to the nodes of a plan: reachable, expanded, each distinct value once. */
import type { Profile } from '../engine/profile.ts';
import type { Op } from '../ops/define.ts';
import { concat } from '../ops/movement.ts';
import { type Attributes, Tensor, tracing } from '../ops/tensor.ts';
import { append, isLeaf, topological, underlying } from './order.ts';

/** Attributes as text; JSON would make null of NaN and infinities and lose the sign of zero. */
export const attributesKey = (attributes: Attributes): string =>
  JSON.stringify(attributes, (_key, value) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `#${Object.is(value, -0) ? '-0' : value}`
      : value,
  );

const numbers = new WeakMap<Op, number>();
let numbered = 0;

/** A number for an op: two ops may have one name. */
function identify(op: Op): number {
  if (!numbers.has(op)) numbers.set(op, ++numbered);
  return numbers.get(op)!;
}

/** A view of a view is a view of what is behind both. */
function merged(x: Tensor): Tensor | null {
  const [a] = x.inputs;
  return x.op!.alias && a.op?.alias && !isLeaf(a)
    ? new Tensor(x.shape, x.dtype, x.op, a.inputs, x.attributes, x.engine)
    : null;
}

const split = new WeakMap<Tensor, Tensor>();

/**
 * Data on the host that is larger than one binding reaches (60,000 photographs of 784 numbers in f32 are
 * 188 MB) becomes several tensors, joined. Joining is an index map, so whoever gathers rows of it notices
 * nothing; whoever needs all of it in one place gets a LimitError.
 */
function inParts(x: Tensor, { limits }: Profile): Tensor {
  const { host } = x;
  const most = limits.maxStorageBufferBindingSize;
  if (!host || x.storage || host.byteLength <= most || x.rank === 0) return x;
  const known = split.get(x);
  if (known) return known;
  const rowBytes = host.byteLength / x.shape[0];
  const rows = Math.floor(most / rowBytes);
  if (rows === 0) return x;
  const parts: Tensor[] = [];
  for (let start = 0; start < x.shape[0]; start += rows) {
    const count = Math.min(rows, x.shape[0] - start);
    const width = host.length / x.shape[0];
    const part = new Tensor([count, ...x.shape.slice(1)], x.dtype, null, [], {}, x.engine);
    part.host = host.subarray(start * width, (start + count) * width);
    parts.push(part);
  }
  const joined = concat(parts);
  split.set(x, joined);
  return joined;
}

/**
 * Nodes that another family may make on its way (`join`), as far as one can see before kernels are formed: they stay as they
 * are. A long column sum would otherwise be made in stages, beside a product that reads every element anyway.
 */
function byProducts(roots: readonly Tensor[], profile: Profile): ReadonlySet<Tensor> {
  const joining: Tensor[] = [];
  const readers = new Map<Tensor, Tensor[]>();
  for (const node of topological(roots)) {
    if (isLeaf(node)) continue;
    if (node.op!.join) joining.push(node);
    else if (node.op!.kernel) for (const input of node.inputs) append(readers, underlying(input), node);
  }
  return new Set(
    joining.filter((node) =>
      (readers.get(underlying(node.inputs[0])) ?? []).some(
        (anchor) => node.op!.join!(node, anchor) !== null && !anchor.op!.expand?.(anchor, profile),
      ),
    ),
  );
}

/**
 * The roots rewritten: ops replaced by their `expand`, equal expressions made one node, trivial ones
 * dropped. The result lists all nodes, inputs before users.
 */
export function simplify(roots: readonly Tensor[], profile: Profile): { roots: Tensor[]; nodes: Tensor[] } {
  const canonical = new Map<Tensor, Tensor>();
  const byKey = new Map<string, Tensor>();
  const wasPlanning = tracing.planning;
  tracing.planning = true;

  const ridden = byProducts(roots, profile);

  const settle = (original: Tensor): void => {
    for (const x of topological([original], (x) => isLeaf(x) || canonical.has(x)))
      if (!canonical.has(x)) canonical.set(x, rewrite(x));
  };

  const rewrite = (x: Tensor): Tensor => {
    if (isLeaf(x)) {
      const parts = inParts(x, profile);
      if (parts === x) return x;
      settle(parts);
      return canonical.get(parts)!;
    }
    const inputs = x.inputs.map((input) => canonical.get(input)!);
    const same = inputs.every((input, i) => input === x.inputs[i]);
    const node = same ? x : new Tensor(x.shape, x.dtype, x.op, inputs, x.attributes, x.engine);
    const replaced =
      node.op!.simplify?.(node) ??
      merged(node) ??
      (ridden.has(x) ? null : node.op!.expand?.(node, profile)) ??
      null;
    if (replaced && replaced !== node) {
      settle(replaced);
      return canonical.get(replaced) ?? replaced;
    }
    const key = `${identify(node.op!)}(${inputs.map((input) => input.id).join()})${attributesKey(node.attributes)}${node.dtype}`;
    const known = byKey.get(key);
    if (known) return known;
    byKey.set(key, node);
    return node;
  };

  try {
    for (const root of roots) settle(root);
  } finally {
    tracing.planning = wasPlanning;
  }
  const simplified = roots.map((root) => canonical.get(root)!);
  return { roots: simplified, nodes: topological(simplified) };
}
