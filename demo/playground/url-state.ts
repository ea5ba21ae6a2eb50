/**
 * Settings to the part of an address after # and back, so that a shared address opens the same experiment:
 * `#data=garments&net=128-relu,64-tanh&optimizer=adam&rate=0.001&batch=64&seed=1&validation=0.1`.
 */
import {
  ACTIVATIONS,
  type ActivationName,
  DATA_SOURCES,
  DEFAULTS,
  type LayerSettings,
  LIMITS,
  OPTIMIZERS,
  type Settings,
  USUAL_RATE,
} from './protocol.ts';

/** The whole address part for these settings, # included. Every setting is in it, so defaults may change. */
export function toHash(settings: Settings): string {
  const net = settings.layers.map(({ units, activation }) => `${units}-${activation}`).join(',');
  const pairs = [
    ['data', settings.data],
    ['net', net || 'none'],
    ['optimizer', settings.optimizer],
    ['rate', settings.learningRate],
    ['batch', settings.batchSize],
    ['seed', settings.seed],
    ['validation', settings.validationShare],
  ];
  return `#${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

/** Settings from an address, and what in it could not be followed. */
export interface FromHash {
  readonly settings: Settings;
  /** One sentence each, quoting the address: show them as text. Empty when all was understood. */
  readonly complaints: readonly string[];
}

/** Reads an address part, with or without #. What is missing or nonsense becomes the default and is told. */
export function fromHash(hash: string): FromHash {
  const complaints: string[] = [];
  const given = readPairs(hash, complaints);

  const choice = <T extends string>(key: string, known: readonly T[], otherwise: T): T => {
    const text = given.get(key);
    if (text === undefined || known.includes(text as T)) return (text ?? otherwise) as T;
    complaints.push(`${key}: ${quote(text)} is not known; took ${otherwise}.`);
    return otherwise;
  };
  const number = (key: string, { least, most }: Range, otherwise: number, whole: boolean): number => {
    const text = given.get(key);
    if (text === undefined) return otherwise;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const kind = whole ? 'a whole number' : 'a number';
    complaints.push(`${key}: ${quote(text)} is not ${kind} from ${least} to ${most}; took ${otherwise}.`);
    return otherwise;
  };

  const optimizer = choice('optimizer', OPTIMIZERS, DEFAULTS.optimizer);
  const settings: Settings = {
    data: choice('data', DATA_SOURCES, DEFAULTS.data),
    layers: readLayers(given.get('net'), complaints),
    optimizer,
    learningRate: number('rate', LIMITS.learningRate, USUAL_RATE[optimizer], false),
    batchSize: number('batch', LIMITS.batchSize, DEFAULTS.batchSize, true),
    seed: number('seed', LIMITS.seed, DEFAULTS.seed, true),
    validationShare: number('validation', LIMITS.validationShare, DEFAULTS.validationShare, false),
  };
  return { settings, complaints };
}

interface Range {
  readonly least: number;
  readonly most: number;
}

const KEYS = ['data', 'net', 'optimizer', 'rate', 'batch', 'seed', 'validation'];

/** More than this is no address of ours, and is not looked at. */
const LONGEST = 2000;
/** Of the address, so much is quoted. */
const QUOTED = 40;

const quote = (text: string): string =>
  JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);

function readPairs(hash: string, complaints: string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  const text = hash.replace(/^#/, '');
  if (text.length > LONGEST) {
    complaints.push(`The address is ${text.length} characters long and was not read.`);
    return pairs;
  }
  for (const [key, value] of new URLSearchParams(text)) {
    if (!KEYS.includes(key)) complaints.push(`${quote(key)} is no setting.`);
    else if (pairs.has(key)) complaints.push(`${key} is there twice; took the first.`);
    else pairs.set(key, value);
  }
  return pairs;
}

/** '128-relu,64-tanh' or 'none'. One layer that makes no sense, and the default network is taken. */
function readLayers(text: string | undefined, complaints: string[]): readonly LayerSettings[] {
  if (text === undefined) return DEFAULTS.layers;
  if (text === 'none') return [];
  const refuse = (why: string): readonly LayerSettings[] => {
    complaints.push(`net: ${why}; took the usual network.`);
    return DEFAULTS.layers;
  };
  const parts = text.split(',');
  if (parts.length > LIMITS.layers.most) return refuse(`${parts.length} layers are too many`);
  const layers: LayerSettings[] = [];
  for (const part of parts) {
    const [, digits, name] = /^(\d+)-(\w+)$/.exec(part) ?? [];
    const units = Number(digits);
    const activation = ACTIVATIONS.find((known): known is ActivationName => known === name);
    if (!activation || units < LIMITS.units.least || units > LIMITS.units.most)
      return refuse(`${quote(part)} is no layer such as 128-relu`);
    layers.push({ units, activation });
  }
  return layers;
}
