/**
 * What a run adds up. Each sample adds to some sums, one after the other; each log, such as the loss or a metric, is
 * made of sums that lie together. A step gives columns: what its samples add to them.
 */
import { iota, zeros } from '../../ops/constant.ts';
import { concat } from '../../ops/movement.ts';
import { sum } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Join, Metric } from '../metrics/metric.ts';

/** A number in the logs. */
export interface Entry {
  readonly name: string;
  /** What one sample adds to its sums. Tensors are descriptions: no work is done. */
  readonly columns: readonly Tensor[];
  /** The number from the sums over `samples` samples. */
  readonly result: Metric['result'];
  /** Null where sums are added. */
  readonly join: Join | null;
}

/** A mean over samples: one sum. */
export const meanEntry = (name: string): Entry => ({
  name,
  columns: [zeros([1])],
  result: ([total], samples) => total / samples,
  join: null,
});

export class Tally {
  readonly entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  /** The sums of two parts of the samples as those of both. */
  joined(a: Float64Array, b: Float64Array): Float64Array {
    const both = a.map((x, i) => x + b[i]);
    this.each(({ join }, ...place) => {
      if (join) both.set(join(a.slice(...place), b.slice(...place)), place[0]);
    });
    return both;
  }

  /** The logs from the sums over `samples` samples. */
  results(sums: ArrayLike<number>, samples: number): Record<string, number> {
    const logs: Record<string, number> = {};
    this.each(({ name, result }, ...place) => {
      logs[name] = result(Array.from(sums).slice(...place), samples);
    });
    return logs;
  }

  /** The sizes of `columnSums`. */
  sizes(apart: boolean): readonly number[] {
    return grouped(
      this.entries.flatMap(({ columns }) => columns),
      apart,
    ).map(countSums);
  }

  private each(f: (entry: Entry, begin: number, end: number) => void): void {
    let begin = 0;
    for (const entry of this.entries) {
      const end = begin + countSums(entry.columns);
      f(entry, begin, end);
      begin = end;
    }
  }
}

/** Sums that come from columns: one of each [N], k of each [N, k]. */
export const countSums = (columns: readonly Tensor[]): number =>
  columns.reduce((count, { rank, shape }) => count + (rank < 2 ? 1 : shape[1]), 0);

/** The tensor among these that begins with sum number `start`. */
export function sumsFrom(tensors: readonly Tensor[], start: number): Tensor | undefined {
  let end = 0;
  return tensors.find(({ size }) => {
    end += size;
    return end - size === start;
  });
}

/** Which columns are summed together: single ones that follow one another, unless `apart`. */
function grouped(columns: readonly Tensor[], apart: boolean): Tensor[][] {
  const groups: Tensor[][] = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (!apart && column.rank < 2 && last && last[0].rank < 2) last.push(column);
    else groups.push([column]);
  }
  return groups;
}

/**
 * Sums of columns over the samples. Single columns that follow one another stand side by side in one kernel; wide
 * ones get their own, since an element would be chosen among too many. Short columns are better summed `apart`:
 * then each sum is a loop in the update that adds it up.
 */
export const columnSums = (columns: readonly Tensor[], apart: boolean): Tensor[] =>
  grouped(columns, apart).map((group) => sum(group[0].rank < 2 ? sideBySide(group) : group[0], 0));

/** Columns [N] as [N, columns]. Many are chosen among by number: nested concatenations compile for seconds. */
function sideBySide(columns: readonly Tensor[]): Tensor {
  const upright = columns.map((column) => column.reshape([column.size, 1]));
  if (upright.length === 1) return upright[0];
  if (upright.length <= FEW) return concat(upright, 1);
  const number = iota(upright.length);
  const [first, ...rest] = upright;
  return rest.reduce(
    (chosen, column, i) => where(number.equal(i + 1), column, chosen),
    first.broadcastTo([columns[0].size, upright.length]),
  );
}

/** So many parts are concatenated without harm. */
export const FEW = 4;
