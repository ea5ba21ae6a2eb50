/**
 * TensorFlow.js's `model.json`, with the weights in binary files beside it. Written in the older dialect that
 * it reads; files of its own, and those made from Keras models by its converter, are read.
 */
import { ConfigError, FormatError, ShapeError } from '../../base/errors.ts';
import { crc32 } from '../../data/zip.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Model } from '../models/model.ts';
import { describe } from '../names.ts';
import { describeCompiled } from './compile-config.ts';
import { type Contents, type Found, randomStateText, readRandomState } from './contents.ts';
import { describeModel } from './describe-model.ts';
import type { OpenFile } from './files.ts';
import { isObject, type JsonObject, listAt, objectAt, parseJson, textAt } from './json.ts';
import { checkFit, layerPlaces } from './places.ts';
import { checkedSize, type Values } from './values.ts';

// ---- writing

/** The binary file first: its name has its checksum, so that a new one never takes an old one's place. */
export function writeTfjs(contents: Contents, name: string): { name: string; bytes: Uint8Array }[] {
  const { model, weights, random } = contents;
  const all = namedWeights(model).map((one) => ({ ...one, values: weights.get(one.weight)! }));
  const data = new Uint8Array(all.reduce((sum, { values }) => sum + values.data.byteLength, 0));
  let at = 0;
  for (const { values } of all) {
    data.set(new Uint8Array(values.data.buffer, values.data.byteOffset, values.data.byteLength), at);
    at += values.data.byteLength;
  }
  const stem = name.replace(/\.json$/, '');
  const binary = `${stem}.weights.${crc32(data).toString(16).padStart(8, '0')}.bin`;
  const compiled = describeCompiled(model);
  const json = {
    format: 'layers-model',
    generatedBy: 'Weft',
    convertedBy: null,
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
      model_config: older(describeModel(model)),
    },
    ...(compiled ? { trainingConfig: trainingConfig(compiled) } : {}),
    weightsManifest: [
      {
        paths: [binary],
        weights: all.map(({ name: weight, values }) => ({
          name: weight,
          shape: values.shape,
          dtype: 'float32',
        })),
      },
    ],
    userDefinedMetadata: { weft: JSON.parse(randomStateText(random)) },
  };
  return [
    { name: binary, bytes: data },
    { name, bytes: new TextEncoder().encode(JSON.stringify(json)) },
  ];
}

/** TensorFlow.js calls a weight by its layer, whatever the model around it is called. */
const namedWeights = (model: Model): { layer: Layer; weight: Variable; name: string }[] =>
  layerPlaces(model).flatMap(({ layer, weights }) =>
    weights.map((weight) => ({ layer, weight, name: `${layer.name}/${weight.name}` })),
  );

/** Descriptions without modules, and shapes as `batch_input_shape`. */
function older({ class_name, config }: JsonObject): JsonObject {
  const { layers, batch_shape, build_input_shape: _, ...rest } = config as JsonObject;
  return {
    class_name,
    config: {
      ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, bare(value)])),
      ...(batch_shape ? { batch_input_shape: batch_shape } : {}),
      ...(Array.isArray(layers) ? { layers: layers.map(older) } : {}),
    },
  };
}

const bare = (value: unknown): unknown =>
  isObject(value) && 'class_name' in value ? { class_name: value.class_name, config: value.config } : value;

function trainingConfig({ loss, metrics, optimizer }: Record<string, unknown>): object {
  const { class_name: className, config } = optimizer as JsonObject;
  return {
    loss: bare(loss),
    // It knows metrics by name only.
    metrics: ((metrics as unknown[] | null) ?? []).filter((metric) => typeof metric === 'string'),
    optimizer_config: { class_name: className === 'RMSprop' ? 'RMSProp' : className, config },
  };
}

// ---- reading

export interface TfjsModel {
  readonly config: unknown;
  readonly compiled: JsonObject | null;
  readonly tensors: Map<string, Values>;
  readonly random: Found['random'];
}

export async function readTfjs({ name: file, bytes, neighbour }: OpenFile): Promise<TfjsModel> {
  const json = objectAt(parseJson(bytes, file), file);
  if (json.format !== undefined && json.format !== 'layers-model')
    throw new ConfigError(`${file}: format is ${describe(json.format)}; only layers-model is offered.`);
  const topology = objectAt(json.modelTopology, `${file}, modelTopology`);
  const training = json.trainingConfig ?? topology.training_config;
  const tensors = new Map<string, Values>();
  const groups = listAt(json.weightsManifest, `${file}, weightsManifest`);
  for (let i = 0; i < groups.length; i++) {
    const where = `${file}, weightsManifest[${i}]`;
    const { paths, weights } = objectAt(groups[i], where);
    const specs = listAt(weights, `${where}.weights`).map((one, j) => spec(one, `${where}.weights[${j}]`));
    const parts: Uint8Array[] = [];
    for (const path of listAt(paths, `${where}.paths`))
      parts.push(await neighbour(textAt(path, `${where}.paths`)));
    const held = parts.reduce((sum, part) => sum + part.length, 0);
    const needed = specs.reduce((sum, { size }) => sum + 4 * size, 0);
    if (held !== needed)
      throw new FormatError(`${where}: weights take ${needed} bytes; their files hold ${held}.`);
    const data = new Uint8Array(held);
    parts.reduce((at, part) => {
      data.set(part, at);
      return at + part.length;
    }, 0);
    let at = 0;
    for (const { name, shape, size, integer } of specs) {
      if (tensors.has(name)) throw new FormatError(`${where}: ${name} is there twice.`);
      tensors.set(name, {
        shape,
        data: integer ? new Int32Array(data.buffer, at, size) : new Float32Array(data.buffer, at, size),
      });
      at += 4 * size;
    }
  }
  const own = isObject(json.userDefinedMetadata) ? json.userDefinedMetadata.weft : undefined;
  return {
    config: topology.model_config ?? topology,
    compiled: isObject(training) ? { ...training, optimizer: training.optimizer_config } : null,
    tensors,
    random: own === undefined ? null : readRandomState(own, `${file}, userDefinedMetadata.weft`),
  };
}

function spec(given: unknown, where: string) {
  const { name, shape, dtype, quantization } = objectAt(given, where);
  if (!['float32', 'int32'].includes(dtype as string) || quantization)
    throw new FormatError(
      `${where}: dtype is ${describe(quantization ? 'quantized' : dtype)}; float32 and int32 are read.`,
    );
  const sizes = listAt(shape, `${where}.shape`) as number[];
  return {
    name: textAt(name, `${where}.name`),
    shape: sizes,
    size: checkedSize(sizes, `${where}.shape`),
    integer: dtype === 'int32',
  };
}

export function findTfjsWeights(found: TfjsModel, model: Model, where: string): Found {
  const left = new Map(found.tensors);
  const weights = namedWeights(model).map(({ layer, weight, name }) => {
    // Converters put the model's name in front.
    const key = [...left.keys()].find((one) => one === name || one.endsWith(`/${name}`)) ?? name;
    const values = checkFit(left.get(key), weight, layer, `${where}, ${name}`);
    left.delete(key);
    return [weight, values] as const;
  });
  for (const [name, { shape }] of left)
    throw new ShapeError(
      `${where}, ${name}: ${model.name} expects no such weight; found [${shape.join(', ')}].`,
    );
  return { weights, optimizer: null, random: found.random };
}
