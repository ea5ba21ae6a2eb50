/** Runs variants of a kernel on memory of their own and tells how long they take. */
import type { BufferRange } from './arena.ts';
import type { Measured } from './measured.ts';
import type { Bench, Trial } from './race.ts';
import type { Command, Recording } from './recorder.ts';

/** A sample lasts about this long. Dawn and Chromium round timestamps to 65.5 µs, 2 % of it. */
const SAMPLE_MICROSECONDS = 4000;
/** And has at most this many runs. */
const MOST_RUNS = 1024;

/**
 * A bench on an engine. Memory that a kernel only reads is read where it is; what it overwrites (`writes`, and
 * whatever overlaps it) is replaced by scratch memory, so that measuring changes no value.
 */
export function openBench(engine: Measured, writes: readonly BufferRange[]): Bench {
  const scratch = new Map<string, BufferRange>();
  const buffers: GPUBuffer[] = [];

  /** One stand-in for one range, whoever binds it: an update in place stays one. */
  function standIn(range: BufferRange): BufferRange {
    if (!writes.some((written) => overlap(written, range))) return range;
    if (!buffers.includes(range.buffer)) buffers.push(range.buffer);
    const key = `${buffers.indexOf(range.buffer)}:${range.offset}:${range.size}`;
    const own = scratch.get(key) ?? engine.allocate(range.size, 'tuning');
    scratch.set(key, own);
    return own;
  }

  return {
    async prepare(command: Command): Promise<Trial> {
      const bindings = Object.fromEntries(
        Object.entries(command.bindings).map(([name, range]) => [name, standIn(range)]),
      );
      await engine.idle();
      const begin = performance.now();
      const recording = await engine.record([{ ...command, bindings }], 'tuning');
      try {
        await engine.warm(recording);
        engine.run(recording);
        await engine.idle();
        const compileMs = performance.now() - begin;
        const runs = await runsPerSample(engine, recording);
        return {
          compileMs,
          sample: () => timeOf(engine, recording, runs),
          dispose: () => recording.dispose(),
        };
      } catch (error) {
        recording.dispose();
        throw error;
      }
    },
    dispose(): void {
      for (const range of scratch.values()) engine.free(range);
      scratch.clear();
    },
  };
}

/** How many runs fill a sample: more and more are tried until the clock can tell. */
async function runsPerSample(engine: Measured, recording: Recording): Promise<number> {
  for (let runs = 1; ; runs *= 8) {
    const microseconds = runs * (await timeOf(engine, recording, runs));
    if (microseconds < SAMPLE_MICROSECONDS / 8 && runs < MOST_RUNS) continue;
    const wanted = Math.ceil((runs * SAMPLE_MICROSECONDS) / Math.max(1, microseconds));
    return Math.min(MOST_RUNS, Math.max(1, wanted));
  }
}

async function timeOf(engine: Measured, recording: Recording, runs: number): Promise<number> {
  const [{ microseconds }] = await engine.profileRun(recording, runs);
  return microseconds;
}

const overlap = (p: BufferRange, q: BufferRange): boolean =>
  p.buffer === q.buffer && p.offset < q.offset + q.size && q.offset < p.offset + p.size;
