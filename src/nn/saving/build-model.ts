/** The model that a file describes. */
import { ConfigError, FormatError, WeftError } from '../../base/errors.ts';
import { Layer, type WeightOptions } from '../layers/layer.ts';
import { fromConfig, isKnownLayer } from '../layers/resolve.ts';
import { Functional } from '../models/functional.ts';
import { Sequential } from '../models/sequential.ts';
import { describe } from '../names.ts';
import { buildNetwork } from './build-network.ts';
import { ownOptions, renamed, withoutNeutral } from './foreign-options.ts';
import { isObject, type JsonObject, listAt, objectAt, textAt } from './json.ts';
import { isOwn, type OwnObjects } from './own.ts';

/** A network of a class of the user's. */
const isOwnNetwork = ({ module, config }: JsonObject): boolean =>
  isOwn(module) && isObject(config) && 'input_layers' in config;

/** Classes of models in files; Keras 2 called networks `Model`. */
const models = ['Sequential', 'Functional', 'Model'];

/**
 * The model that a file describes, built, with its weights still 0.
 *
 * `most`: how many values the file holds. Layers that ask for more are refused before memory is taken.
 */
export function buildModel(
  description: unknown,
  where: string,
  { most, own }: { most: number; own: OwnObjects },
): Sequential | Functional {
  const budget = new Budget(most);
  const buildInner = (one: JsonObject, at: string): Layer => {
    const name = textAt(one.class_name, `${at}.class_name`);
    try {
      const isModel = models.includes(name) || isOwnNetwork(one);
      const layer = isModel ? build(one, at) : buildLayer(one, name, own, at);
      budget.watch(layer, at);
      return layer;
    } catch (error) {
      if (error instanceof FormatError || !(error instanceof WeftError)) throw error;
      throw new FormatError(`${at} (${name}): ${error.message}`, { cause: error });
    }
  };
  const build = (given: unknown, place: string): Sequential | Functional => {
    const description = objectAt(given, place);
    const { class_name: className, config, build_config: built } = description;
    if (isOwnNetwork(description)) {
      const Class = own.get(textAt(className, `${place}.class_name`));
      if (typeof Class !== 'function' || !(Class.prototype instanceof Functional))
        throw new ConfigError(
          `${place}: ${describe(className)} is ${describe(Class)} here; expected a class that extends Model.`,
        );
      return buildNetwork(
        objectAt(config, `${place}.config`),
        `${place}.config`,
        buildInner,
        Class as typeof Functional,
      );
    }
    if (!models.includes(className as string))
      throw new ConfigError(
        `${place}: class is ${describe(className)}; only ${models.join(', ')} are offered.`,
      );
    if (className !== 'Sequential')
      return buildNetwork(objectAt(config, `${place}.config`), `${place}.config`, buildInner);
    // Keras 1 wrote the list of layers in place of the config.
    const options = Array.isArray(config) ? { layers: config } : objectAt(config, `${place}.config`);
    const list = listAt(options.layers, `${place}.config.layers`).map((one, i) =>
      objectAt(one, `${place}.config.layers[${i}]`),
    );
    const asked =
      options.build_input_shape ?? options.batch_input_shape ?? (built as JsonObject)?.input_shape;
    const first = list[0]?.config;
    const named =
      isObject(first) && ['batch_input_shape', 'batch_shape', 'input_shape'].some((key) => key in first);
    const model = new Sequential([], {
      ...(typeof options.name === 'string' ? { name: options.name } : {}),
      ...(typeof options.trainable === 'boolean' ? { trainable: options.trainable } : {}),
      ...(!named && Array.isArray(asked) ? { batchInputShape: asked } : {}),
    });
    list.forEach((one, i) => {
      const at = `${place}.config.layers[${i}]`;
      const layer = buildInner(one, at);
      try {
        model.add(layer);
      } catch (error) {
        if (error instanceof FormatError || !(error instanceof WeftError)) throw error;
        throw new FormatError(`${at} (${layer.className}): ${error.message}`, { cause: error });
      }
    });
    return model;
  };
  const model = build(description, where);
  budget.release();
  if (model.built) return model;
  throw new FormatError(`${where}: says no input shape, so that its weights have no place to go.`);
}

function buildLayer(one: JsonObject, className: string, own: OwnObjects, at: string): Layer {
  const config = objectAt(one.config ?? {}, `${at}.config`);
  if (!isOwn(one.module) && isKnownLayer(className))
    return fromConfig({ className, config: withoutNeutral(renamed(className, config), own) });
  const layer = own.make(className, ownOptions(config, own));
  if (layer instanceof Layer) return layer;
  throw new ConfigError(`customObjects.${className} made ${describe(layer)}; expected a layer.`);
}

/** Counts the values of weights while layers are built. They start at 0: what the file holds comes next. */
class Budget {
  private left: number;
  private readonly watched: Layer[] = [];

  constructor(most: number) {
    this.left = most;
  }

  watch(layer: Layer, at: string): void {
    this.watched.push(layer);
    layer.addWeight = (name, shape, _initializer, options?: WeightOptions) => {
      const size = shape.reduce((product, one) => product * one, 1);
      if (!(size <= this.left))
        throw new FormatError(
          `${at}: weight ${name} has shape [${shape.join(', ')}]; the file holds no more than ${this.left} further values.`,
        );
      this.left -= size;
      return Object.getPrototypeOf(layer).addWeight.call(layer, name, shape, 'zeros', options);
    };
  }

  /** The layers' own method is in force again. */
  release(): void {
    for (const layer of this.watched) delete (layer as Partial<Layer>).addWeight;
  }
}
