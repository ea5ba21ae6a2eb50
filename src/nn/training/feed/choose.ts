/** Which data stay on the GPU for a whole run, and which are streamed through it. */
import type { Tensor } from '../../../ops/tensor.ts';
import type { Model } from '../../models/model.ts';
import type { Engine } from '../steps.ts';
import { columnsOf } from './feed.ts';
import { seldom } from './on-demand.ts';
import { isMade, type Samples, type Source } from './samples.ts';

/** Without `maxBytes` nobody can know how much memory there is: so much is taken to be there … */
const ASSUMED_BYTES = 2 * 2 ** 30;
/** … but no more than so many of the largest buffers, which are small where memory is. */
const ASSUMED_BUFFERS = 2;
/** Data stay as long as they take no more than this share of what is left; the rest is for parameters and results. */
const RESIDENT_SHARE = 1 / 2;
/**
 * What streams through takes so much: submits of several milliseconds, in pieces that caches and the queue's own staging
 * memory hold. With 16 MiB a step of W1 on f32 rows took 22 % more than with rows that stay, with 4 MiB 2 % (llvmpipe, Dawn 0.6.2) …
 */
const WINDOW_BYTES = 4 << 20;
/** … and no more than this share of what is left. */
const WINDOW_SHARE = 1 / 4;

/** Bytes of GPU memory that may still be taken. */
function bytesLeft(engine: Engine): number {
  const { maxBufferSize } = engine.profile.limits;
  const most = engine.options.maxBytes ?? Math.min(ASSUMED_BYTES, ASSUMED_BUFFERS * maxBufferSize);
  return Math.max(0, most - engine.memory().allocatedBytes);
}

/** Bytes on the GPU for data on their way through. */
export const windowBytes = (engine: Engine): number =>
  Math.min(WINDOW_BYTES, WINDOW_SHARE * bytesLeft(engine));

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
  model: Model,
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
  const { streamableBytes } = await seldom();
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
