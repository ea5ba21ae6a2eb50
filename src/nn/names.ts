/**
 * How things are called: Keras's class names, snake_case and our camelCase all mean the same, for
 * identifiers ('sparse_categorical_crossentropy') as for options ({ use_bias: false }).
 */
import { ConfigError } from '../base/errors.ts';
import { refuseUnknown } from '../base/options.ts';

/** What remains of a name when its spelling is taken away: 'SparseCategorical_Crossentropy' and its kin are one. */
const bare = (name: string): string => name.replace(/[\s_-]/g, '').toLowerCase();

/** 'kernel_initializer' → 'kernelInitializer'; 'beta_1' → 'beta1'. */
export const camelCase = (name: string): string =>
  name.replace(/(?<=[A-Za-z0-9])_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** 'BatchNormalization' → 'batch_normalization', by Keras's two rules (`utils/naming.py`). */
export const snakeCase = (name: string): string =>
  name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** 'sparseCategoricalCrossentropy' → 'SparseCategoricalCrossentropy', as Keras calls the class; KL stays KL. */
export const kerasClass = (name: string): string =>
  name.replace(/^kl(?=[A-Z])/, 'KL').replace(/^./, (letter) => letter.toUpperCase());

/** Things that may be asked for by name. Built from a plain table; nothing inherited is ever found. */
export class Names<T> {
  protected readonly kind: string;
  private readonly known: readonly string[];
  private readonly entries = new Map<string, T>();

  /** `kind`: the word for messages ('optimizer'). `aliases`: further names for entries of the table. */
  constructor(
    kind: string,
    table: Readonly<Record<string, T>>,
    aliases: Readonly<Record<string, string>> = {},
  ) {
    this.kind = kind;
    this.known = Object.keys(table);
    for (const name of this.known) this.entries.set(bare(name), table[name]);
    for (const [alias, name] of Object.entries(aliases)) this.entries.set(bare(alias), table[name]);
  }

  /** Words that stand for themselves. */
  static ofWords<W extends string>(
    kind: string,
    words: readonly W[],
    aliases?: Readonly<Record<string, W>>,
  ): Names<W> {
    const table = Object.fromEntries(words.map((word) => [word, word])) as Record<W, W>;
    return new Names<W>(kind, table, aliases);
  }

  has(name: unknown): boolean {
    return typeof name === 'string' && this.entries.has(bare(name));
  }

  /** What `name` stands for; ConfigError with the list of known names when it stands for nothing. */
  get(name: unknown, operation: string): T {
    if (this.has(name)) return this.entries.get(bare(name as string)) as T;
    throw new ConfigError(
      `${operation}: ${this.kind} is ${describe(name)}, which is unknown. Known are ${this.known.join(', ')}.`,
    );
  }
}

/** Makes something from options, which it checks itself. A method's type, so that it may say which. */
export type Maker<T> = { from(options?: object): T }['from'];

/** Things that are made by name, or from Keras's description by class and options. */
export class Makers<T> extends Names<Maker<T>> {
  /** Makes what is meant; ConfigError where that is unknown, or neither a name nor a description. */
  make(given: unknown, operation: string, expected = `a name or ${withArticle(this.kind)}`): T {
    if (typeof given === 'string') return this.get(given, operation)();
    if (typeof given !== 'object' || given === null)
      throw new ConfigError(`${operation}: ${this.kind} is ${describe(given)}; expected ${expected}.`);
    const { className, config } = readDescription(operation, given);
    return this.get(className, operation)(config);
  }
}

const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

/** How a message shows a value that came where something else was expected. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object' && value !== null)
    return `an object with ${Object.keys(value).join(', ') || 'no keys'}`;
  return String(value);
}

/**
 * Options in full: what was given, in either spelling, over the defaults.
 *
 * Throws ConfigError for an option that the defaults do not list, and for one given in both spellings.
 */
export function readOptions<T extends object>(
  operation: string,
  given: object | null | undefined,
  defaults: T,
): T {
  const options = { ...defaults } as Record<string, unknown>;
  if (given === null || given === undefined) return options as T;
  if (typeof given !== 'object' || Array.isArray(given))
    throw new ConfigError(`${operation}: options are ${describe(given)}; expected an object.`);
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(given)) {
    const name = camelCase(key);
    if (!Object.hasOwn(defaults, name)) refuseUnknown(operation, key, Object.keys(defaults));
    if (seen.has(name))
      throw new ConfigError(`${operation}: option ${name} is given in two spellings. Keep one.`);
    seen.add(name);
    if (value !== undefined) options[name] = value;
  }
  return options as T;
}

/** Options whose main one may stand alone in front, as in Keras. ConfigError where they come twice. */
export function withMain<T extends object>(main: keyof T & string, first: unknown, rest?: object): T {
  const isWhole = typeof first === 'object' && first !== null && !Array.isArray(first);
  if (!isWhole) return { ...rest, [main]: first } as T;
  if (rest === undefined) return first as T;
  throw new ConfigError(`options: two objects came; give one, with ${main} in it.`);
}

/** Keras's description of an object by class and options; what else it writes beside them is not needed. */
export function readDescription(operation: string, given: object): { className: string; config: object } {
  return readOptions(operation, given, {
    className: '',
    config: {},
    module: null as unknown,
    registeredName: null as unknown,
    buildConfig: null as unknown,
  });
}

const taken = new Map<string, number>();

/** The next automatic name for a class: 'dense', then 'dense_1', 'dense_2', … */
export function automaticName(className: string): string {
  const name = snakeCase(className);
  const count = taken.get(name) ?? 0;
  taken.set(name, count + 1);
  return count === 0 ? name : `${name}_${count}`;
}

/** Lets automatic names start again at 'dense'; what `keras.utils.clear_session()` does for names. */
export function resetNames(): void {
  taken.clear();
}
