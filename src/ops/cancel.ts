/**
 * What drivers simplify too far. Mesa takes x − x for 0, (x + y) − x for y and √x · √x for |x|, which loses the NaN
 * that ∞ − ∞ and the root of a negative number are. Where a formula has that form, and only there, an operand is
 * hidden from the compiler.
 */
import type { Expressions } from './expression.ts';
import type { Tensor } from './tensor.ts';

/** Sums, and views, which move elements only. */
const TRANSPARENT = /^(add|sub|neg|identity|reshape|broadcastTo|transpose|slice)$/;

/** Of a long sum so many parts are looked at, the nearest first; nor do compilers look far. */
const PARTS = 64;

/** The terms of the sum `sign` · x, and the sign of each. */
function terms(x: Tensor, sign: number): Map<Tensor, number> {
  const found = new Map<Tensor, number>();
  const parts: [Tensor, number][] = [[x, sign]];
  for (const [part, sign] of parts) {
    const { name = '' } = part.op ?? {};
    if (!TRANSPARENT.test(name)) found.set(part, sign);
    else
      for (const [i, term] of part.inputs.entries())
        if (parts.length < PARTS)
          parts.push([term, name === 'neg' || (name === 'sub' && i === 1) ? -sign : sign]);
  }
  return found;
}

/** May a driver find the op `name` of x and y simpler than it is? */
export function cancels(name: string, x: Tensor, y: Tensor): boolean {
  if (name === 'mul' || name === 'square') return x === y && /^r?sqrt$/.test(x.op?.name ?? '');
  if (!/^(add|sub|squaredDifference)$/.test(name)) return false;
  const others = terms(y, name === 'add' ? 1 : -1);
  return [...terms(x, 1)].some(([term, sign]) => others.get(term) === -sign);
}

/** An operand of a formula, by its letter, so that no driver knows it. */
export const opaque = (letter: string, e: Expressions): string => `opaque(${letter}, ${e.uniform(0, 'u32')})`;
