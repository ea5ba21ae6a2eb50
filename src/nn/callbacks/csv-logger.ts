import { flag } from '../check.ts';
import { readOptions } from '../names.ts';
import { floatText } from '../report/format.ts';
import { Callback, type Logs } from './callback.ts';
import { type GrowingFile, type GrowingTarget, growingFile } from './growing-file.ts';

export interface CsvLoggerOptions {
  /** Between values; default ','. */
  separator?: string;
  /** Go on with the file that is there, rather than begin it anew; default false. */
  append?: boolean;
}

/**
 * Writes a row for each epoch: its number and the logs, in alphabetical order, as Python's csv module writes
 * them. The first epoch decides on the columns; a value that is missing later is NA.
 */
export class CSVLogger extends Callback {
  private readonly target: GrowingTarget;
  private readonly separator: string;
  private readonly keep: boolean;
  private file: GrowingFile | null = null;
  private keys: readonly string[] | null = null;

  constructor(target: GrowingTarget, options?: CsvLoggerOptions) {
    super();
    const { separator, append } = readOptions('csvLogger', options, { separator: ',', append: false });
    this.target = target;
    this.separator = separator;
    this.keep = flag(append, 'csvLogger', 'append');
  }

  override async onTrainBegin(): Promise<void> {
    this.file = await growingFile(this.target, this.keep, 'csvLogger');
    this.keys = null;
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (this.file === null) return;
    const isFirst = this.keys === null;
    this.keys ??= columnsFor(logs);
    const values = this.keys.map((key) => (Object.hasOwn(logs, key) ? floatText(logs[key]) : 'NA'));
    const header = isFirst && this.file.isEmpty ? this.row(['epoch', ...this.keys]) : '';
    await this.file.append(header + this.row([String(epoch), ...values]));
  }

  private row(cells: readonly string[]): string {
    return `${cells.map((cell) => this.quoted(cell)).join(this.separator)}\r\n`;
  }

  private quoted(cell: string): string {
    const isSpecial = cell.includes(this.separator) || /["\r\n]/.test(cell);
    return isSpecial ? `"${cell.replaceAll('"', '""')}"` : cell;
  }
}

/** Sorted keys; without validation in the first epoch, columns for it are kept, as in Keras. */
function columnsFor(logs: Logs): string[] {
  const keys = Object.keys(logs).sort();
  return keys.some((key) => key.startsWith('val_')) ? keys : [...keys, ...keys.map((key) => `val_${key}`)];
}
