/**
 * What users made themselves: layers, optimizers, functions. Files hold a name for it and say that it is the user's
 * (`module: 'custom'`), so that it is never taken for ours of the same name; whoever loads gives the thing itself.
 */
import { ConfigError } from '../../base/errors.ts';
import { Initializer } from '../initializers/initializer.ts';
import { Custom } from '../layers/custom.ts';
import { describe } from '../names.ts';
import { registeredName, registeredThing } from '../registered.ts';

/** Things of one's own by the names that files have for them. */
export type CustomObjects = Readonly<Record<string, unknown>>;

const OWN = 'custom';

export const isOwn = (module: unknown): boolean => module === OWN;

/** The description of something of the user's; functions have their name for a config, as in Keras. */
export const ownDescription = (className: string, config: unknown, name = className) => ({
  module: OWN,
  class_name: className,
  config,
  registered_name: name,
});

/** Names that were told. */
const told = new Set<string>();

/** The names in one file. */
export class OwnNames {
  private readonly taken = new Map<string, unknown>();

  /**
   * The name of `thing`. ConfigError where it has none, or one that something else of the user's has: whoever
   * loads the file could not tell them apart.
   */
  private of(thing: unknown, name: string, other: unknown, where: string): string {
    const fix = "Call registerSerializable('name', it) before, or use saveWeights.";
    if (name === '')
      throw new ConfigError(
        `save: ${where} is a function without a name, by which loadModel could find it. ${fix}`,
      );
    if (![undefined, thing].includes(other) || ![undefined, thing].includes(this.taken.get(name)))
      throw new ConfigError(
        `save: ${where} and something else of your own are both called ${JSON.stringify(name)}, and loadModel could not tell them apart. ${fix}`,
      );
    this.taken.set(name, thing);
    return name;
  }

  /** Says once for each name that whoever loads the file has to give the thing. */
  tell(): void {
    const news = [...this.taken.keys()].filter(
      (name) => registeredThing(name) === undefined && !told.has(name),
    );
    if (news.length === 0) return;
    for (const name of news) told.add(name);
    console.warn(
      `save: ${news.map(describe).join(', ')} ${news.length === 1 ? 'is' : 'are'} your own and not in the file: give ${news.length === 1 ? 'it' : 'them'} to loadModel as customObjects, or call registerSerializable.`,
    );
  }

  /** A function or an object that loadModel is to find as it is. */
  byName(thing: unknown, otherwise: string, where: string): object {
    const name = registeredName(thing) ?? otherwise;
    return ownDescription('function', this.of(thing, name, registeredThing(name), where), name);
  }

  /** A layer, or another thing that is made anew from its class and config. */
  byClass(thing: object, className: string, config: object, where: string): object {
    const kind = kindOf(thing);
    return ownDescription(this.of(kind, registeredName(kind) ?? className, undefined, where), config);
  }
}

/** What two things share that are made in one way: their class, or the text of the definition of a custom layer. */
function kindOf(thing: object): unknown {
  if (thing instanceof Custom) return thing.definitionText;
  // Made by no class of its own: nothing but itself.
  return thing.constructor === Object ? thing : thing.constructor;
}

/**
 * An initializer of the user's that nobody gave: the weights are in the file, so that none is needed until weights are
 * drawn anew.
 */
export class MissingInitializer extends Initializer {
  private readonly description: { class_name?: unknown; config?: unknown };

  constructor(name: string, description: object) {
    super(name, {}, () => new OwnObjects().get(name) as never);
    this.description = description;
  }

  /** As it was in the file. */
  described(names: OwnNames, where: string): object {
    names.byName(`missing ${this.className}`, this.className, where);
    return this.description;
  }
}

/** The things that loadModel was given, or that were registered. */
export class OwnObjects {
  private readonly given: CustomObjects;

  constructor(given: CustomObjects = {}) {
    this.given = given;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.given, name) || registeredThing(name) !== undefined;
  }

  /** Whether whoever loads the file named it, registered things apart. */
  isGiven(name: string): boolean {
    return Object.hasOwn(this.given, name);
  }

  /** The thing itself. ConfigError where nobody gave it. */
  get(name: string): unknown {
    if (this.isGiven(name)) return this.given[name];
    const thing = registeredThing(name);
    if (thing !== undefined) return thing;
    throw new ConfigError(
      `${describe(name)} is the user's own and unknown here. Give it: loadModel(file, { customObjects: { ${/^[A-Za-z_$][\w$]*$/.test(name) ? name : describe(name)} } }), or registerSerializable.`,
    );
  }

  /** A thing of a class: an instance is taken as it is, a class or function makes one from the config. */
  make(className: string, config: object): unknown {
    const thing = this.get(className);
    if (typeof thing !== 'function') return thing;
    if ('fromConfig' in thing) return (thing.fromConfig as (config: object) => unknown)(config);
    const isClass = Object.getPrototypeOf(thing) !== Function.prototype;
    return isClass
      ? new (thing as new (config: object) => unknown)(config)
      : (thing as (config: object) => unknown)(config);
  }
}
