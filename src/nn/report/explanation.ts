/** What `model.explain()` gives: a captured step, kernel by kernel, as plain data and as a table. */
import type { StepProfile, TimedKernel } from '../../graph/profile.ts';
import { memorySize } from './format.ts';
import { printable } from './summary.ts';
import { type Alignment, BOLD, type Cell, type Column, drawTable, type Span, styled } from './table.ts';
import { standardTerminal } from './terminal.ts';

/** The step that is explained, in words and sums. */
interface Facts {
  readonly model: string;
  readonly step: 'train' | 'evaluate' | 'predict';
  readonly batchSize: number;
  /** Shape and dtype of one batch of each input. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: string }[];
}

const OP = '38;5;33';
const NUMBER = '38;5;34';
const FAINT = '2';

/** The table's width where the terminal leaves a choice. */
const NARROWEST = 80;
const WIDEST = 110;
/** From this width on, bytes read and written have columns of their own. */
const WIDE = 100;

/** Plain data: `JSON.stringify` gives all of it. */
export class Explanation implements StepProfile, Facts {
  readonly model: string;
  readonly step: Facts['step'];
  readonly batchSize: number;
  readonly inputs: Facts['inputs'];
  readonly adapter: string;
  /** In the order in which they run. */
  readonly kernels: readonly TimedKernel[];
  readonly arenaBytes: number;
  readonly timedBy: StepProfile['timedBy'];
  readonly stepMicroseconds: number | null;
  /** Distinct compiled kernels. */
  readonly pipelines: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;

  constructor(facts: Facts, profile: StepProfile) {
    this.model = facts.model;
    this.step = facts.step;
    this.batchSize = facts.batchSize;
    this.inputs = facts.inputs;
    this.adapter = profile.adapter;
    this.kernels = profile.kernels;
    this.arenaBytes = profile.arenaBytes;
    this.timedBy = profile.timedBy;
    this.stepMicroseconds = profile.stepMicroseconds;
    this.pipelines = new Set(profile.kernels.map(({ pipeline }) => pipeline)).size;
    this.bytesRead = total(profile.kernels, ({ bytesRead }) => bytesRead);
    this.bytesWritten = total(profile.kernels, ({ bytesWritten }) => bytesWritten);
    this.flops = total(profile.kernels, ({ flops }) => flops);
  }

  /** The table, without colours. `columns`: its width, from 80 to 110 characters. */
  toString(columns = WIDE): string {
    return `${this.lines(columns, false).join('\n')}\n`;
  }

  /** Prints the table to standard output, or to the console of a page. */
  print(): void {
    const terminal = standardTerminal();
    terminal.write(`${this.lines(terminal.columns, terminal.color).join('\n')}\n`);
  }

