/** Which data stay on the GPU for a whole run, and which are streamed through it. */
import { hostRows } from './host-rows.ts';
import type { Samples } from './samples.ts';
import type { Engine } from './steps.ts';

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

/** Whether these samples, which are used in one run, are streamed. `asked`: what the user said, or null. */
export function isStreamed(used: readonly Samples[], engine: Engine, asked: boolean | null): boolean {
  if (asked !== null) return asked;
  const columns = used.flatMap(({ x, y, weight }) => [x, y, weight]);
  const leaves = new Set(columns.flatMap((column) => (column && hostRows(column)?.leaves) ?? []));
  const bytes = [...leaves].reduce((sum, { host }) => sum + host!.byteLength, 0);
  return bytes > RESIDENT_SHARE * bytesLeft(engine);
}
