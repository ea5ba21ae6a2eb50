/** One pass over the samples: submits, readings, and who hears of them. */
import { AbortError } from '../../base/errors.ts';
import type { Logs } from '../callbacks/callback.ts';
import { FRAME_MS } from '../report/progress.ts';
import { BLOCK, type Meter } from './meter.ts';
import type { Pace } from './pace.ts';
import type { Batches, Engine, LoopState, StepPair } from './steps.ts';

export interface Pass {
  readonly engine: Engine;
  readonly steps: StepPair;
  readonly batches: Batches;
  readonly state: LoopState;
  readonly meter: Meter;
  readonly pace: Pace;
  /** Loss and metrics from sums over so many samples. */
  results(sums: Float64Array, samples: number): Logs;
  /** Each batch is waited for and told, one by one. */
  readonly byBatch: {
    begin(batch: number): Promise<void>;
    end(batch: number, logs: Logs): Promise<void>;
    /** Whether to go no further. */
    stopped(): boolean;
  } | null;
  /** Told a few times a second, when somebody wants to know. */
  readonly progress: ((step: number, logs: Logs) => Promise<void>) | null;
  readonly signal: AbortSignal | null;
  readonly operation: string;
}

/** AbortError when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | null, operation: string): void {
  if (signal?.aborted) throw new AbortError(`${operation}: aborted by the signal.`, { cause: signal.reason });
}

/** Runs every batch once and gives the means over the samples that were seen. */
export async function runPass(pass: Pass): Promise<Logs> {
  const { engine, steps, batches, state, meter, pace, byBatch, progress, signal, operation } = pass;
  const logsAfter = (step: number): Logs => pass.results(meter.sums(), batches.samplesIn(step));
  meter.restart();
  pace.pause();
  let done = 0;
  let told = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> = Promise.resolve();

  while (done < batches.steps) {
    throwIfAborted(signal, operation);
    await byBatch?.begin(done);
    const isRest = done === batches.full;
    const untilBlock = BLOCK - (done % BLOCK);
    const count = byBatch || isRest ? 1 : pace.next(Math.min(batches.full - done, untilBlock));
    await (isRest ? steps.rest! : steps.whole).replay(count);
    pace.done(count);
    done += count;

    const closes = done % BLOCK === 0 || done === batches.steps;
    const due = progress !== null && !meter.isWaiting && performance.now() - told >= FRAME_MS;
    if (!closes && !due && !byBatch) continue;
    const step = done;
    const taken = meter.take(state.read(engine, closes), closes);
    if (byBatch) {
      await taken;
      await byBatch.end(step - 1, logsAfter(step));
      if (byBatch.stopped()) break;
    }
    if (progress && due) {
      told = performance.now();
      const logs = taken.then(() => logsAfter(step));
      telling = Promise.all([logs, telling]).then(([now]) => progress(step, now));
      telling.catch(() => {});
    }
  }
  await meter.settled();
  await telling;
  return logsAfter(done);
}
