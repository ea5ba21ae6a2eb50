/** Which data stay on the GPU for a whole run, and which are streamed through it. */

import { loaded } from '../../../base/loaded.ts';
import { isDataset } from '../../../data/pipeline/is-dataset.ts';
import type { Tensor } from '../../../ops/tensor.ts';
import type { Engine } from '../steps.ts';
import type { Trainable } from '../trainable.ts';
import { columnsOf } from './feed.ts';
import { Resident, type RowsOf } from './resident.ts';
import { bytesLeft } from './room.ts';
import {
  type GivenSamples,
  isMade,
  type Purpose,
  type Samples,
  type Source,
  takeSamples,
} from './samples.ts';

/** Data stay as long as they take no more than this share of what is left; the rest is for parameters and results. */
const RESIDENT_SHARE = 1 / 2;

/** Where a run takes place. */
export interface Place {
  readonly engine: Engine;
  readonly streamed: boolean;
}

/**
 * Where a run over these takes place: all of it where its first samples are, whatever engine the others have been on, and
 * where they are together too much for the GPU, all are streamed. Null where every batch is made on the way. `asked`:
 * whether to stream, as the user said, or null.
 */
export async function placeOf(
  model: Trainable,
  sources: readonly (Source | null)[],
  asked: boolean | null,
): Promise<Place | null> {
  const samples = sources.filter((one): one is Samples => one !== null && !isMade(one));
  if (samples.length === 0) return null;
  const engine = await model.engineFor(samples[0].inputs[0]);
  return { engine, streamed: asked ?? (await areTooMuch(samples, engine)) };
}

/** Whether samples that are used in one run take more of the GPU's memory than they should. */
async function areTooMuch(used: readonly Samples[], engine: Engine): Promise<boolean> {
  const columns = used.flatMap(columnsOf);
  const most = RESIDENT_SHARE * bytesLeft(engine);
  // Which of the numbers can be streamed is looked into where it matters.
  if (hostBytes(columns) <= most) return false;
  const { streamableBytes } = await others();
  return streamableBytes(columns) > most;
}

/** Bytes on the host of all that these are made of. */
function hostBytes(columns: readonly Tensor[]): number {
  let bytes = 0;
  const nodes = new Set(columns);
  for (const { storage, host, inputs } of nodes) {
    if (storage) continue;
    bytes += host?.byteLength ?? 0;
    for (const input of inputs) nodes.add(input);
  }
  return bytes;
}

/** Samples of a step: as many as the dataset says, as were asked for, as make so many steps of all, or Keras's 32. */
export const batchSizeFor = (samples: Samples, asked: number | null, steps: number | null): number =>
  samples.batchSize ?? asked ?? (steps === null ? DEFAULT_BATCH : Math.ceil(samples.count / steps));

const DEFAULT_BATCH = 32;

/** Batches of samples that are on the GPU for the whole run, or that are streamed. */
export async function feedOf(
  samples: Samples,
  batchSize: number,
  rowsOf: RowsOf | null,
  { engine, streamed }: Place,
): Promise<Resident> {
  const Batches = streamed ? (await others()).Streamed : Resident;
  return new Batches(samples, batchSize, engine, rowsOf);
}

/** What is given for x, y and weights: arrays, tensors, or a dataset of them. */
export async function takeSource(given: GivenSamples, purpose: Purpose): Promise<Source> {
  if (!isDataset(given.x)) return takeSamples(given, purpose);
  const { takeDataset } = await others();
  return takeDataset(given.x, given, purpose);
}

const others = () => loaded('weft: data that are streamed, and datasets', import('./index.ts'));
