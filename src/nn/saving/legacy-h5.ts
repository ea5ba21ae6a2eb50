/**
 * `.h5`: whole models in the layout that Keras has had since version 1. Written as Keras 3 does; tf.keras 2
 * writes other names ('dense/kernel:0'), so a reader follows the lists of names and guesses nothing.
 */
import { FormatError, ShapeError } from '../../base/errors.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Trainable } from '../training/trainable.ts';
import { type Contents, type Found, optimizerNames, stateText } from './contents.ts';
import type { Description } from './describe-model.ts';
import { readHdf5, writeHdf5 } from './hdf5.ts';
import type { Attribute, Hdf5 } from './hdf5-contents.ts';
import { isObject, type JsonObject, jsonText, objectAt, parseJson } from './json.ts';
import { KERAS_VERSION } from './keras-names.ts';
import { olderModel, olderTraining } from './older.ts';
import { checkFit, join, layerPlaces, unique } from './places.ts';
import { asideIn, STATE_ATTRIBUTE, stateIn, writeAside } from './weights-h5.ts';

/**
 * The optimizer's state stands here and not under 'optimizer_weights', where tf.keras 2 has it: Keras 3.15
 * builds the optimizer for no variables when it finds that group, its own included, and cannot train then
 * (`legacy_h5_format.py` asks for `model._trainable_variables`, which leaves out those of layers).
 */
const OPTIMIZER = 'weft_optimizer_weights';

// ---- writing

export function writeLegacyH5(contents: Contents, { model: config, compiled }: Description): Uint8Array {
  const { model, weights, optimizer, state } = contents;
  const by = { backend: 'jax', keras_version: KERAS_VERSION };
  const file: Hdf5 = { groups: new Map(), arrays: new Map() };
  file.groups.set('', {
    ...by,
    model_config: jsonText(olderModel(config)),
    ...(compiled ? { training_config: jsonText(olderTraining(compiled)) } : {}),
    [STATE_ATTRIBUTE]: stateText(state),
  });
  file.groups.set('model_weights', { ...by, layer_names: model.layers.map(({ name }) => name) });
  file.groups.set('model_weights/top_level_model_weights', { weight_names: [] });
  for (const layer of model.layers) {
    const all = weightsWithNames(layer, model.name);
    file.groups.set(`model_weights/${layer.name}`, { weight_names: all.map(({ name }) => name) });
    for (const { name, weight } of all)
      file.arrays.set(`model_weights/${layer.name}/${name}`, weights.get(weight)!);
  }
  if (compiled && optimizer) {
    const names = optimizerNames(contents);
    file.groups.set(OPTIMIZER, { weight_names: names });
    names.forEach((name, i) => {
      file.arrays.set(`${OPTIMIZER}/${name}`, optimizer.values[i]);
    });
    writeAside(file, optimizer.aside);
  }
  return writeHdf5(file);
}

/** A layer's weights as this format orders them, with Keras's paths: 'sequential/dense/kernel'. */
function weightsWithNames(layer: Layer, prefix: string) {
  const names = new Map<object, string>();
  const walk = (one: Layer, path: string): void => {
    for (const inner of one.layers) walk(inner, join(path, inner.name));
    for (const weight of one.weights) if (!names.has(weight)) names.set(weight, join(path, weight.name));
  };
  walk(layer, join(prefix, layer.name));
  const ordered = inOrder(layer);
  const all = unique(ordered.map((weight) => names.get(weight)!));
  return ordered.map((weight, i) => ({ weight, name: all[i] }));
}

/**
 * A layer's weights as this format orders them: those first that were trained when the file was written. Its
 * description says which layers inside were frozen then; without one, what is frozen here counts.
 */
function inOrder(layer: Layer, description?: unknown): Variable[] {
  const trained = new Set<Variable>();
  const walk = (one: Layer, its: unknown, inTrained: boolean): void => {
    const config = isObject(its) && isObject(its.config) ? its.config : {};
    const isTrained = inTrained && (isObject(its) ? config.trainable !== false : one.trainable);
    const theirs = layersIn(config);
    if (isTrained)
      for (const weight of layerPlaces(one)[0].weights) if (weight.trainable) trained.add(weight);
    one.layers.forEach((inner, i) => {
      walk(inner, theirs.length === one.layers.length ? theirs[i] : undefined, isTrained);
    });
  };
  walk(layer, description, true);
  const all = [...new Set(layer.weights)];
  return [...all.filter((weight) => trained.has(weight)), ...all.filter((weight) => !trained.has(weight))];
}

/** The layers that a model's config describes, without those that only declare an input. */
const layersIn = (config: JsonObject): unknown[] =>
  Array.isArray(config.layers)
    ? config.layers.filter((one) => !isObject(one) || one.class_name !== 'InputLayer')
    : [];

// ---- reading

