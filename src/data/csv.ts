/** CSV tables, read by papaparse (quotes, line ends and separators are its affair), as columns of numbers or words. */

import { FormatError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { NdArray } from './nd-array.ts';
import { needed } from './needed.ts';

export interface CsvOptions {
  /** Whether the first line names the columns; true unless given. Without, they are called '0', '1', … */
  readonly header?: boolean;
  /** What stands between cells; found out unless given. */
  readonly delimiter?: string;
  /** Name used in error messages. */
  readonly file?: string;
}

/** A column: numbers where every cell is one or empty (then NaN), else the cells as they stand. */
export type CsvColumn = Float64Array | string[];

/** Cells that stand for no number, as pandas has them. */
const MISSING = new Set(['', 'na', 'nan', 'n/a', 'null', 'none']);

/** What CSV files mean by a number: no hexadecimal, no 'Infinity', no blanks within. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const isMissing = (cell: string): boolean => MISSING.has(cell.trim().toLowerCase());
const isNumber = (cell: string): boolean => NUMBER.test(cell.trim()) || isMissing(cell);
const toNumber = (cell: string): number => (isMissing(cell) ? Number.NaN : Number(cell));

/**
 * Reads a CSV table from text or UTF-8 bytes.
 *
 * The text is read twice, first for the kinds of columns, so that a table of pixels never stands in memory as
 * words. Throws FormatError, naming file and row, for rows of different length or quotes that do not end. Needs the
 * package `papaparse`.
 *
 * ```ts
 * const table = await data.parseCsv(await readFile('fashion-mnist_test.csv'));
 * const y = table.numbers('label');
 * const x = table.matrix(table.names.filter((name) => name !== 'label'));   // { data, shape: [10000, 784] }
 * ```
 */
export async function parseCsv(given: string | Uint8Array, options?: CsvOptions): Promise<CsvTable> {
  const {
    header = true,
    delimiter,
    file = 'file',
  } = knownOptions<CsvOptions>('parseCsv', options, ['header', 'delimiter', 'file']);
  const text = (typeof given === 'string' ? given : new TextDecoder().decode(given)).replace(/^\ufeff/, '');
  const { default: papaparse } = await needed('papaparse', () => import('papaparse'));

  /** Every row of cells, numbered as a person counts: the header is row 1. */
  const eachRow = (visit: (cells: string[], row: number) => void): void => {
    let row = 0;
    let failure: FormatError | undefined;
    papaparse.parse(text, {
      delimiter,
      skipEmptyLines: true,
      step({ data, errors }, parser) {
        row++;
        try {
          // That a separator had to be guessed is no error, that a quote does not end is one.
          const broken = errors.find(({ type }) => type === 'Quotes');
          if (broken) throw new FormatError(`parseCsv: ${file}, row ${row}: ${broken.message}.`);
          visit(data, row);
        } catch (error) {
          failure = error as FormatError;
          parser.abort();
        }
      },
    });
    if (failure) throw failure;
  };

  let names: string[] | undefined;
  let numeric: boolean[] = [];
  let count = 0;
  eachRow((cells, row) => {
    if (names === undefined) {
      names = header ? cells.map((name) => name.trim()) : cells.map((_, i) => String(i));
      const twice = names.find((name, i) => names!.indexOf(name) !== i);
      if (twice !== undefined)
        throw new FormatError(`parseCsv: ${file}, row 1: two columns are called ${JSON.stringify(twice)}.`);
      numeric = names.map(() => true);
      if (header) return;
    }
    if (cells.length !== names.length)
      throw new FormatError(
        `parseCsv: ${file}, row ${row}: ${cells.length} cells, expected ${names.length}.`,
      );
    count++;
    cells.forEach((cell, i) => {
      numeric[i] &&= isNumber(cell);
    });
  });
  if (names === undefined) throw new FormatError(`parseCsv: ${file}: there is nothing in it.`);

  const columns = numeric.map((is): CsvColumn => (is ? new Float64Array(count) : new Array<string>(count)));
  const first = header ? 2 : 1;
  eachRow((cells, row) => {
    if (row < first) return;
    columns.forEach((column, i) => {
      column[row - first] = column instanceof Float64Array ? toNumber(cells[i]) : cells[i];
    });
  });
  return new CsvTable(names, count, columns);
}

/** A table by columns. */
export class CsvTable {
  /** Names of the columns, from left to right. */
  readonly names: readonly string[];
  /** Number of rows. */
  readonly count: number;
  private readonly columns: ReadonlyMap<string, CsvColumn>;

  constructor(names: readonly string[], count: number, columns: readonly CsvColumn[]) {
    this.names = names;
    this.count = count;
    this.columns = new Map(names.map((name, i) => [name, columns[i]]));
  }

  /** A column by name. ValueError, with the names there are, for another one. */
  column(name: string): CsvColumn {
    const column = this.columns.get(name);
    if (column) return column;
    throw new ValueError(`column: there is no ${JSON.stringify(name)}; there are ${this.names.join(', ')}.`);
  }

  /** A column of numbers. ValueError where it holds words. */
  numbers(name: string): Float64Array {
    const column = this.column(name);
    if (column instanceof Float64Array) return column;
    const row = column.findIndex((cell) => !isNumber(cell));
    throw new ValueError(
      `numbers: ${JSON.stringify(name)} has ${JSON.stringify(column[row])} in place ${row}, which is no number.`,
    );
  }

  /** Columns of numbers side by side: [count, names] f32; all columns unless given. */
  matrix(names: readonly string[] = this.names): NdArray<Float32Array> {
    const data = new Float32Array(this.count * names.length);
    names.forEach((name, j) => {
      this.numbers(name).forEach((value, i) => {
        data[i * names.length + j] = value;
      });
    });
    return { data, shape: [this.count, names.length] };
  }
}
