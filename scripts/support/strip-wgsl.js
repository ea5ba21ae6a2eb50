/**
 * WGSL without comments and empty lines, as the package carries it: half the bytes, and still easy to read in
 * `model.explain()`. The marks (`// @tune`, `// @load x`) stay at the ends of their lines and indentation
 * stays too, for `specialize` and `unroll` go by them.
 */
export function stripWgsl(text) {
  return text.split('\n').map(stripLine).filter(Boolean).join('\n');
}

function stripLine(line) {
  const [, code, mark = ''] = /^(.*?)(\/\/ @.*)?$/.exec(line);
  const bare = code.replace(/\/\/.*$/, '');
  return (mark ? bare + mark : bare).trimEnd();
}
