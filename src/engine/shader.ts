/**
 * Shader text as a document with a few marked lines. A `.wgsl` file compiles as it stands;
 * {@link specialize} replaces marked lines and {@link reflect} reads off what the text declares, so that
 * binding numbers and struct layouts are written in one place: the shader.
 *
 * | mark at the end of a line | the line is |
 * |---|---|
 * | `const TILE_M = 4u; // @tune` | given a new right-hand side by `tune: { TILE_M: 8 }` |
 * | `// @enable`, `// @bindings`, `// @prologue`, `// @body` | replaced by the hole of that name |
 * | `return …; // @lane`, `// @handed` | replaced by the hole of that name: how lanes hand round what they load |
 * | `return x[i]; // @load x` | replaced by the hole `load x` |
 * | `return vec4(…); // @load4 x` | replaced by the hole `load4 x`: four neighbours at once |
 * | `return row * …; // @origin x` | replaced by the hole `origin x`: where a row of x begins |
 * | `y[i] = value; // @store y` | replaced by the hole `store y` (`''`: this output is not wanted) |
 * | `@group(0) … x: array<f32>; // @input x` | removed when the hole `load x` is given |
 * | `@group(0) … y: array<f32>; // @output y` | removed when the hole `store y` is given |
 * | `for (var m = 0u; m < TILE_M; m++) { // @unroll` | repeated, with its body, for each value |
 */
import { ConfigError } from '../base/errors.ts';
import { unroll } from './unroll.ts';

/** A shader ready to compile, with what its text declares. */
export interface Shader {
  readonly code: string;
  /** Equal for equal shaders. */
  readonly key: string;
  /** What was put into its holes: equal for all variants of one kernel, where they have the same holes. */
  readonly holes: string;
  readonly bindings: readonly Binding[];
  /** The layout of each uniform struct, by variable name. */
  readonly uniforms: Readonly<Record<string, UniformLayout>>;
}

export interface Binding {
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly kind: 'storage' | 'uniform';
  readonly access: 'read' | 'read_write';
  readonly type: string;
}

export interface UniformLayout {
  readonly fields: readonly UniformField[];
  readonly sizeBytes: number;
}

export interface UniformField {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
  readonly offset: number;
}

export interface Specialization {
  /** New right-hand sides of `@tune` lines: numbers keep the suffix that the line has. */
  tune?: Record<string, number | string | boolean>;
  /** Replacements of marked lines, by the mark's words: `body`, `load x`, `store y`, … */
  holes?: Record<string, string>;
}

const TUNE = /^(\s*(?:const|alias)\s+(\w+)\b[^=]*=\s*)([^;]+)(;\s*\/\/ @tune\b.*)$/;
const HOLE =
  /^(\s*)(?:.*\S)?\s*\/\/ @(enable|bindings|prologue|body|lane|handed|(?:load|load4|origin|store|input|output) \w+)\s*$/;

/**
 * One variant of a shader: tuned, its holes filled, every storage binding widened to `read_write`
 * (WebGPU counts usage per buffer, and values of one arena are read and written in one dispatch).
 *
 * Throws ConfigError for a tuning or a hole that the text does not have.
 *
 * ```ts
 * const shader = specialize(elementwise, { holes: { body: 'let y = exp(x);' } });
 * ```
 */
export function specialize(text: string, { tune = {}, holes = {} }: Specialization = {}): Shader {
  const unused = new Set([...Object.keys(tune), ...Object.keys(holes)]);
  const lines = text.split('\n').flatMap((line) => {
    const tuned = TUNE.exec(line);
    if (tuned) {
      const [, left, name, value, rest] = tuned;
      unused.delete(name);
      return name in tune ? `${left}${literal(tune[name], value)}${rest}` : line;
    }
    const marked = HOLE.exec(line);
    if (!marked) return line;
    const [, indent, mark] = marked;
    const binding = /^(input|output) (\w+)$/.exec(mark);
    if (binding) return `${binding[1] === 'input' ? 'load' : 'store'} ${binding[2]}` in holes ? [] : line;
    if (!(mark in holes)) return line;
    unused.delete(mark);
    return holes[mark] === '' ? [] : holes[mark].split('\n').map((inner) => indent + inner);
  });
  if (unused.size > 0) {
    const marks = [...text.matchAll(/\/\/ @(\w+(?: \w+)?)\s*$/gm)].map(([, mark]) => mark).join(', ');
    throw new ConfigError(
      `specialize: the shader has no ${[...unused].map((name) => `'${name}'`).join(', ')}. Its marks: ${marks || 'none'}.`,
    );
  }
  const code = enableUsed(unroll(lines.join('\n'))).replace(
    /\bvar<\s*storage\s*(?:,\s*read\s*)?>/g,
    'var<storage, read_write>',
  );
  return { code, key: code, holes: JSON.stringify(holes), ...reflect(code) };
}

