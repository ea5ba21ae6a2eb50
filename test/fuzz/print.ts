/** A program as JavaScript: what the tests run, and what they print when it fails. */
import { ops } from './ops.ts';
import { leavesOf, type Program, type Statement, type Step, type Tree } from './program.ts';
import type { DType, Shape } from './value.ts';

const arrays: Record<DType, string> = {
  f32: 'Float32Array',
  i32: 'Int32Array',
  u32: 'Uint32Array',
  bool: 'Uint32Array',
  u8: 'Uint8Array',
};

const number = (v: number): string => (Object.is(v, -0) ? '-0' : String(v));

function literal(shape: Shape, dtype: DType, values: readonly number[]): string {
  const options = [
    `shape: ${JSON.stringify(shape)}`,
    ...(dtype === 'bool' ? [`dtype: 'bool'`] : []),
    'engine',
  ];
  return `W.tensor(${arrays[dtype]}.of(${values.map(number).join(', ')}), { ${options.join(', ')} })`;
}

const tree = (x: Tree): string =>
  typeof x === 'string'
    ? x
    : Array.isArray(x)
      ? `[${x.map(tree).join(', ')}]`
      : `{ ${Object.entries(x)
          .map(([key, one]) => `${key}: ${tree(one)}`)
          .join(', ')} }`;

/** How each leaf of a result is reached. */
const paths = (x: Tree, path = ''): string[] =>
  typeof x === 'string'
    ? [path]
    : Object.entries(x).flatMap(([key, one]) =>
        paths(one, Array.isArray(x) ? `${path}[${key}]` : `${path}.${key}`),
      );

/** The statements as lines; `show(name, tensor)` reads one. */
export function linesOf(program: Program): string[] {
  const steps = new Map<string, Step>();
  let calls = 0;
  let pending: string[] = [];

  const unpack = (step: Step, from: string, to: readonly string[]): string[] => {
    if (to.length === 0) return [];
    const found = paths(step.result);
    return [`const ${to.map((name, i) => `${name} = ${from}${found[i]}`).join(', ')};`];
  };

  const write = (s: Statement, indent: string): string[] => {
    switch (s.do) {
      case 'data':
        return [`const ${s.to} = ${literal(s.shape, s.dtype, s.values)};`];
      case 'variable':
        return [`const ${s.to} = W.variable(${literal(s.shape, s.dtype, s.values)}, { name: '${s.to}' });`];
      case 'op':
        return [`const ${s.to} = ${ops[s.op].code(s.inputs, s.attributes)};`];
      case 'gradients': {
        const loss = `${s.of}${s.squared ? '.square()' : ''}.sum()`;
        return [`const [${s.to.join(', ')}] = W.gradients(${loss}, [${s.wrt.join(', ')}]);`];
      }
      case 'assign':
        return [`${indent ? '' : s.awaited ? 'await ' : 'void '}${s.variable}.assign(${s.value});`];
      case 'chain':
        return [
          `let ${s.to} = ${s.from};`,
          `for (let i = 0; i < ${s.times}; i++) ${s.to} = ${s.to}.mul(${s.factor}).add(${s.offset});`,
        ];
      case 'assignChain':
        return [
          `for (let i = 0; i < ${s.times}; i++) void ${s.variable}.assign(${s.variable}.mul(${s.factor}).add(${s.offset}));`,
        ];
      case 'step': {
        steps.set(s.to, s);
        const body = s.body.flatMap((one) => write(one, '  ')).map((line) => `  ${line}`);
        const result = leavesOf(s.result).length > 0 ? [`  return ${tree(s.result)};`] : [];
        return [
          `const ${s.to} = W.capture((${s.params.join(', ')}) => {`,
          ...body,
          ...result,
          `}, { engine, name: '${s.to}' });`,
        ];
      }
      case 'call': {
        const name = `r${++calls}`;
        const step = steps.get(s.step)!;
        const call = `${s.step}(${s.args.join(', ')})`;
        if (s.awaited) return [`const ${name} = await ${call};`, ...unpack(step, name, s.to)];
        pending.push(`const ${name} = await ${name}p;`, ...unpack(step, name, s.to));
        return [`const ${name}p = ${call};`, `${name}p.catch(() => {});`];
      }
      case 'replay':
        return [`await ${s.step}.replay(${s.times});`];
      case 'settle': {
        const lines = pending;
        pending = [];
        return lines;
      }
      case 'read':
        return s.of.length === 1
          ? [`await show('${s.of[0]}', ${s.of[0]});`]
          : [`await Promise.all([${s.of.map((name) => `show('${name}', ${name})`).join(', ')}]);`];
      case 'dispose':
        return [`${s.of}.dispose();`];
    }
  };
  return program.statements.flatMap((s) => write(s, ''));
}

/** A script that runs in the repository after `npm run build`. `engineLines` make `engine`. */
export const script = (
  lines: readonly string[],
  engineLines: readonly string[],
  notes: readonly string[],
): string =>
  [
    ...notes.map((line) => `// ${line}`),
    `import { findGpu } from './scripts/support/software-adapter.js';`,
    `import * as W from 'weft-gpu';`,
    'const { gpu } = await findGpu();',
    ...engineLines,
    'const show = async (name, x) => console.log(name, ...(Array.isArray(x) ? x : await x.data()));',
    ...lines,
    'process.exit();',
  ].join('\n');