/** An HDF5 file of either layout. */
export const readAnyH5 = (bytes: Uint8Array, file: string): Promise<Hdf5> =>
  readHdf5(bytes, file, ['model_config', 'training_config', 'layer_names', 'weight_names', STATE_ATTRIBUTE]);

/** Whether an HDF5 file is a whole model of this format, or the weights of one, rather than a `.weights.h5`. */
export const isLegacy = (file: Hdf5): boolean =>
  file.groups.has('model_weights') || names(file.groups.get(''), 'layer_names').length > 0;

/** Architecture and, where it was compiled, how. */
export function legacyConfig(file: Hdf5, where: string): { model: unknown; compiled: JsonObject | null } {
  const root = file.groups.get('') ?? {};
  if (typeof root.model_config !== 'string')
    throw new FormatError(
      `${where}: holds weights and no model_config. Build the model and call loadWeights.`,
    );
  const compiled =
    typeof root.training_config === 'string'
      ? objectAt(parseJson(root.training_config, `${where}, training_config`), `${where}, training_config`)
      : null;
  return {
    model: parseJson(root.model_config, `${where}, model_config`),
    compiled: compiled && { ...compiled, optimizer: compiled.optimizer_config },
  };
}

/** What the file has for this model: layers with weights, one after the other. */
export function findLegacyWeights(file: Hdf5, model: Trainable, where: string): Found {
  const top = file.groups.has('model_weights') ? 'model_weights' : '';
  const stored = names(file.groups.get(top), 'layer_names')
    .map((layer) => join(top, layer))
    .map((path) => ({ path, names: names(file.groups.get(path), 'weight_names') }))
    .filter((layer) => layer.names.length > 0);
  const own = model.layers.filter((layer) => layer.weights.length > 0);
  if (stored.length !== own.length)
    throw new ShapeError(
      `${where}: ${model.name} expects ${own.length} layers with weights; found ${stored.length}.`,
    );
  const descriptions = describedLayers(file, model, where);
  const weights = own.flatMap((layer, i) => {
    const { path, names: list } = stored[i];
    const ordered = orderIn(list, layer, descriptions[model.layers.indexOf(layer)]);
    if (list.length !== ordered.length)
      throw new ShapeError(
        `${where}, ${path}: layer ${layer.name} expects ${ordered.length} weights; found ${list.length}.`,
      );
    return ordered.map((weight, j) => {
      const at = `${path}/${list[j]}`;
      return [weight, checkFit(file.arrays.get(at), weight, layer, `${where}, ${at}`)] as const;
    });
  });
  return { weights, optimizer: optimizerOf(file, where), state: stateIn(file, where) };
}

/** The layers as the file describes them; none where it describes another model, or holds weights alone. */
function describedLayers(file: Hdf5, model: Trainable, where: string): unknown[] {
  const text = file.groups.get('')?.model_config;
  const whole = typeof text === 'string' ? parseJson(text, `${where}, model_config`) : null;
  const layers = isObject(whole) && isObject(whole.config) ? layersIn(whole.config) : [];
  return layers.length === model.layers.length ? layers : [];
}

/** A layer's weights in the order of a file's list: by its names where they are the layer's own, else by rule. */
function orderIn(list: readonly string[], layer: Layer, description: unknown): Variable[] {
  const ordered = inOrder(layer, description);
  if (description !== undefined || layer.layers.length === 0) return ordered;
  // 'outer/dense/kernel', or 'dense/kernel:0' of tf.keras 2.
  const short = (name: string): string => name.replace(/:0$/, '').split('/').slice(-2).join('/');
  const byName = new Map(weightsWithNames(layer, '').map(({ name, weight }) => [short(name), weight]));
  const found = list.map((name) => byName.get(short(name)));
  const isWhole = new Set(found).size === ordered.length && !found.includes(undefined);
  return isWhole ? (found as Variable[]) : ordered;
}

function optimizerOf(file: Hdf5, where: string): Found['optimizer'] {
  const group = file.groups.has(OPTIMIZER) ? OPTIMIZER : 'optimizer_weights';
  const values = names(file.groups.get(group), 'weight_names').map((name) => {
    const found = file.arrays.get(`${group}/${name}`);
    if (!found) throw new FormatError(`${where}, ${group}: ${name} is listed and not there.`);
    return found;
  });
  return values.length > 0 ? { values, aside: asideIn(file) } : null;
}

/** A list of names; lists beyond 64 KB are cut into name0, name1, … */
function names(group: Readonly<Record<string, Attribute>> | undefined, name: string): readonly string[] {
  if (!group) return [];
  if (Array.isArray(group[name])) return group[name];
  const parts: string[] = [];
  for (let i = 0; Array.isArray(group[`${name}${i}`]); i++) parts.push(...(group[`${name}${i}`] as string[]));
  return parts;
}
