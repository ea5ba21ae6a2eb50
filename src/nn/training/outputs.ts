/** What predict makes, piece by piece. */
import { serial } from '../../graph/engines.ts';
import { leafRange, settle } from '../../graph/runtime.ts';
import { byteSize } from '../../ops/dtype.ts';
import { Tensor } from '../../ops/tensor.ts';
import type { CallbackList } from '../callbacks/list.ts';
import type { Verbosity } from '../report/progress.ts';
import { windowBytes } from './feed/room.ts';
import { Flight } from './pace.ts';
import type { Engine } from './steps.ts';
import type { Trainable } from './trainable.ts';

export const OPERATION = 'predict';

/** So many samples go together, in whole batches, when nobody asked for a size or listens to batches. */
const TOGETHER = 1024;

/** How many batches of so many samples go together; `batchBytes` of each pass through the GPU, or 0. */
export function togetherOf(batchSize: number, batchBytes: number, engine: Engine): number {
  const inWindow = batchBytes === 0 ? Number.POSITIVE_INFINITY : windowBytes(engine) / 2 / batchBytes;
  return Math.max(1, Math.floor(Math.min(TOGETHER / batchSize, inWindow)));
}

/** What a run is told and tells. */
export interface Run {
  readonly model: Trainable;
  readonly callbacks: CallbackList;
  readonly verbose: Verbosity;
  readonly signal: AbortSignal | null;
  /** Batches go one by one. */
  readonly single: boolean;
}

/** Where rows come from, and how they go through the model. */
export interface Way {
  /** Batches that go together. */
  readonly together: number;
  /** All outputs for these rows. */
  predict(first: number, count: number): Promise<readonly Tensor[]>;
  dispose(): void;
}

/** Outputs as they come, and in the end as one tensor each. */
export class Predictions {
  readonly engine: Engine;
  private pieces: (readonly Tensor[])[] = [];
  private readonly flight = new Flight();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async add(piece: Promise<readonly Tensor[]>): Promise<void> {
    this.pieces.push(await piece);
    await this.flight.follow(this.engine.idle());
  }

  async whole(): Promise<readonly Tensor[]> {
    const { pieces, engine } = this;
    if (pieces.length === 1) {
      await engine.idle();
      return pieces.pop()!;
    }
    const whole: Tensor[] = [];
    for (const i of pieces[0].keys())
      whole.push(
        await assemble(
          pieces.map((piece) => piece[i]),
          engine,
        ),
      );
    await engine.idle();
    return whole;
  }

  dispose(): void {
    for (const piece of this.pieces.flat()) piece.dispose();
    this.pieces = [];
  }
}

/** Tensors [a, …], [b, …], … copied into one [a + b + …, …]. */
async function assemble(pieces: readonly Tensor[], engine: Engine): Promise<Tensor> {
  const [{ shape, dtype }] = pieces;
  const count = pieces.reduce((sum, piece) => sum + piece.shape[0], 0);
  const whole = new Tensor([count, ...shape.slice(1)], dtype, null, [], {}, engine);
  await serial(engine, async () => {
    const range = engine.allocate(byteSize(dtype, whole.size), 'predictions');
    settle(whole, engine, range);
    let { offset } = range;
    for (const piece of pieces) {
      const size = byteSize(dtype, piece.size);
      if (size > 0)
        engine.copy({ ...leafRange(piece, engine), size }, { buffer: range.buffer, offset, size });
      offset += size;
    }
  });
  return whole;
}
