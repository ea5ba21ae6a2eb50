/**
 * Makes a built module easy to shake: a bundler keeps every constant that is computed by a call, because the
 * call might do something. No module of Weft does anything when it is imported but compute its constants
 * (graph/methods.ts apart, whose statements declare nothing), so each is said to be pure:
 *
 * ```js
 * var relu = call("relu");    →    var relu = /* @__PURE__ *\/ (() => call("relu"))();
 * ```
 *
 * Works on esbuild's output, where every statement of the top level begins at the start of a line and
 * nothing else does but text inside of template literals. Functions and classes are left alone, but for a call that makes a
 * class's base: they are pure already, and take their names from the constant.
 */
export function withPureConstants(code) {
  return code
    .replace(/^(var \w+ = class extends )(\w+\(.*\)) \{$/gm, `$1(${PURE} $2) {`)
    .replace(/^var (\w+) = (?!\/\* @__PURE__)([^\n]*?);$/gm, pureLine)
    .replace(/^var (\w+) = (?!\/\* @__PURE__)([^\n]*[({[])\n((?: [^\n]*\n)+)([)}\]][^\n]*);$/gm, pureLines);
}

const PURE = '/* @__PURE__ */';

const pureLine = (all, name, value) =>
  needsHelp(value) ? `var ${name} = ${PURE} (() => ${asBody(value)})();` : all;

const pureLines = (all, name, first, inner, last) => {
  const value = `${first}\n${inner}${last}`;
  return needsHelp(first) ? `var ${name} = ${PURE} (() => ${asBody(value)})();` : all;
};

/** An arrow's body that begins with a brace would be a block. */
const asBody = (value) => (value.startsWith('{') ? `(${value})` : value);

/** Text, numbers, functions and classes are pure as they are. */
const needsHelp = (value) =>
  /[([{]|\bnew\b|<<|\.\w/.test(value) &&
  !/^(class\b|function\b|async\b|["'`])/.test(value) &&
  !isArrow(value);

const isArrow = (value) =>
  /^(\([^()]*(\([^()]*\)[^()]*)*\)|\w+) => /.test(value) || /^\(.*\) => [{(]?$/.test(value);
