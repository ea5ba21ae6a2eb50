/** Who holds GPU memory, and where it was made: a debugging aid that costs a stack at each tensor while it watches. */
import { StateError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { Tensor, Variable } from '../ops/tensor.ts';

/** Tensors that were made at one place and hold GPU memory. */
export interface LeakedTensors {
  /** How many. */
  readonly count: number;
  /** Their bytes on the GPU. */
  readonly bytes: number;
  /** What the first of them is: `Tensor(f32 [2, 3]), made by relu`. */
  readonly example: string;
  /** Where it was made: the calls outside of Weft, innermost first, eight at most; Weft's own where there are none. */
  readonly stack: readonly string[];
}

export interface LeakReport {
  /** By bytes, the most first. */
  readonly places: readonly LeakedTensors[];
  /** Sums of `places`. */
  readonly count: number;
  readonly bytes: number;
  toString(): string;
}

export interface LeakWatch {
  /** The tensors made since the watch began that hold memory now, on this engine or, by default, on any. */
  report(engine?: Engine): LeakReport;
  /** Ends the watch. */
  stop(): void;
}

interface Seen {
  readonly tensor: WeakRef<Tensor>;
  /** The op that makes it, which a tensor forgets once its numbers are there. */
  readonly op: string | null;
  readonly stack: string;
}

/** Frames that are kept; those inside of Weft take some. */
const DEPTH = 40;
/** Frames that are told. */
const TOLD = 8;

let isWatching = false;

/**
 * Notes where each tensor is made from now on, and reports those that hold GPU memory: all that nobody has disposed of
 * and no garbage collection has found yet. Tensors whose numbers nobody asked for hold none.
 *
 * Each tensor costs a stack meanwhile, so watch a few steps, not a training. One watch at a time: StateError.
 *
 * ```ts
 * const watch = watchLeaks();
 * await suspect();
 * console.log(String(watch.report()));   // 12 tensors hold 3.0 MiB: 12 of 262144 bytes … at suspect (app.js:7:13)
 * ```
 */
export function watchLeaks(): LeakWatch {
  if (isWatching)
    throw new StateError('watchLeaks: another watch is under way. Stop it first: one at a time.');
  isWatching = true;
  const seen = new Set<Seen>();
  const holder: { stackTraceLimit?: number } = Error;
  Tensor.made = (tensor) => {
    const limit = holder.stackTraceLimit;
    holder.stackTraceLimit = DEPTH;
    seen.add({ tensor: new WeakRef(tensor), op: tensor.op?.name ?? null, stack: new Error().stack ?? '' });
    holder.stackTraceLimit = limit;
  };
  return {
    report: (engine) => report(seen, engine),
    stop() {
      if (!isWatching) return;
      isWatching = false;
      Tensor.made = null;
      seen.clear();
    },
  };
}

function report(seen: Set<Seen>, engine: Engine | undefined): LeakReport {
  const places = new Map<string, { count: number; bytes: number; example: string; stack: string[] }>();
  const counted = new Set<object>();
  const tensors = [...seen].map((one) => ({ one, tensor: one.tensor.deref() }));
  // Of a variable and its value, which have one place, the variable is told.
  tensors.sort((a, b) => Number(b.tensor instanceof Variable) - Number(a.tensor instanceof Variable));
  for (const { one, tensor } of tensors) {
    if (!tensor) seen.delete(one);
    const range =
      tensor?.storage ?? (tensor instanceof Variable ? (tensor.home ?? tensor.value.storage) : null);
    const on = tensor?.engine ?? null;
    if (!tensor || !range || counted.has(range) || (engine && on !== engine) || on?.closed) continue;
    counted.add(range);
    const stack = outside(one.stack);
    const example = one.op && !tensor.op ? `${tensor}, made by ${one.op}` : String(tensor);
    const place = places.get(stack.join()) ?? { count: 0, bytes: 0, example, stack };
    places.set(stack.join(), { ...place, count: place.count + 1, bytes: place.bytes + range.size });
  }
  const sorted = [...places.values()].sort((a, b) => b.bytes - a.bytes);
  const count = sorted.reduce((total, one) => total + one.count, 0);
  const bytes = sorted.reduce((total, one) => total + one.bytes, 0);
  const tell = (many: number, size: number): string =>
    `${many} tensor${many === 1 ? '' : 's'}, ${size} bytes`;
  return {
    places: sorted,
    count,
    bytes,
    toString: () =>
      [
        `${tell(count, bytes)} on the GPU`,
        ...sorted.map((one) => `${tell(one.count, one.bytes)}: ${one.example}\n  ${one.stack.join('\n  ')}`),
      ].join('\n'),
  };
}

/** A stack without its message and without the calls inside of Weft, which are those before the first from elsewhere. */
function outside(stack: string): string[] {
  const frames = stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /:\d+:\d+\)?$/.test(line) && !line.includes('node:internal'));
  const own = frames[0]?.match(/([^\s(@]*\/)(?:src|dist)\//)?.[0];
  const first = own === undefined ? -1 : frames.findIndex((line) => !line.includes(own));
  return (first < 0 ? frames : frames.slice(first)).slice(0, TOLD);
}
