/** How fast this adapter runs the main kernels: GFLOP/s and GB/s, in about two seconds. */
import { AbortError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { Engine } from '../engine/engine.ts';
import { add, div, mul, sub } from '../ops/binary.ts';
import { tensor, variable, zeros } from '../ops/constant.ts';
import { matmul } from '../ops/matmul.ts';
import { gather } from '../ops/movement.ts';
import { sum } from '../ops/reduce.ts';
import { cast } from '../ops/select.ts';
import { softmax } from '../ops/softmax.ts';
import type { Tensor } from '../ops/tensor.ts';
import { sqrt, square, tanh } from '../ops/unary.ts';
import { capture } from './capture.ts';
import { defaultEngine } from './engines.ts';

export interface SpeedTestOptions {
  /** The engine to measure; default the default one. */
  engine?: Engine;
  /** Hears each result as it comes. */
  onResult?: (result: SpeedTestResult) => void;
  /** Stops between two kernels; speedTest then rejects with AbortError. */
  signal?: AbortSignal | null;
}

export interface SpeedTestResult {
  readonly kernel: string;
  /** What it works on, in words: `512 × 512 · 512 × 512`. */
  readonly work: string;
  /** Of one run, the median. */
  readonly microseconds: number;
  /** 10⁹ arithmetic operations a second. */
  readonly gigaflops: number;
  /** 10⁹ bytes read and written a second, each counted once. */
  readonly gigabytes: number;
}

/** One kernel: fills its result from tensors that are made for it. */
interface Subject {
  readonly kernel: string;
  readonly work: string;
  readonly shape: readonly number[];
  make(engine: Engine): { inputs: Tensor[]; run(...inputs: Tensor[]): Tensor };
}

/** Software adapters get a quarter of the work along each long side: their numbers stay the same, the wait does not. */
function subjects(isSoftware: boolean): Subject[] {
  const side = isSoftware ? 256 : 1024;
  const many = isSoftware ? 1 << 18 : 1 << 24;
  const rows = isSoftware ? 512 : 8192;
  const count = many.toLocaleString('en-US');
  const blank = (shape: number[]) => (engine: Engine) =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), { shape, engine });
  const simple = (
    kernel: string,
    work: string,
    shape: readonly number[],
    inputs: ((engine: Engine) => Tensor)[],
    run: (...inputs: Tensor[]) => Tensor,
  ): Subject => ({
    kernel,
    work,
    shape,
    make: (engine) => ({ inputs: inputs.map((one) => one(engine)), run }),
  });
  return [
    simple(
      'matmul',
      `${side} × ${side} · ${side} × ${side}`,
      [side, side],
      [blank([side, side]), blank([side, side])],
      (a, b) => matmul(a, b),
    ),
    simple(
      'matmul of a batch',
      '128 × 784 · 784 × 128',
      [128, 128],
      [blank([128, 784]), blank([784, 128])],
      (a, b) => matmul(a, b),
    ),
    simple('elementwise', `x · y + 1 of ${count}`, [many], [blank([many]), blank([many])], (x, y) =>
      add(mul(x, y), 1),
    ),
    simple('tanh', `of ${count}`, [many], [blank([many])], (x) => tanh(x)),
    simple('sum', `of ${count}`, [], [blank([many])], (x) => sum(x)),
    simple('softmax', `of ${rows} × 128`, [rows, 128], [blank([rows, 128])], (x) => softmax(x)),
    simple(
      'gather bytes',
      `${rows} of ${2 * rows} rows of 784, to f32`,
      [rows, 784],
      [
        (engine) => tensor(new Uint8Array(2 * rows * 784).fill(7), { shape: [2 * rows, 784], engine }),
        (engine) =>
          tensor(
            Int32Array.from({ length: rows }, (_, i) => (i * 7919) % (2 * rows)),
            { engine },
          ),
      ],
      (x, order) => div(cast(gather(x, order), 'f32'), 255),
    ),
    simple('rmsprop', `of ${count} weights`, [many], [blank([many]), blank([many])], (w, g) =>
      sub(w, div(mul(g, 0.001), sqrt(add(mul(square(g), 0.1), 1e-7)))),
    ),
  ];
}

/** A kernel is measured for about this long. */
const BUDGET_MS = 150;
const ROUNDS = 5;

/**
 * Measures the kernels that training spends its time in, on data of its own.
 *
 * Wall time over many runs in one submit, so the cost of submitting is not in it. Numbers of a software
 * adapter are those of the CPU.
 *
 * ```ts
 * for (const { kernel, gigaflops } of await speedTest()) console.log(kernel, gigaflops);
 * ```
 */
export async function speedTest(given?: SpeedTestOptions): Promise<SpeedTestResult[]> {
  const options = knownOptions<SpeedTestOptions>('speedTest', given, ['engine', 'onResult', 'signal']);
  const engine = options.engine ?? (await defaultEngine());
  const results: SpeedTestResult[] = [];
  for (const subject of subjects(engine.profile.isSoftware)) {
    if (options.signal?.aborted)
      throw new AbortError('speedTest: aborted by the signal.', { cause: options.signal.reason });
    const result = await measure(subject, engine);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

async function measure({ kernel, work, shape, make }: Subject, engine: Engine): Promise<SpeedTestResult> {
  const { inputs, run } = make(engine);
  const result = variable(zeros([...shape]), { name: 'result', trainable: false });
  const step = capture(
    () => {
      result.assign(run(...inputs));
    },
    { name: `speed of ${kernel}`, engine },
  );
  try {
    await step.prepare();
    const { flops, bytes } = step.explain().reduce(
      (total, one) => ({
        flops: total.flops + one.flops,
        bytes: total.bytes + one.bytesRead + one.bytesWritten,
      }),
      { flops: 0, bytes: 0 },
    );
    const timed = async (times: number): Promise<number> => {
      const begin = performance.now();
      await step.replay(times);
      await engine.idle();
      return (performance.now() - begin) / times;
    };
    await timed(1);
    const roughMs = Math.max(await timed(2), 0.002);
    const times = Math.max(1, Math.min(256, Math.floor(BUDGET_MS / ROUNDS / roughMs)));
    const rounds: number[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await timed(times));
    const ms = rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
    return {
      kernel,
      work,
      microseconds: 1000 * ms,
      gigaflops: flops / ms / 1e6,
      gigabytes: bytes / ms / 1e6,
    };
  } finally {
    await engine.idle().catch(() => {});
    step.dispose();
    result.dispose();
    for (const one of inputs) one.dispose();
  }
}
