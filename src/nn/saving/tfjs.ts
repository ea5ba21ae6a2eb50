/**
 * TensorFlow.js's `model.json`, with the weights in binary files beside it. Written in the older dialect that
 * it reads; files of its own, and those made from Keras models by its converter, are read.
 */
import { ConfigError, FormatError, ShapeError } from '../../base/errors.ts';
import { crc32 } from '../../data/zip.ts';
import type { Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { describe } from '../names.ts';
import type { Trainable } from '../training/trainable.ts';
import { type Contents, type Found, readState, stateText } from './contents.ts';
import type { Description } from './describe-model.ts';
import type { Files, OpenFile } from './files.ts';
import { isObject, type JsonObject, jsonText, listAt, objectAt, parseJson, textAt } from './json.ts';
import { bare, olderModel, olderTraining, recordOfOutputs } from './older.ts';
import { checkFit, layerPlaces, unique, weightPaths } from './places.ts';
import { checkedSize, type Values } from './values.ts';

// ---- writing

/** The binary file first: its name has its checksum, so that a new one never takes an old one's place. */
export function writeTfjs(
  { model, weights, state }: Contents,
  { model: description, compiled }: Description,
  name: string,
): Files {
  const named = namedWeights(model);
  // TensorFlow.js asks for names that differ; where layers of inner models share one, ours are numbered.
  const names = unique(named.map((one) => one.name));
  const all = named.map(({ weight }, i) => ({ name: names[i], values: weights.get(weight)! }));
  const paths = weightPaths(model);
  const data = new Uint8Array(all.reduce((sum, { values }) => sum + values.data.byteLength, 0));
  let at = 0;
  for (const { values } of all) {
    data.set(new Uint8Array(values.data.buffer, values.data.byteOffset, values.data.byteLength), at);
    at += values.data.byteLength;
  }
  const stem = name.replace(/\.json$/, '');
  const binary = `${stem}.weights.${crc32(data).toString(16).padStart(8, '0')}.bin`;
  const json = {
    format: 'layers-model',
    generatedBy: 'Weft',
    convertedBy: null,
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
      model_config: olderModel(description, { options: tfjsOptions, asLists: true }),
    },
    ...(compiled ? { trainingConfig: trainingConfig(compiled, description) } : {}),
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
    userDefinedMetadata: {
      weft: { ...JSON.parse(stateText(state)), weights: named.map(({ weight }) => paths.get(weight)!) },
    },
  };
  return {
    parts: [
      { name: binary, bytes: data },
      { name, bytes: new TextEncoder().encode(jsonText(json)) },
    ],
    // Weights of earlier saves under this name.
    isObsolete: (one) =>
      one !== binary &&
      one.startsWith(`${stem}.weights.`) &&
      /^[0-9a-f]{8}\.bin$/.test(one.slice(stem.length + 9)),
  };
}

/** What TensorFlow.js calls weights that have another name in Keras 3. */
const tfjsWeight = (layer: Layer, { name }: Variable): string =>
  name === 'kernel' && layer.className.startsWith('DepthwiseConv') ? 'depthwise_kernel' : name;

/** TensorFlow.js calls a weight by its layer, whatever the model around it is called. */
const namedWeights = (model: Trainable): { layer: Layer; weight: Variable; name: string }[] =>
  layerPlaces(model).flatMap(({ layer, weights }) =>
    weights.map((weight) => ({ layer, weight, name: `${layer.name}/${tfjsWeight(layer, weight)}` })),
  );

/** Values without modules, and shapes as `batch_input_shape`. */
const tfjsOptions = ({ batch_shape, build_input_shape: _, ...rest }: JsonObject): JsonObject => ({
  ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, bare(value)])),
  ...(batch_shape ? { batch_input_shape: batch_shape } : {}),
});

function trainingConfig(compiled: Record<string, unknown>, description: JsonObject): object {
  const { loss, metrics, loss_weights: lossWeights } = olderTraining(compiled, recordOfOutputs(description));
  const { class_name: className, config } = compiled.optimizer as JsonObject;
  return {
    loss,
    metrics: metricsByName(metrics, layersOfOutputs(description)),
    ...(lossWeights === null ? {} : { loss_weights: lossWeights }),
    optimizer_config: { class_name: className === 'RMSprop' ? 'RMSProp' : className, config },
  };
}

/** It knows metrics by name only, and those of several outputs by the names of their layers. */
function metricsByName(metrics: unknown, outputs: readonly string[]): unknown {
  const words = (of: unknown): unknown[] => [of].flat().filter((metric) => typeof metric === 'string');
  if (outputs.length < 2 || !Array.isArray(metrics)) return words(metrics);
  return Object.fromEntries(outputs.map((name, i) => [name, words(metrics[i])]));
}

function layersOfOutputs({ config }: JsonObject): readonly string[] {
  const ends = isObject(config) ? config.output_layers : null;
  const all = isObject(ends) ? Object.values(ends) : Array.isArray(ends) ? ends : [];
  return all.filter(Array.isArray).map(([name]) => String(name));
}

// ---- reading

