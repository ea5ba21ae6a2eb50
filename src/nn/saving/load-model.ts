import { ConfigError, WeftError } from '../../base/errors.ts';
import { isZip } from '../../data/zip.ts';
import type { Layer } from '../layers/layer.ts';
import type { Functional } from '../models/functional.ts';
import type { Sequential } from '../models/sequential.ts';
import { readOptions } from '../names.ts';
import { buildModel } from './build-model.ts';
import { compileAsSaved } from './compile-config.ts';
import { type Found, restore } from './contents.ts';
import { type FileSource, type OpenFile, openFile } from './files.ts';
import { isHdf5 } from './hdf5.ts';
import type { JsonObject } from './json.ts';
import { readKerasArchive } from './keras-archive.ts';
import { findLegacyWeights, isLegacy, legacyConfig, readAnyH5 } from './legacy-h5.ts';
import { looksLikeJson, unknownFormat } from './load-weights.ts';
import { type CustomObjects, OwnObjects } from './own.ts';
import { isSafetensors } from './safetensors.ts';
import { findTfjsWeights, readTfjs } from './tfjs.ts';
import type { Values } from './values.ts';
import { findWeights } from './weights-h5.ts';

export interface LoadOptions {
  /** Whether the model is compiled as it was when it was saved; default true. */
  compile?: boolean;
  /**
   * What in the file is the user's own, by the names that it has there: functions for activations, initializers,
   * regularizers, constraints, losses and metrics; classes of layers, or functions from options to a layer.
   */
  customObjects?: CustomObjects;
  /** Layers of one's own alone. */
  customLayers?: CustomLayers;
}

export interface CustomLayers {
  readonly [className: string]: (config: Record<string, unknown>) => Layer;
}

/** A whole model in any format, before it is one. */
interface StoredModel {
  readonly config: unknown;
  readonly place: string;
  readonly compiled: JsonObject | null;
  readonly arrays: Iterable<Values>;
  find(model: Sequential | Functional): Found;
}

/** See {@link ./load.ts}. */
export async function readModel(source: FileSource, options?: LoadOptions): Promise<Sequential | Functional> {
  const { compile, customLayers, customObjects } = readOptions('loadModel', options, {
    compile: true,
    customLayers: {} as CustomLayers,
    customObjects: {} as CustomObjects,
  });
  const own = new OwnObjects({ ...customLayers, ...customObjects });
  const file = await openFile(source, 'loadModel');
  const stored = await readStored(file);
  let most = 0;
  for (const { data } of stored.arrays) most += data.length;
  const model = buildModel(stored.config, stored.place, { most, own });
  const found = stored.find(model);
  if (compile && stored.compiled) await compileAsSaved(model, stored.compiled, stored.place, own);
  try {
    await restore(model, found, file.name, { strict: true });
  } catch (error) {
    if (error instanceof WeftError) model.dispose();
    throw error;
  }
  return model;
}

async function readStored(file: OpenFile): Promise<StoredModel> {
  const { name, bytes } = file;
  if (isZip(bytes)) {
    const { config, configPlace, compiled, weights, weightsPlace } = await readKerasArchive(bytes, name);
    return {
      config,
      place: configPlace,
      compiled,
      arrays: weights.arrays.values(),
      find: (model) => findWeights(weights, model, weightsPlace),
    };
  }
  if (isHdf5(bytes)) {
    const tree = await readAnyH5(bytes, name);
    if (!isLegacy(tree)) throw weightsOnly(file);
    const { model: config, compiled } = legacyConfig(tree, name);
    return {
      config,
      place: `${name}, model_config`,
      compiled,
      arrays: tree.arrays.values(),
      find: (model) => findLegacyWeights(tree, model, name),
    };
  }
  if (looksLikeJson(bytes)) {
    const stored = await readTfjs(file);
    return {
      config: stored.config,
      place: `${name}, modelTopology`,
      compiled: stored.compiled,
      arrays: stored.tensors.values(),
      find: (model) => findTfjsWeights(stored, model, name),
    };
  }
  if (isSafetensors(bytes)) throw weightsOnly(file);
  throw unknownFormat(file);
}

const weightsOnly = ({ name }: OpenFile): ConfigError =>
  new ConfigError(`loadModel: ${name} holds weights alone. Build the model and call loadWeights.`);
