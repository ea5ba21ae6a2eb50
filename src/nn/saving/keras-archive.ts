/** `.keras`: a zip archive of metadata, architecture and weights. */
import { FormatError } from '../../base/errors.ts';
import { readZip, writeZip } from '../../data/zip.ts';
import type { Contents } from './contents.ts';
import type { Description } from './describe-model.ts';
import type { Hdf5 } from './hdf5-contents.ts';
import { isObject, type JsonObject, jsonText, objectAt, parseJson } from './json.ts';
import { KERAS_VERSION } from './keras-names.ts';
import { readWeightsH5, writeWeightsH5 } from './weights-h5.ts';

const CONFIG = 'config.json';
const WEIGHTS = 'model.weights.h5';

export async function writeKerasArchive(
  contents: Contents,
  { model, compiled }: Description,
): Promise<Uint8Array> {
  const config = { ...model, ...(compiled ? { compile_config: compiled } : {}) };
  const saved = new Date().toISOString().replace('T', '@').slice(0, 19);
  const text = (value: object): Uint8Array => new TextEncoder().encode(jsonText(value));
  return writeZip({
    'metadata.json': text({ keras_version: KERAS_VERSION, date_saved: saved }),
    [CONFIG]: text(config),
    [WEIGHTS]: writeWeightsH5(contents),
  });
}

export interface KerasArchive {
  readonly config: JsonObject;
  readonly compiled: JsonObject | null;
  readonly weights: Hdf5;
  /** Where messages say that weights came from. */
  readonly weightsPlace: string;
  readonly configPlace: string;
}

export async function readKerasArchive(bytes: Uint8Array, file: string): Promise<KerasArchive> {
  const files = await readZip(bytes, file);
  const entry = (name: string): Uint8Array => {
    const content = files.get(name);
    if (content) return content;
    throw new FormatError(`${file}: ${name} is missing. Is it a .keras file?`);
  };
  const configPlace = `${file}, ${CONFIG}`;
  const weightsPlace = `${file}, ${WEIGHTS}`;
  const config = objectAt(parseJson(entry(CONFIG), configPlace), configPlace);
  const compiled = config.compile_config;
  return {
    config,
    compiled: isObject(compiled) && Object.keys(compiled).length > 0 ? compiled : null,
    weights: await readWeightsH5(entry(WEIGHTS), weightsPlace),
    weightsPlace,
    configPlace,
  };
}
