/** How often words occur, and the order that a vocabulary has by it. */

/** Words or numbers with how often they came, and in how many documents. */
export class Counts<T extends string | number> {
  private readonly all = new Map<T, number>();
  private readonly documents = new Map<T, number>();
  documentCount = 0;

  add(document: readonly T[]): void {
    this.documentCount++;
    for (const token of document) this.all.set(token, (this.all.get(token) ?? 0) + 1);
    for (const token of new Set(document)) this.documents.set(token, (this.documents.get(token) ?? 0) + 1);
  }

  get isEmpty(): boolean {
    return this.all.size === 0;
  }

  /** The most frequent first; of equals the one that comes last in the alphabet, as in Keras. */
  ranked(without: readonly unknown[], most = Number.POSITIVE_INFINITY): T[] {
    return [...this.all]
      .filter(([token]) => !without.includes(token))
      .sort(([a, n], [b, m]) => m - n || compare(b, a))
      .slice(0, most)
      .map(([token]) => token);
  }

  /** log(1 + documents / (1 + documents with the token)) */
  inverseFrequency(token: T): number {
    return Math.log(1 + this.documentCount / (1 + (this.documents.get(token) ?? 0)));
  }
}

/** By numbers, or by code points as bytes of UTF-8 have them. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b);
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return x[i].codePointAt(0)! - y[i].codePointAt(0)!;
  return x.length - y.length;
}
