/** `model.save`, `model.saveWeights`, `model.toBytes`. */
import { ConfigError } from '../../base/errors.ts';
import { describe, readOptions } from '../names.ts';
import { type Contents, gather } from './contents.ts';
import { describeWhole, type Savable } from './describe-model.ts';
import { type Files, type FileTarget, writeFiles } from './files.ts';
import { writeKerasArchive } from './keras-archive.ts';
import { writeLegacyH5 } from './legacy-h5.ts';
import { writeSafetensors } from './safetensors.ts';
import { writeTfjs } from './tfjs.ts';
import { writeWeightsH5 } from './weights-h5.ts';

/** Whole models, then weights alone. */
export type FileFormat = 'keras' | 'h5' | 'tfjs' | 'weights.h5' | 'safetensors';

export interface SaveOptions {
  /** Default: what the name ends with. */
  format?: FileFormat | null;
  /** Whether the optimizer's state is kept, so that training can go on; default true. */
  includeOptimizer?: boolean;
}

const wholeModels = { keras: '.keras', h5: '.h5', tfjs: '.json' } as const;
const weightsAlone = { 'weights.h5': '.weights.h5', safetensors: '.safetensors' } as const;

/** The last part of a path or an address. */
const lastName = (target: FileTarget): string => {
  const path = typeof target === 'string' ? target : target instanceof URL ? target.pathname : target.name;
  return path.split(/[/\\]/).at(-1) ?? '';
};

function chooseFormat(name: string, asked: unknown, operation: string): FileFormat {
  const weights = operation === 'saveWeights';
  const offered: Record<string, string> = weights ? weightsAlone : wholeModels;
  if (asked !== null) {
    if (typeof asked === 'string' && Object.hasOwn(offered, asked)) return asked as FileFormat;
    throw new ConfigError(
      `${operation}: format is ${describe(asked)}; expected one of ${Object.keys(offered).join(', ')}.`,
    );
  }
  const other: Record<string, string> = weights ? wholeModels : weightsAlone;
  const ends = (table: Record<string, string>): string | undefined =>
    Object.keys(table)
      .filter((format) => name.endsWith(table[format]))
      .sort((a, b) => b.length - a.length)[0];
  const [here, there] = [ends(offered), ends(other)];
  if (here && (there?.length ?? 0) <= here.length) return here as FileFormat;
  const hint = there
    ? ` Such files are written by ${weights ? 'save' : 'saveWeights'}.`
    : ' Or name the format in the options.';
  throw new ConfigError(
    `${operation}: name is ${JSON.stringify(name)}; expected one that ends with ${Object.values(offered).join(', ')}.${hint}`,
  );
}

async function encode(
  model: Savable,
  format: FileFormat,
  name: string,
  includeOptimizer: boolean,
): Promise<Files> {
  const one = (bytes: Uint8Array): Files => ({ parts: [{ name, bytes }] });
  const contents = (): Promise<Contents> =>
    gather(model, includeOptimizer && format !== 'safetensors' && format !== 'tfjs');
  if (format === 'weights.h5') return one(writeWeightsH5(await contents()));
  if (format === 'safetensors') return one(writeSafetensors(await contents()));
  const description = describeWhole(model);
  if (format === 'keras') return one(await writeKerasArchive(await contents(), description));
  if (format === 'h5') return one(writeLegacyH5(await contents(), description));
  return writeTfjs(await contents(), description, name || 'model.json');
}

/** Writes the model, or only its weights, to a target. */
export async function saveTo(
  model: Savable,
  target: FileTarget,
  options: SaveOptions | undefined,
  operation: 'save' | 'saveWeights',
): Promise<void> {
  if (target === null || (typeof target !== 'string' && typeof target !== 'object'))
    throw new ConfigError(`${operation}: target is ${describe(target)}; expected a path or a handle.`);
  const { format: asked, includeOptimizer } = readOptions(operation, options, {
    format: null as FileFormat | null,
    includeOptimizer: true,
  });
  const folder = typeof target === 'object' && 'getFileHandle' in target;
  const format = chooseFormat(folder ? '' : lastName(target), folder ? (asked ?? 'tfjs') : asked, operation);
  const name = folder ? `model${{ ...wholeModels, ...weightsAlone }[format]}` : lastName(target);
  await writeFiles(target, await encode(model, format, name, includeOptimizer), operation);
}

/** The bytes of a file of any format but TensorFlow.js's, which has two files. */
export async function toBytes(model: Savable, format: FileFormat = 'keras'): Promise<Uint8Array> {
  if (!Object.hasOwn({ ...wholeModels, ...weightsAlone }, format) || format === 'tfjs')
    throw new ConfigError(
      `toBytes: format is ${describe(format)}; expected keras, h5, weights.h5 or safetensors.`,
    );
  return (await encode(model, format, 'model', true)).parts[0].bytes;
}