export interface TfjsModel {
  readonly config: unknown;
  readonly compiled: JsonObject | null;
  readonly tensors: Map<string, Values>;
  readonly state: Found['state'];
  /** Where the weights belong, in the order of `tensors`; null where the file is not ours. */
  readonly paths: readonly string[] | null;
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
    const needed = specs.reduce((sum, { size, packing }) => sum + packing.bytes * size, 0);
    if (held !== needed)
      throw new FormatError(`${where}: weights take ${needed} bytes; their files hold ${held}.`);
    const data = new Uint8Array(held);
    parts.reduce((at, part) => {
      data.set(part, at);
      return at + part.length;
    }, 0);
    let at = 0;
    for (const { name, shape, size, packing } of specs) {
      if (tensors.has(name)) throw new FormatError(`${where}: ${name} is there twice.`);
      const end = at + packing.bytes * size;
      // A copy: numbers of one byte leave those after them at any place.
      tensors.set(name, { shape, data: packing.read(data.slice(at, end).buffer) });
      at = end;
    }
  }
  const own = isObject(json.userDefinedMetadata) ? json.userDefinedMetadata.weft : undefined;
  const where = `${file}, userDefinedMetadata.weft`;
  const paths = isObject(own) && own.weights !== undefined ? listAt(own.weights, `${where}.weights`) : null;
  if (paths && (paths.length !== tensors.size || new Set(paths).size < paths.length))
    throw new FormatError(
      `${where}.weights: names ${new Set(paths).size} weights; the file holds ${tensors.size}.`,
    );
  return {
    config: topology.model_config ?? topology,
    compiled: isObject(training) ? { ...training, optimizer: training.optimizer_config } : null,
    tensors,
    state: own === undefined ? null : readState(own, where),
    paths: paths?.map((path) => textAt(path, `${where}.weights`)) ?? null,
  };
}

/** How the numbers of a weight lie in a file. */
interface Packing {
  /** For each number. */
  readonly bytes: number;
  read(bytes: ArrayBuffer): Float32Array | Int32Array;
}

/** Numbers as they are. */
const plain: Readonly<Record<string, Packing>> = {
  float32: { bytes: 4, read: (bytes) => new Float32Array(bytes) },
  int32: { bytes: 4, read: (bytes) => new Int32Array(bytes) },
};

/** Whole numbers q that stand for q · scale + min, in float64 as TensorFlow.js has it, and halves that stand for themselves. */
const quantized: Readonly<Record<string, (scale: number, min: number) => Packing>> = {
  uint8: (scale, min) => ({
    bytes: 1,
    read: (bytes) => Float32Array.from(new Uint8Array(bytes), (q) => q * scale + min),
  }),
  uint16: (scale, min) => ({
    bytes: 2,
    read: (bytes) => Float32Array.from(new Uint16Array(bytes), (q) => q * scale + min),
  }),
  float16: () => ({ bytes: 2, read: (bytes) => Float32Array.from(new Uint16Array(bytes), fromHalf) }),
};

/** The number that 16 bits stand for. */
function fromHalf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

function packingOf(dtype: unknown, quantization: unknown, where: string): Packing {
  if (quantization === undefined || quantization === null) {
    if (typeof dtype === 'string' && Object.hasOwn(plain, dtype)) return plain[dtype];
    throw new FormatError(`${where}: dtype is ${describe(dtype)}; float32 and int32 are read.`);
  }
  const { dtype: kind, scale, min } = objectAt(quantization, `${where}.quantization`);
  const isKnown = typeof kind === 'string' && Object.hasOwn(quantized, kind) && dtype === 'float32';
  if (isKnown && (kind === 'float16' || (Number.isFinite(scale) && Number.isFinite(min))))
    return quantized[kind](scale as number, min as number);
  throw new FormatError(
    `${where}: ${describe(dtype)} is quantized as ${describe(kind)} with scale ${describe(scale)} and min ${describe(min)}; float32 as ${Object.keys(quantized).join(', ')} is read.`,
  );
}

function spec(given: unknown, where: string) {
  const { name, shape, dtype, quantization } = objectAt(given, where);
  const packing = packingOf(dtype, quantization, where);
  const sizes = listAt(shape, `${where}.shape`) as number[];
  return {
    name: textAt(name, `${where}.name`),
    shape: sizes,
    size: checkedSize(sizes, `${where}.shape`),
    packing,
  };
}

export function findTfjsWeights(found: TfjsModel, model: Trainable, where: string): Found {
  const { paths } = found;
  const left = new Map(
    paths ? [...found.tensors.values()].map((values, i) => [paths[i], values]) : found.tensors,
  );
  const places = weightPaths(model);
  const weights = namedWeights(model).map(({ layer, weight, name }) => {
    const key = paths ? places.get(weight)! : keyFor(name, left);
    const values = checkFit(left.get(key), weight, layer, `${where}, ${key}`);
    left.delete(key);
    return [weight, values] as const;
  });
  for (const [name, { shape }] of left)
    throw new ShapeError(
      `${where}, ${name}: ${model.name} expects no such weight; found [${shape.join(', ')}].`,
    );
  return { weights, optimizer: null, state: found.state };
}

/** The name as it is, or with the model's in front, which converters put there. */
function keyFor(name: string, tensors: ReadonlyMap<string, unknown>): string {
  if (tensors.has(name)) return name;
  return [...tensors.keys()].find((one) => one.endsWith(`/${name}`)) ?? name;
}
