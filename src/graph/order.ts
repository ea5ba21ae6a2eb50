/** Where the numbers of a graph come from, and what must be there before what. */
import type { Tensor } from '../ops/tensor.ts';

/** A tensor whose numbers exist before the plan runs: data, a variable's value, an argument. */
export const isLeaf = (x: Tensor): boolean => x.op === null || x.storage !== null;

/**
 * Everything that `roots` depend on, inputs before users; what is behind an `isEnd` does not count. Iterative:
 * graphs may be thousands deep.
 */
export function topological(roots: readonly Tensor[], isEnd: (x: Tensor) => boolean = isLeaf): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { node: Tensor; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const inputs = isEnd(top.node) ? [] : top.node.inputs;
      if (top.next < inputs.length) {
        const input = inputs[top.next++];
        if (!seen.has(input)) {
          seen.add(input);
          stack.push({ node: input, next: 0 });
        }
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/**
 * All that have `needs`, each after what it needs, otherwise by position; null when they go in a circle. Uses up
 * `needs`.
 */
export function inOrder<T>(needs: Map<T, Set<T>>, position: (one: T) => number): T[] | null {
  const order: T[] = [];
  while (needs.size > 0) {
    const ready = [...needs.keys()].filter((one) => needs.get(one)!.size === 0);
    if (ready.length === 0) return null;
    const next = ready.reduce((a, b) => (position(a) <= position(b) ? a : b));
    needs.delete(next);
    for (const waiting of needs.values()) waiting.delete(next);
    order.push(next);
  }
  return order;
}
