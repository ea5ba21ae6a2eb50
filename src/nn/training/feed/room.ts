/** How much of the GPU's memory data may take: those that stay there, and those that stream through it. */
import type { Engine } from '../steps.ts';

/** Without `maxBytes` nobody can know how much memory there is: so much is taken to be there … */
const ASSUMED_BYTES = 2 * 2 ** 30;
/** … but no more than so many of the largest buffers, which are small where memory is. */
const ASSUMED_BUFFERS = 2;
/**
 * What streams through takes so much: submits of several milliseconds, in pieces that caches and the queue's own staging
 * memory hold. With 16 MiB a step of W1 on f32 rows took 22 % more than with rows that stay, with 4 MiB 2 % (llvmpipe, Dawn 0.6.2) …
 */
const WINDOW_BYTES = 4 << 20;
/** … and no more than this share of what is left. */
const WINDOW_SHARE = 1 / 4;

/** Bytes of GPU memory that may still be taken. */
export function bytesLeft(engine: Engine): number {
  const { maxBufferSize } = engine.profile.limits;
  const most = engine.options.maxBytes ?? Math.min(ASSUMED_BYTES, ASSUMED_BUFFERS * maxBufferSize);
  return Math.max(0, most - engine.memory().allocatedBytes);
}

/** Bytes on the GPU for data on their way through. */
export const windowBytes = (engine: Engine): number =>
  Math.min(WINDOW_BYTES, WINDOW_SHARE * bytesLeft(engine));
