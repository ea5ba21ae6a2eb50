/**
 * Repeats in the text what a loop repeats at run time.
 *
 * A loop over a register tile must have constant indices, or the tile lands in memory. GPU compilers
 * unroll such loops themselves; SwiftShader does not, and is seven times slower with them
 * (matmul 32·784·128, Dawn 0.6.2: 0.18 → 1.30 GFLOP/s).
 *
 * The mark stands behind the head, and the loop closes at the head's indentation:
 * `for (var m = 0u; m < TILE_M; m++) { // @unroll`. The bound is a literal or a `const` with a literal.
 */
import { ConfigError } from '../base/errors.ts';

const HEAD = /^(\s*)for \(var (\w+) = 0u; \2 < (\w+); \2\+\+\) \{ \/\/ @unroll\s*$/;

export function unroll(code: string): string {
  if (!code.includes('// @unroll')) return code;
  return repeat(code.split('\n'), code).join('\n');
}

function repeat(lines: readonly string[], code: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const head = HEAD.exec(lines[i]);
    if (!head) {
      result.push(lines[i]);
      continue;
    }
    const [, indent, index, bound] = head;
    const end = lines.indexOf(`${indent}}`, i);
    if (end < 0) throw new ConfigError(`unroll: the loop in line '${lines[i].trim()}' does not close.`);
    const body = repeat(lines.slice(i + 1, end), code);
    const name = new RegExp(`\\b${index}\\b`, 'g');
    for (let step = 0; step < count(bound, code); step++)
      result.push(`${indent}{`, ...body.map((line) => line.replace(name, `${step}u`)), `${indent}}`);
    i = end;
  }
  return result;
}

function count(bound: string, code: string): number {
  const literal = /^\d+u?$/.test(bound)
    ? bound
    : new RegExp(`^const ${bound} = (\\d+)u;`, 'm').exec(code)?.[1];
  if (literal === undefined)
    throw new ConfigError(`unroll: '${bound}' is neither a number nor a const with one.`);
  return Number.parseInt(literal, 10);
}
