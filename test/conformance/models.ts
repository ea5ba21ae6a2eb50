/** The file's descriptions of layers, models and optimizers, made into Weft's. */
import { type Engine, layers, optimizers, regularizers, sequential, tensor } from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import type { ConformanceCase } from './cases.ts';

export type Options = Record<string, unknown>;

/** 'mean_squared_error' → 'meanSquaredError': tables of functions have camelCase keys. */
export const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What the case's name says behind its first dot: 'loss.mean_squared_error' → 'meanSquaredError'. */
export const subject = ({ op }: ConformanceCase): string => camelCase(op.slice(op.indexOf('.') + 1));

/** Weft's layer for a type of the file, whose options are Keras's. */
export const makers: Record<string, (config: Options) => layers.Layer> = {
  dense: (config) => layers.dense(config as never),
  flatten: (config) => layers.flatten(config),
  activation: (config) => layers.activation(config as never),
  dropout: (config) => layers.dropout(config as never),
  reshape: (config) => layers.reshape(config as never),
};

/** A Sequential of the file's layers, each `{ type, …options }`. */
export function modelOf(list: readonly Options[], inputShape?: readonly number[]) {
  return sequential([
    ...(inputShape ? [layers.input({ shape: [...inputShape] })] : []),
    ...list.map(({ type, ...config }) => makers[type as string](withRegularizers(config))),
  ]);
}

/** The file gives a regularizer by its factors alone. */
const withRegularizers = (config: Options): Options =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) =>
      key.endsWith('_regularizer') && value !== null
        ? [key, regularizers.l1l2(value as never)]
        : [key, value],
    ),
  );

export const optimizerOf = ({ name, ...options }: Options) => optimizers[name as 'sgd'](options as never);

export const quiet = { verbose: 0, shuffle: false } as const;

/** A small regression, learnable or frozen; its data decide on which engine it runs. */
export function regression(
  rows: number,
  { trainable = true, engine }: { trainable?: boolean; engine?: Engine } = {},
) {
  const random = generator(rows);
  const model = sequential([
    layers.input({ shape: [4] }),
    layers.dense({ units: 3, activation: 'relu', trainable }),
    layers.dense({ units: 1, trainable }),
  ]);
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  return {
    model,
    x: tensor(random.array(rows * 4, -1, 1), { shape: [rows, 4], engine }),
    y: tensor(random.array(rows, -1, 1), { shape: [rows, 1], engine }),
  };
}
