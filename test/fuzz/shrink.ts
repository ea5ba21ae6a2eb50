/** Makes a failing program smaller for as long as it fails in the same way. */
import { leavesOf, type Program, type Statement, type Tree, Walk } from './program.ts';
import type { Failure } from './run.ts';
import { Misfit } from './value.ts';

const makes = (s: Statement): readonly string[] =>
  s.do === 'step' ? [s.to] : 'to' in s ? [s.to].flat() : [];

const pruned = (tree: Tree, keep: (name: string) => boolean): Tree | null => {
  if (typeof tree === 'string') return keep(tree) ? tree : null;
  const entries = Object.entries(tree).flatMap(([key, one]) => {
    const rest = pruned(one, keep);
    return rest === null ? [] : [[key, rest] as const];
  });
  if (entries.length === 0) return Array.isArray(tree) ? [] : null;
  return Array.isArray(tree) ? entries.map(([, one]) => one) : Object.fromEntries(entries);
};

/** The statements without those that need what is no longer there. */
function repaired(statements: readonly Statement[], outer: ReadonlySet<string> = new Set()): Statement[] {
  const there = new Set(outer);
  const leaves = new Map<string, { old: string[]; kept: Set<string> }>();
  const effects = new Set<string>();
  const kept: Statement[] = [];
  const all = (names: readonly string[]) => names.every((name) => there.has(name));
  for (const s of statements) {
    let one: Statement | null = s;
    switch (s.do) {
      case 'op':
        if (!all(s.inputs)) one = null;
        break;
      case 'gradients': {
        const some = s.wrt.flatMap((name, i) => (there.has(name) ? [i] : []));
        one =
          there.has(s.of) && some.length > 0
            ? { ...s, wrt: some.map((i) => s.wrt[i]), to: some.map((i) => s.to[i]) }
            : null;
        break;
      }
      case 'assign':
        if (!all([s.variable, s.value])) one = null;
        break;
      case 'chain':
        if (!there.has(s.from)) one = null;
        break;
      case 'assignChain':
        if (!there.has(s.variable)) one = null;
        break;
      case 'step': {
        const body = repaired(s.body, new Set([...there, ...s.params]));
        const inside = new Set([...there, ...s.params, ...body.flatMap(makes)]);
        const result = pruned(s.result, (name) => inside.has(name)) ?? [];
        const old = leavesOf(s.result);
        leaves.set(s.to, { old, kept: new Set(leavesOf(result)) });
        if (body.some((b) => b.do === 'assign')) effects.add(s.to);
        one = { ...s, body, result };
        if (leavesOf(result).length === 0 && !effects.has(s.to)) one = null;
        break;
      }
      case 'call': {
        const step = leaves.get(s.step);
        if (!there.has(s.step) || !step || !all(s.args)) one = null;
        else one = { ...s, to: s.to.filter((_, i) => step.kept.has(step.old[i])) };
        break;
      }
      case 'replay':
        if (!there.has(s.step)) one = null;
        break;
      case 'read': {
        const of = s.of.filter((name) => there.has(name));
        one = of.length > 0 ? { ...s, of } : null;
        break;
      }
      case 'dispose':
        if (!there.has(s.of)) one = null;
        break;
    }
    if (!one) continue;
    for (const name of makes(one)) there.add(name);
    if (one.do === 'dispose') there.delete(one.of);
    kept.push(one);
  }
  return kept;
}

const sizeOf = (statements: readonly Statement[]): number =>
  statements.reduce((n, s) => n + 1 + (s.do === 'step' ? sizeOf(s.body) : 0), 0);

/** The statements with one of them (steps' bodies counted in) put through f: null drops it. */
function edited(
  statements: readonly Statement[],
  at: { left: number },
  f: (s: Statement) => readonly Statement[],
): Statement[] {
  return statements.flatMap((s): readonly Statement[] => {
    if (at.left-- === 0) return f(s);
    return s.do === 'step' ? [{ ...s, body: edited(s.body, at, f) }] : [s];
  });
}

