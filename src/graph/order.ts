/** Where the numbers of a graph come from, and what must be there before what. */
import type { Tensor } from '../ops/tensor.ts';

/** A tensor whose numbers exist before the plan runs: data, a variable's value, an argument. */
export const isLeaf = (x: Tensor): boolean => x.op === null || x.storage !== null || x.host !== null;

/** Adds to a list in a map. */
export function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

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

/** The index of the first of a sorted list whose number is `least` or more. */
export function firstFrom<T>(sorted: readonly T[], least: number, numberOf: (one: T) => number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberOf(sorted[middle]) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * All that have `needs`, each after what it needs, otherwise by position, then as given; null when they go in a
 * circle.
 */
export function inOrder<T>(needs: ReadonlyMap<T, ReadonlySet<T>>, position: (one: T) => number): T[] | null {
  const sorted = [...needs.keys()].sort((a, b) => position(a) - position(b));
  const place = new Map(sorted.map((one, at) => [one, at]));
  const users = new Map<T, T[]>();
  const missing = new Map<T, number>();
  /** Where those are that need nothing more, the next one last. */
  const ready: number[] = [];
  const add = (at: number) =>
    ready.splice(
      firstFrom(ready, -at, (one) => -one),
      0,
      at,
    );
  for (const one of sorted) {
    const wanted = needs.get(one)!;
    missing.set(one, wanted.size);
    if (wanted.size === 0) add(place.get(one)!);
    for (const other of wanted) append(users, other, one);
  }
  const order: T[] = [];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    order.push(sorted[at]);
    for (const user of users.get(sorted[at]) ?? []) {
      missing.set(user, missing.get(user)! - 1);
      if (missing.get(user) === 0) add(place.get(user)!);
    }
  }
  return order.length === sorted.length ? order : null;
}

/**
 * Who needs whom, while pairs become one. Each has a rank, above the ranks of all that it needs, so a question
 * looks no further than between the two that it is about; a union moves only who stands between (Pearce and
 * Kelly, "A dynamic topological sort algorithm for directed acyclic graphs", 2006).
 */
export class Ranks<T> {
  readonly #rank = new Map<T, number>();
  readonly #before: (one: T) => Iterable<T>;
  readonly #after: (one: T) => Iterable<T>;

  /**
   * `sorted`: all, each after what it needs; null when they go in a circle: questions then look everywhere.
   * `before` gives what one needs at once, `after` who needs it.
   */
  constructor(sorted: readonly T[] | null, before: (one: T) => Iterable<T>, after: (one: T) => Iterable<T>) {
    sorted?.forEach((one, rank) => {
      this.#rank.set(one, rank);
    });
    this.#before = before;
    this.#after = after;
  }

  /** Does `to` need `from`, by way of others or at once? `detour`: only by way of others. */
  needs(to: T, from: T, detour = false): boolean {
    const floor = this.#rank.get(from) ?? Number.NEGATIVE_INFINITY;
    if ((this.#rank.get(to) ?? floor) < floor) return false;
    const seen = new Set<T>();
    const stack = [...this.#before(to)];
    for (let i = stack.length - 1; i >= 0 && detour; i--) if (stack[i] === from) stack.splice(i, 1);
    for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
      if (one === from) return true;
      if (seen.has(one) || (this.#rank.get(one) ?? floor) < floor) continue;
      seen.add(one);
      for (const earlier of this.#before(one)) stack.push(earlier);
    }
    return false;
  }

  /** `part`, which was no detour away from `whole`, belongs to it now. */
  unite(whole: T, part: T): void {
    if (this.#rank.size === 0) return;
    const [low, high] = [whole, part].map((one) => this.#rank.get(one)!).sort((a, b) => a - b);
    const between = (near: (one: T) => Iterable<T>): T[] => {
      const found = new Set<T>();
      const stack = [...near(whole)];
      for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
        const rank = this.#rank.get(one)!;
        if (one === whole || found.has(one) || rank <= low || rank >= high) continue;
        found.add(one);
        for (const next of near(one)) stack.push(next);
      }
      return [...found].sort((a, b) => this.#rank.get(a)! - this.#rank.get(b)!);
    };
    const moved = [...between(this.#before), whole, ...between(this.#after)];
    const places = [...moved, part].map((one) => this.#rank.get(one)!).sort((a, b) => a - b);
    this.#rank.delete(part);
    // One place is left over: the last.
    moved.forEach((one, i) => {
      this.#rank.set(one, places[i]);
    });
  }
}

/** The tensor behind all views of its bytes, also behind those that have memory already. */
export function underlying(x: Tensor): Tensor {
  let at = x;
  while (at.op?.alias) at = at.inputs[0];
  return at;
}
