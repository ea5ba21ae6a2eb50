/** The line that grows while a model trains: Keras 3's to the character (`utils/progbar.py`). */
import { exponent, fixed } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Progress is told and drawn at most this often, milliseconds; the last of it always. */
export const FRAME_MS = 50;

export type Verbosity = 0 | 1 | 2;

/** Named values in the order in which they are shown. */
export type Logs = Readonly<Record<string, number>>;

const WIDTH = 20;

/** Escape sequences take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with.
const ESCAPES = /\x1b\[\d+m/g;

/** What a line shows of the steps. */
export interface Frame {
  readonly current: number;
  /** Null as long as it is not known. */
  readonly target: number | null;
  /** Since the beginning. */
  readonly seconds: number;
  readonly perStep: number;
  readonly last: boolean;
}

/** One line of progress over `target` steps, or until it is over. */
export class Progress {
  private readonly target: number | null;
  private readonly verbose: Verbosity;
  private readonly terminal: Terminal;
  /** Milliseconds. */
  private readonly now: () => number;
  private readonly started: number;
  private drawn = Number.NEGATIVE_INFINITY;
  private afterFirstStep: number | null = null;
  private drawnWidth = 0;
  private shown: Logs = {};

  constructor(
    target: number | null,
    verbose: Verbosity,
    terminal: Terminal,
    now: () => number = () => performance.now(),
  ) {
    this.target = target;
    this.verbose = verbose;
    this.terminal = terminal;
    this.now = now;
    this.started = now();
  }

  /** `current` steps are done and `values` are the epoch's means so far. The last call has `last`. */
  update(current: number, values: Logs = {}, last = false): void {
    const now = this.now();
    const perStep = this.stepSeconds(current, now);
    const target = this.target ?? (last ? current : null);
    const frame = { current, target, seconds: (now - this.started) / 1000, perStep, last };
    this.shown = { ...this.shown, ...values };
    if (this.verbose === 2 && last) this.terminal.write(`${this.conclusion(frame)}\n`);
    if (this.verbose !== 1) return;
    if (!last && (!this.terminal.isTerminal || now - this.drawn < FRAME_MS)) return;
    this.draw(this.line(frame), last);
    this.drawn = now;
  }

  private draw(text: string, last: boolean): void {
    const { isTerminal } = this.terminal;
    const width = text.replace(ESCAPES, '').length;
    const back = isTerminal ? `${'\b'.repeat(this.drawnWidth)}\r` : '';
    const erase = ' '.repeat(isTerminal ? Math.max(this.drawnWidth - width, 0) : 0);
    this.terminal.write(back + text + erase + (last ? '\n' : ''));
    this.drawnWidth = width;
  }

  /** The line of verbose 1. */
  protected line(frame: Frame): string {
    const { current, target, seconds, perStep, last } = frame;
    const style = (parameters: string, text: string): string =>
      this.terminal.color ? `\x1b[${parameters}m${text}\x1b[0m` : text;
    const passed = `${fixed(seconds, 0)}s`;
    const tail = `${duration(perStep, 'step')}${this.values()}`;
    if (target === null) return `${counted(frame)} ${style('1', passed)}${tail}`;
    const done = Math.trunc((WIDTH * current) / target);
    const bar = (done > 0 ? style('32', '━'.repeat(done)) : '') + style('37', '━'.repeat(WIDTH - done));
    const time = last ? passed : remaining(perStep * (target - current));
    return `${style('1', counted(frame))} ${bar} ${style('1', time)}${tail}`;
  }

  /** The one line of verbose 2. */
  protected conclusion(frame: Frame): string {
    const time = `${fixed(frame.seconds, 0)}s -${duration(frame.perStep, 'step')}`;
    return `${counted(frame)} - ${time}${this.values((value) => value > 1e-3)}`;
  }

  protected values(isPlain = (value: number): boolean => Math.abs(value) > 1e-3): string {
    return Object.entries(this.shown)
      .map(([name, value]) => ` - ${name}: ${isPlain(value) ? fixed(value, 4) : exponent(value, 4)}`)
      .join('');
  }

  /** Seconds that a step takes; the first, with its compiling, is left out once there are others. */
  private stepSeconds(current: number, now: number): number {
    if (current === 0) return 0;
    const seconds =
      this.afterFirstStep !== null && current > 1
        ? (now - this.afterFirstStep) / (current - 1)
        : (now - this.started) / current;
    if (current === 1) this.afterFirstStep = now;
    return seconds / 1000;
  }
}

/** ' 3/20', or '      3/Unknown' */
export const counted = ({ current, target }: Frame): string =>
  `${String(current).padStart(target === null ? 7 : String(target).length)}/${target ?? 'Unknown'}`;

/** 12 → '12s', 65 → '1:05', 3723 → '1:02:03' */
export function remaining(seconds: number): string {
  const part = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (seconds > 3600)
    return `${Math.floor(seconds / 3600)}:${part((seconds % 3600) / 60)}:${part(seconds % 60)}`;
  if (seconds > 60) return `${Math.floor(seconds / 60)}:${part(seconds % 60)}`;
  return `${Math.trunc(seconds)}s`;
}

/** 0.002 → ' 2ms/step' */
export function duration(seconds: number, unit: string): string {
  if (seconds >= 1 || seconds === 0) return ` ${fixed(seconds, 0)}s/${unit}`;
  if (seconds >= 1e-3) return ` ${fixed(seconds * 1e3, 0)}ms/${unit}`;
  return ` ${fixed(seconds * 1e6, 0)}us/${unit}`;
}