/** `8` in place of `4u` is `8u`: a tuning is a number, its type is the line's. */
function literal(value: number | string | boolean, old: string): string {
  const suffix = typeof value === 'number' ? (/^-?[\d.]+([uif]?)\s*$/.exec(old)?.[1] ?? '') : '';
  return `${value}${suffix}`;
}

/** An `alias Scalar = f16;` needs its `enable f16;`, which only this variant may say. */
function enableUsed(code: string): string {
  const used = /\b(f16|vec[234]h|mat[234]x[234]h)\b/.test(withoutComments(code));
  return used && !/^\s*enable\s+f16\b/m.test(code) ? `enable f16;\n${code}` : code;
}

/** What a shader's text declares: bindings in order of their numbers, and layouts of uniform structs. */
export function reflect(code: string): Pick<Shader, 'bindings' | 'uniforms'> {
  const text = withoutComments(code);
  const declaration =
    /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<\s*(storage|uniform)\s*(?:,\s*(read|read_write)\s*)?>\s*(\w+)\s*:\s*([^;]+);/g;
  const bindings = [...text.matchAll(declaration)]
    .map(([, group, binding, kind, access, name, type]) => ({
      name,
      group: Number(group),
      binding: Number(binding),
      kind: kind as Binding['kind'],
      access: (access ?? 'read') as Binding['access'],
      type: type.trim(),
    }))
    .sort((a, b) => a.group - b.group || a.binding - b.binding);

  const uniforms: Record<string, UniformLayout> = {};
  for (const { kind, name, type } of bindings) {
    if (kind === 'uniform') uniforms[name] = layoutOf(type, text);
  }
  return { bindings, uniforms };
}

function layoutOf(struct: string, text: string): UniformLayout {
  const body = new RegExp(`\\bstruct\\s+${struct}\\s*\\{([^}]*)\\}`).exec(text)?.[1];
  if (body === undefined) throw new ConfigError(`reflect: no 'struct ${struct} { … }' in the shader.`);
  const fields = [...body.matchAll(/(\w+)\s*:\s*([^,\s][^,]*?)\s*(?:,|$)/g)].map(([, name, type], index) => {
    if (type !== 'u32' && type !== 'i32' && type !== 'f32') {
      throw new ConfigError(`reflect: ${struct}.${name} is ${type}. Uniform fields are u32, i32 or f32.`);
    }
    return { name, type, offset: 4 * index } as const;
  });
  return { fields, sizeBytes: 4 * fields.length };
}

/** Writes the fields of a uniform struct. Throws ConfigError when one is missing, unknown or not a number. */
export function packUniform(
  layout: UniformLayout,
  values: Readonly<Record<string, number>>,
  into: DataView,
  label: string,
): void {
  for (const { name, type, offset } of layout.fields) {
    const value = values[name];
    if (typeof value !== 'number')
      throw new ConfigError(`${label}: the uniform field '${name}' is ${value}.`);
    if (type === 'f32') into.setFloat32(offset, value, true);
    else if (type === 'i32') into.setInt32(offset, value, true);
    else into.setUint32(offset, value, true);
  }
  const unknown = Object.keys(values).filter((name) => !layout.fields.some((field) => field.name === name));
  if (unknown.length > 0)
    throw new ConfigError(`${label}: no uniform field '${unknown.join("', '")}' in the shader.`);
}

const withoutComments = (code: string): string =>
  code.replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
