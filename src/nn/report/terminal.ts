/** Where printed lines go: Node's standard output, or the console of a page. */
import { environment, isNode, nodeProcess } from '../../base/platform.ts';

/** Somewhere to print to. Tests and pages bring their own. */
export interface Terminal {
  write(text: string): void;
  /** True where a line can be drawn again. Elsewhere only whole lines are written. */
  readonly isTerminal: boolean;
  /** True where escape sequences for colour are welcome. */
  readonly color: boolean;
  /** Width in characters. */
  readonly columns: number;
}

/** The width that Python's `shutil.get_terminal_size` finds: COLUMNS, the terminal's own, or 80. */
function columns(): number {
  const asked = Number(environment('COLUMNS'));
  if (Number.isInteger(asked) && asked > 0) return asked;
  return nodeProcess?.stdout?.columns || 80;
}

/** Collects text and hands it over line by line; `console.log` ends a line of itself. */
function lineWriter(print: (line: string) => void): (text: string) => void {
  let open = '';
  return (text) => {
    const lines = (open + text).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) print(line);
  };
}

/** Standard output in Node, else the console. NO_COLOR (https://no-color.org) is respected. */
export function standardTerminal(): Terminal {
  const { stdout } = nodeProcess ?? {};
  const isTerminal = isNode && stdout?.isTTY === true;
  return {
    write: isNode && stdout ? (text) => void stdout.write(text) : lineWriter((line) => console.log(line)),
    isTerminal,
    color: isTerminal && !environment('NO_COLOR') && environment('TERM') !== 'dumb',
    columns: columns(),
  };
}
