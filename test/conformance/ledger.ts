/** The account of the core cases: each one passed, or excluded with its reason, or failed. */
import type { ConformanceCase } from './cases.ts';

export class Ledger {
  private readonly passed = new Map<string, number>();
  private readonly excluded: { id: string; kind: string; reason: string }[] = [];
  private readonly failed = new Map<string, number>();
  private readonly core: readonly ConformanceCase[];

  constructor(core: readonly ConformanceCase[]) {
    this.core = core;
  }

  pass({ kind }: ConformanceCase): void {
    this.passed.set(kind, (this.passed.get(kind) ?? 0) + 1);
  }

  fail({ kind }: ConformanceCase): void {
    this.failed.set(kind, (this.failed.get(kind) ?? 0) + 1);
  }

  exclude({ id, kind }: ConformanceCase, reason: string): void {
    this.excluded.push({ id, kind, reason });
  }

  /** Passed and excluded together: all of them, when nothing failed. */
  get accounted(): number {
    return this.excluded.length + [...this.passed.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    const lines = ['Conformance with TensorFlow.js and Keras, core cases:', ''];
    const row = (...cells: (string | number)[]) =>
      `  ${String(cells[0]).padEnd(12)}${cells
        .slice(1)
        .map((cell) => String(cell).padStart(9))
        .join('')}`;
    lines.push(row('kind', 'cases', 'passed', 'excluded', 'failed'));
    for (const kind of new Set(this.core.map((one) => one.kind))) {
      const of = <T extends { kind: string }>(list: readonly T[]) =>
        list.filter((one) => one.kind === kind).length;
      lines.push(
        row(kind, of(this.core), this.passed.get(kind) ?? 0, of(this.excluded), this.failed.get(kind) ?? 0),
      );
    }
    const total = (counts: Map<string, number>) =>
      [...counts.values()].reduce((sum, count) => sum + count, 0);
    lines.push(
      row('all', this.core.length, total(this.passed), this.excluded.length, total(this.failed)),
      '',
      ...this.excluded.map(({ id, reason }) => `  excluded ${id}: ${reason}`),
    );
    return lines.join('\n');
  }
}