  private lines(columns: number, color: boolean): string[] {
    const width = Math.max(NARROWEST, Math.min(WIDEST, columns));
    const bold = (text: string): string => styled({ text, style: BOLD }, color);
    const { inputs, kernels } = this;
    const title = { train: 'training step', evaluate: 'evaluation step', predict: 'prediction' }[this.step];
    const batch = `batch of ${this.batchSize}, ${inputs.map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`).join(' and ')}`;
    return [
      bold(`${printable(this.model)}: ${title}, ${batch}`),
      printable(this.adapter),
      ...drawTable(
        columnsOf(width),
        kernels.map((kernel) => row(kernel, width >= WIDE)),
        width,
        color,
      ),
      ` ${bold('Dispatches:')} ${kernels.length} of ${this.pipelines} pipelines · ${memorySize(this.arenaBytes)} for intermediate values`,
      ` ${bold('Work:')} ${amount(this.flops)}FLOP · ${memorySize(this.bytesRead)} read, ${memorySize(this.bytesWritten)} written`,
      ...(this.stepMicroseconds === null ? [] : this.speeds(this.stepMicroseconds, bold)),
    ];
  }

  private speeds(microseconds: number, bold: (text: string) => string): string[] {
    const alone = duration(total(this.kernels, (kernel) => kernel.microseconds ?? 0));
    const perSecond = (count: number): string => amount((count / microseconds) * 1e6);
    return [
      ` ${bold('Time:')} ${duration(microseconds)} a step when replayed · kernels alone ${alone} (${this.timedBy})`,
      ` ${bold('Speed:')} ${perSecond(this.flops)}FLOP/s · ${perSecond(this.bytesRead + this.bytesWritten)}B/s`,
    ];
  }
}

const total = (kernels: readonly TimedKernel[], of: (kernel: TimedKernel) => number): number =>
  kernels.reduce((sum, kernel) => sum + of(kernel), 0);

function columnsOf(lineLength: number): Column[] {
  const wide = lineLength >= WIDE;
  const columns: [string, Alignment, number][] = [
    ['#', 'right', 2],
    ['Kernel', 'left', 0],
    ['Writes', 'left', wide ? 20 : 16],
    ...(wide
      ? ([
          ['Read', 'right', 8],
          ['Written', 'right', 8],
        ] as [string, Alignment, number][])
      : ([['Moved', 'right', 8]] as [string, Alignment, number][])),
    ['FLOP', 'right', 6],
    ['Time', 'right', 7],
    ['Share', 'right', 5],
  ];
  const others = columns.reduce((sum, [, , width]) => sum + width, 0);
  const rest = lineLength - others - 3 * columns.length - 1;
  return columns.map(([title, alignment, width]) => ({ title, alignment, width: width || rest }));
}

function row(kernel: TimedKernel, wide: boolean): Cell[] {
  const { bytesRead, bytesWritten, microseconds, share } = kernel;
  const number = (text: string): Cell => [{ text, style: NUMBER }];
  return [
    [{ text: String(kernel.index) }],
    nameCell(kernel),
    writesCell(kernel),
    ...(wide
      ? [number(shortBytes(bytesRead)), number(shortBytes(bytesWritten))]
      : [number(shortBytes(bytesRead + bytesWritten))]),
    number(amount(kernel.flops).replace(' ', '')),
    number(microseconds === null ? '–' : duration(microseconds)),
    number(share === null ? '–' : `${(100 * share).toFixed(0)} %`),
  ];
}

/** The kernel's own ops, what melted into its loads (←) and what melted into its stores (→). */
function nameCell({ parts, ops, tensors }: TimedKernel): Cell {
  const named = (part: string): string =>
    [...new Set(parts.filter((one) => one.part === part).map(({ op }) => op))].join(' ');
  const [own, loads, stores] = ['kernel', 'load', 'store'].map(named);
  const spans: Span[] = [];
  if (tensors > 1) spans.push({ text: `${tensors} × ` });
  spans.push({ text: own || ops.join(' ') || 'copy', style: OP });
  if (loads) spans.push({ text: ' ← ', style: FAINT }, { text: loads });
  if (stores) spans.push({ text: ' → ', style: FAINT }, { text: stores });
  return spans;
}

function writesCell({ writes }: TimedKernel): Cell {
  const [first, ...others] = writes;
  const shape = `[${first.shape.join(', ')}]`;
  const spans: Span[] = [{ text: first.name === null ? shape : printable(first.name) }];
  if (others.length > 0) spans.push({ text: ` and ${others.length} more`, style: FAINT });
  return spans;
}

/** 501760 → '502 k', to be followed by a unit. */
function amount(count: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P'];
  let at = 0;
  let scaled = count;
  for (; scaled >= 999.5 && at < units.length - 1; at++) scaled /= 1000;
  const digits = at === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${units[at]}`;
}

/** '98.0 KB': three figures. */
function shortBytes(count: number): string {
  const [number, unit] = memorySize(count).split(' ');
  const x = Number(number);
  return `${x.toFixed(unit === 'B' || x >= 99.95 ? 0 : 1)} ${unit}`;
}

/** Microseconds in the unit that suits them. */
function duration(microseconds: number): string {
  if (microseconds < 999.5) return `${microseconds.toFixed(microseconds < 9.95 ? 1 : 0)} µs`;
  const ms = microseconds / 1000;
  return ms < 999.5 ? `${ms.toFixed(ms < 9.995 ? 2 : ms < 99.95 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
