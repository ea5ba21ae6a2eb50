/** An epoch runs a step over a feed: submits, readings, and who hears of them. */
import { AbortError } from '../../base/errors.ts';
import type { Logs, Seen } from '../callbacks/callback.ts';
import type { CallbackList } from '../callbacks/list.ts';
import { FRAME_MS } from '../report/progress.ts';
import type { Chunk } from './feed/feed.ts';
import type { Loop } from './loop.ts';
import { BLOCK } from './meter.ts';
import { sorted } from './options.ts';

/** Who hears of a pass. */
export interface Listeners {
  /** Each batch is waited for and told, one by one. */
  readonly byBatch: {
    begin(batch: number): Promise<void>;
    end(batch: number, logs: Logs): Promise<void>;
    /** Whether to go no further. */
    stopped(): boolean;
  } | null;
  /** Told a few times a second, when somebody wants to know. */
  readonly progress: ((step: number, logs: Logs) => Promise<void>) | null;
}

export interface Pass extends Listeners {
  /** How many of the steps were done by another process, and what they added up to. */
  readonly begun?: Begun | null;
  /** Puts the next batches in place, `most` at most; null after the last. */
  next(most: number): Promise<Chunk | null>;
  /** Runs a batch that goes alone, and gives its sums. */
  alone?(): Promise<ArrayLike<number>>;
  readonly signal: AbortSignal | null;
  readonly operation: string;
}

export interface Begun {
  readonly step: number;
  readonly seen: Seen;
}

/** AbortError when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | null, operation: string): void {
  if (signal?.aborted) throw new AbortError(`${operation}: aborted by the signal.`, { cause: signal.reason });
}

/** Who listens to training, or to an evaluation; validation tells nobody of its `progress`. */
export function listenersTo(
  what: 'Train' | 'Test',
  callbacks: CallbackList,
  stopped: () => boolean = () => false,
  progress = true,
): Listeners {
  const [begin, end] = [`on${what}BatchBegin`, `on${what}BatchEnd`] as const;
  return {
    byBatch: callbacks.listen(begin, end)
      ? {
          begin: (batch) => callbacks.call(begin, batch, {}),
          end: (batch, logs) => callbacks.call(end, batch, sorted(logs)),
          stopped,
        }
      : null,
    progress:
      progress && callbacks.listen('onProgress')
        ? (step, logs) => callbacks.call('onProgress', step, sorted(logs))
        : null,
  };
}

/** Runs every batch once and gives the means over the samples that were seen, loss first and metrics as compiled. */
export async function runEpoch(loop: Loop, pass: Pass): Promise<Logs> {
  const { engine, tally, state, meter, pace, steps } = loop;
  const { byBatch, progress, signal, operation, begun = null } = pass;
  const means = (count: number): Logs => tally.results(meter.sums(), count);
  meter.restart(begun?.seen);
  pace.pause();
  let done = begun?.step ?? 0;
  /** Steps that the loop's state has added up, how many of them were read, and how many of those were cleared. */
  let added = done;
  let read = done;
  let cleared = done - (done % BLOCK);
  let told = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> = Promise.resolve();

  for (;;) {
    throwIfAborted(signal, operation);
    const chunk = await pass.next(byBatch ? 1 : pace.next(BLOCK - (added % BLOCK)));
    if (chunk === null) break;
    await byBatch?.begin(done);
    const apart = chunk.form === 'alone' ? await pass.alone!() : null;
    if (chunk.form !== 'alone') await steps[chunk.form]!.replay(chunk.count);
    done += chunk.count;
    meter.samples += chunk.samples;
    if (apart) {
      meter.add(apart);
      pace.pause();
    } else {
      added += chunk.count;
      pace.done(chunk.count);
    }

    const closes = added > cleared && (added % BLOCK === 0 || chunk.last);
    const due = progress !== null && !meter.isWaiting && performance.now() - told >= FRAME_MS;
    if (!closes && !due && !byBatch) continue;
    const [step, seen] = [done, meter.samples];
    const taken = added > read || closes ? meter.take(state.read(engine, closes), closes) : meter.settled();
    const logs = taken.then(() => means(seen));
    logs.catch(() => {});
    read = added;
    if (closes) cleared = added;
    if (byBatch) {
      await byBatch.end(step - 1, await logs);
      if (byBatch.stopped()) break;
    }
    if (progress && due) {
      told = performance.now();
      telling = Promise.all([logs, telling]).then(([now]) => progress(step, now));
      telling.catch(() => {});
    }
  }
  if (added > cleared) meter.take(state.read(engine, true), true);
  await meter.settled();
  await telling;
  return means(meter.samples);
}
