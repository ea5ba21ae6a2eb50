/** The examples that the docs and the docstrings show: found, named, and made into code that can be run and compared. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as weft from '../../src/index.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One fenced block: of a docstring (`name` is what it documents) or of a page (`name` counts from 1). */
export interface Example {
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly language: string;
  /** A second word after the language: `throws` of programs that end in an error. */
  readonly word?: string;
  readonly code: string;
}

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** What the docstring that ends before line `from` is about. */
function documented(lines: readonly string[], from: number): string {
  const end = lines.findIndex((line, i) => i >= from && line.includes('*/'));
  const declaration =
    lines.slice(end + 1).find((line) => /\w/.test(line) && !/^\s*(\/\/|\/?\*)/.test(line)) ?? '';
  return (
    /(?:function\*?|const|class|interface|type)\s+(\w+)/.exec(declaration)?.[1] ??
    /(\w+)\s*[<(:=]/.exec(
      declaration.replace(/\b(static|async|get|readonly|abstract|override)\b/g, ''),
    )?.[1] ??
    declaration.trim()
  );
}

function blocks(file: string, mark: RegExp): Example[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const found: Example[] = [];
  for (let i = 0; i < lines.length; i++) {
    const open = mark.exec(lines[i]);
    if (!open) continue;
    const [, margin, language, word] = open;
    const end = lines.findIndex((line, j) => j > i && mark.test(line));
    const code = lines
      .slice(i + 1, end)
      .map((line) => line.slice(margin.length))
      .join('\n');
    const name = margin ? documented(lines, end) : `${found.length + 1}`;
    found.push({ file, name, line: i + 1, language, word, code });
    i = end;
  }
  return found;
}

/** The examples of all docstrings under src. */
export const docstringExamples = () =>
  filesUnder('src', '.ts').flatMap((file) => blocks(file, /^(\s*\* )```(\w*)(?: (\w+))?/));

/** The fenced blocks of README and docs. */
export const pageExamples = () =>
  ['README.md', ...filesUnder('docs', '.md')].flatMap((file) => blocks(file, /^()```(\w*)(?: (\w+))?/));

/** As read from a comment: `[1, 2.5], shape [2]` gives [1, 2.5], and words give nothing. */
function promised(comment: string): { value: unknown } | undefined {
  const text = comment
    .replace(/(\d)π/g, '$1 * Math.PI')
    .replace(/π/g, 'Math.PI')
    .replace(/Int32Array \[/g, '[');
  const cuts = [text.length, ...[...text.matchAll(/[,;:]/g)].map(({ index }) => index).reverse()];
  for (const cut of cuts) {
    try {
      const values = new Function(`'use strict'; return [${text.slice(0, cut)}]`)() as unknown[];
      if (values.length > 0) return { value: values.length === 1 ? values[0] : values };
    } catch {
      // Words, or half a list: try less of it.
    }
  }
  return undefined;
}

const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

function parses(code: string): boolean {
  try {
    new AsyncFunction(code);
    return true;
  } catch {
    return false;
  }
}

/** The statements of `code`: the shortest runs of lines that parse. */
function statements(code: string): string[] {
  const found: string[] = [];
  let open = '';
  for (const line of code.split('\n')) {
    open += `${open && '\n'}${line}`;
    if (!parses(open)) continue;
    found.push(open);
    open = '';
  }
  if (open.trim()) throw new SyntaxError(`not JavaScript: ${open}`);
  return found;
}

/** `import` lines name what the door has, and go: all names are in scope. */
function withoutImports(code: string): string {
  return code.replace(/^import \{ ([^}]+) \} from 'weft-gpu';\n/gm, (_, names: string) => {
    for (const name of names.split(', ')) {
      if (!(name in weft)) throw new Error(`weft-gpu exports no ${name}`);
    }
    return '';
  });
}

/**
 * The code with a look at each result: `see(value, promise)` computes what is lazy and compares it with the
 * comment beside it.
 */
export function watched(code: string): string {
  return statements(withoutImports(code))
    .map((statement) => {
      const [, body, , comment] = /^(.*?)(\s+\/\/ ?(.*))?$/s.exec(statement)!;
      if (statement.includes('\n')) return statement;
      const promise = comment && promised(comment) ? `, ${JSON.stringify(comment)}` : '';
      const named = /^const (\w+|\{[^}]+\}|\[[^\]]+\]) = /.exec(body)?.[1];
      if (named) {
        const names = named.match(/\w+/g)!;
        return `${body}\nawait see(${names.length > 1 ? `[${names}]` : names[0]}${promise});`;
      }
      if (/^(class|function|async function|for|if|try|\{)/.test(body)) return body;
      const expression = body.replace(/;\s*$/, '');
      return expression.trim() && parses(`(${expression})`)
        ? `await see(await (${expression})${promise});`
        : body;
    })
    .join('\n');
}

function plain(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
}

/** Whether `value` is what was written: numbers to the digits shown, objects in the members shown. */
function agrees(value: unknown, told: unknown): boolean {
  if (typeof told === 'function') return value instanceof told;
  const got = plain(value);
  if (typeof told === 'number') {
    if (typeof got === 'bigint') return got === BigInt(told);
    return Object.is(got, told) || Math.abs((got as number) - told) <= 1e-6 + 1e-6 * Math.abs(told);
  }
  if (Array.isArray(told)) {
    return Array.isArray(got) && got.length === told.length && told.every((each, i) => agrees(got[i], each));
  }
  if (told !== null && typeof told === 'object') {
    return Object.entries(told).every(([key, each]) => agrees((got as Record<string, unknown>)?.[key], each));
  }
  return got === told;
}

/** Nested lists only of what is to be compared: 60,000 pictures as lists take seconds. */
async function computed(value: unknown, nested: boolean): Promise<unknown> {
  if (value instanceof weft.Tensor) return nested ? value.array() : value.data();
  if (Array.isArray(value)) return Promise.all(value.map((each) => computed(each, nested)));
  return value;
}

type Scope = Record<string, unknown>;

/** Runs a program as it stands, in the scope of all that Weft exports. */
export async function runProgram(code: string, scope: Scope): Promise<void> {
  const names: Scope = { ...weft, weft, ...scope };
  await new AsyncFunction(...Object.keys(names), `{ ${code}\n}`)(...Object.values(names));
}

/** Runs an example after its setting; returns how many results it compared. */
export async function runExample(code: string, setting: string, scope: Scope): Promise<number> {
  let compared = 0;
  const see = async (value: unknown, comment?: string) => {
    const result = await computed(value, comment !== undefined);
    if (comment === undefined) return;
    const told = promised(comment)!.value;
    const shape = value instanceof weft.Tensor ? value.shape : undefined;
    const data = (result as { data?: unknown })?.data;
    if (![result, shape, data].some((each) => each !== undefined && agrees(each, told))) {
      throw new Error(`the comment says ${comment}, the result is ${JSON.stringify(plain(result))}`);
    }
    compared++;
  };
  await runProgram(`${setting}\n{ ${watched(code)}\n}`, { ...scope, see });
  return compared;
}