/** Every smaller program that is one edit away, the boldest first. */
export function* smallerPrograms(program: Program): Iterable<Program> {
  const { seed, statements } = program;
  const with_ = (next: readonly Statement[]): Program => ({ seed, statements: repaired(next) });
  const count = sizeOf(statements);

  // Many statements at once, then one.
  for (let run = Math.floor(statements.length / 2); run > 1; run = Math.floor(run / 2))
    for (let from = 0; from < statements.length; from += run)
      yield with_([...statements.slice(0, from), ...statements.slice(from + run)]);
  for (let at = count - 1; at >= 0; at--) yield with_(edited(statements, { left: at }, () => []));

  // An op becomes one of its operands, or plain data; a read asks for fewer; a call or a loop gets shorter.
  for (let at = 0; at < count; at++) {
    const edits: ((s: Statement) => readonly Statement[])[] = [
      (s) =>
        s.do === 'read' && s.of.length > 1
          ? s.of.map((name): Statement => ({ do: 'read', of: [name] }))
          : [s],
      (s) => (s.do === 'replay' && s.times > 1 ? [{ ...s, times: 1 }] : [s]),
      (s) => (s.do === 'assign' && !s.awaited ? [{ ...s, awaited: true }] : [s]),
      (s) =>
        (s.do === 'chain' || s.do === 'assignChain') && s.times > 1
          ? [{ ...s, times: Math.floor(s.times / 2) }]
          : [s],
      (s) => (s.do === 'gradients' && s.squared ? [{ ...s, squared: false }] : [s]),
      (s) => (s.do === 'call' && !s.awaited ? [{ ...s, awaited: true }] : [s]),
    ];
    for (const edit of edits) {
      let changed = false;
      const next = edited(statements, { left: at }, (s) => {
        const made = edit(s);
        changed = made.length !== 1 || made[0] !== s;
        return made;
      });
      if (changed) yield with_(next);
    }
    for (let k = 0; k < 3; k++) {
      let renamed: [string, string] | null = null;
      const next = edited(statements, { left: at }, (s) => {
        if (s.do !== 'op' || k >= s.inputs.length) return [s];
        renamed = [s.to, s.inputs[k]];
        return [];
      });
      if (renamed) yield with_(replaced(next, ...(renamed as [string, string])));
    }
  }

  // Results that a step need not give, arguments that it need not take.
  for (const [i, s] of statements.entries()) {
    if (s.do !== 'step') continue;
    for (const leaf of leavesOf(s.result)) {
      const gone = statements.map(
        (one, j): Statement =>
          j === i ? { ...s, result: pruned(s.result, (name) => name !== leaf) ?? [] } : one,
      );
      const at = leavesOf(s.result).indexOf(leaf);
      yield with_(
        gone.map((one) =>
          one.do === 'call' && one.step === s.to ? { ...one, to: one.to.filter((_, k) => k !== at) } : one,
        ),
      );
    }
    for (const [at, param] of s.params.entries()) {
      yield with_(
        statements.map((one): Statement => {
          if (one === s) return { ...s, params: s.params.filter((name) => name !== param) };
          if (one.do === 'call' && one.step === s.to)
            return { ...one, args: one.args.filter((_, k) => k !== at) };
          return one;
        }),
      );
    }
  }

  // Sizes: everywhere at once, so that shapes go on fitting.
  const sizes = new Set<number>();
  const collect = (list: readonly Statement[]): void => {
    for (const s of list) {
      if (s.do === 'data' || s.do === 'variable') for (const n of s.shape) sizes.add(n);
      if (s.do === 'step') collect(s.body);
    }
  };
  collect(statements);
  for (const from of [...sizes].sort((a, b) => b - a))
    for (const to of [1, 2, Math.floor(from / 2), from - 1])
      if (to > 0 && to < from) yield with_(resized(statements, from, to));

  // Numbers that are easier to read.
  for (let at = 0; at < count; at++) {
    for (const simple of [(_: number, i: number) => 1 + (i % 5), (v: number) => Math.round(v)]) {
      let changed = false;
      const next = edited(statements, { left: at }, (s) => {
        if (s.do !== 'data' && s.do !== 'variable') return [s];
        if (s.dtype === 'bool') return [s];
        const values = s.values.map(simple);
        changed =
          values.some((v, i) => !Object.is(v, s.values[i])) && !s.values.every((v, i) => v === 1 + (i % 5));
        return [{ ...s, values }];
      });
      if (changed) yield with_(next);
    }
  }
}

/** The statements with one name in place of another. */
function replaced<T>(x: T, from: string, to: string): T {
  if (x === from) return to as T;
  if (Array.isArray(x)) return x.map((one) => replaced(one, from, to)) as T;
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, one]) => [key, replaced(one, from, to)])) as T;
}

function resized(statements: readonly Statement[], from: number, to: number): Statement[] {
  const swap = (n: number): number => (n === from ? to : n > from && n % from === 0 ? (n / from) * to : n);
  const deep = (x: unknown, key: string): unknown => {
    if (Array.isArray(x)) {
      if (key === 'rows') return x.map((n: number) => Math.min(n, Math.max(to - 1, 0)));
      return x.map((one) => deep(one, key));
    }
    return typeof x === 'number' && (key === 'shape' || key === 'size' || key === 'depth') ? swap(x) : x;
  };
  return statements.map((s): Statement => {
    if (s.do === 'data' || s.do === 'variable') {
      const shape = s.shape.map(swap);
      const size = shape.reduce((a, b) => a * b, 1);
      return {
        ...s,
        shape,
        values: Array.from({ length: size }, (_, i) => s.values[i % Math.max(1, s.values.length)] ?? 0),
      };
    }
    if (s.do === 'op')
      return {
        ...s,
        attributes: Object.fromEntries(
          Object.entries(s.attributes).map(([key, one]) => [key, deep(one, key)]),
        ),
      };
    return s.do === 'step' ? { ...s, body: resized(s.body, from, to) } : s;
  });
}

/** Does the walk make sense of it, and is anything read? */
export function isSense(program: Program): boolean {
  try {
    return new Walk().run(program.statements).readings.length > 0;
  } catch (error) {
    if (error instanceof Misfit) return false;
    throw error;
  }
}

export interface Shrunk<P> {
  readonly program: P;
  readonly failure: Failure;
  readonly attempts: number;
}

/** The smallest program found within `ms` that still fails in the same way. */
export async function shrink<P>(
  program: P,
  failure: Failure,
  smaller: (program: P) => Iterable<P>,
  still: (program: P) => Promise<Failure | null>,
  ms: number,
): Promise<Shrunk<P>> {
  const end = performance.now() + ms;
  let best = { program, failure, attempts: 0 };
  const tried = new Set<string>();
  let attempts = 0;
  const next = async (): Promise<Shrunk<P> | null> => {
    for (const candidate of smaller(best.program)) {
      const key = JSON.stringify(candidate);
      if (tried.has(key)) continue;
      tried.add(key);
      if (performance.now() > end) return null;
      attempts++;
      const found = await still(candidate);
      if (found?.kind === failure.kind) return { program: candidate, failure: found, attempts };
    }
    return null;
  };
  for (let found = await next(); found; found = await next()) best = found;
  return { ...best, attempts };
}
