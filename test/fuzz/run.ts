/** Runs programs and trainings on an engine and holds what they read against the walk. */
import type { Engine } from '../../src/index.ts';
import * as W from '../../src/index.ts';
import { takeGpuErrors } from '../support/gpu-errors.ts';
import { linesOf } from './print.ts';
import { type Blur, expected, first, type Program, second } from './program.ts';
import { simulate, type Training, toleranceOf, trainingLines } from './training.ts';

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...args: string[]
) => (
  w: typeof W,
  engine: Engine,
  show: (name: string, x: W.Tensor | number[]) => Promise<void>,
) => Promise<void>;

type Answer = ArrayLike<number> | Error;

/** No program takes longer, compiling included, on a busy machine. */
const PATIENCE_MS = 60_000;

export interface Failure {
  /** What kind of thing went wrong: a shrunk program must fail in the same way. */
  readonly kind: 'wrong' | 'error' | 'hang' | 'gpu';
  readonly message: string;
}

class Hang extends Error {}

/** The processor's time of this process; in a page, where nobody tells, that of the clock. */
function processorMs(): number {
  const used = globalThis.process?.cpuUsage?.();
  return used ? (used.user + used.system) / 1000 : performance.now();
}

interface Given {
  readonly name: string;
  answer: Answer;
}

/** What each read gave, in order; or what ended it. */
async function execute(lines: readonly string[], engine: Engine): Promise<Given[]> {
  const given: Given[] = [];
  const show = async (name: string, x: W.Tensor | number[]): Promise<void> => {
    const place: Given = { name, answer: new Error('never read') };
    given.push(place);
    place.answer = Array.isArray(x) ? x : await x.data().catch((error) => error as Error);
  };
  const running = new AsyncFunction('W', 'engine', 'show', lines.join('\n'))(W, engine, show);
  running.catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const began = performance.now();
    const cpu = processorMs();
    const look = (): void => {
      const waited = performance.now() - began;
      // On a busy machine it has had little of the processor: what hangs or computes for ever is found later there.
      if (waited < 4 * PATIENCE_MS && processorMs() - cpu < waited / 4) timer = setTimeout(look, 1000);
      else reject(new Hang(`no answer in ${Math.round(waited / 1000)} s`));
    };
    timer = setTimeout(look, PATIENCE_MS);
  });
  try {
    await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
  return given;
}

const shown = (x: number): string => (Number.isInteger(x) ? String(x) : x.toPrecision(6));

interface Right {
  readonly name: string;
  readonly exact: ArrayLike<number>;
  readonly tolerance: ArrayLike<number>;
  readonly mayRefuse: boolean;
}

/** What is wrong with an answer, or null. */
function judge({ name, exact, tolerance, mayRefuse }: Right, answer: Answer): Failure | null {
  if (answer instanceof Error) {
    if (mayRefuse && answer instanceof W.DisposedError) return null;
    return { kind: 'error', message: `${name}: ${answer.name}: ${answer.message}` };
  }
  if (answer.length !== exact.length)
    return { kind: 'wrong', message: `${name}: ${answer.length} numbers; right ${exact.length}` };
  for (let i = 0; i < exact.length; i++) {
    const v = exact[i];
    const got = answer[i];
    if (Object.is(got, v) || got === v || tolerance[i] === Number.POSITIVE_INFINITY) continue;
    if (Math.abs(got - v) <= tolerance[i] + 1e-7) continue;
    return {
      kind: 'wrong',
      message: `${name}[${i}] is ${shown(got)}; right ${shown(v)} ± ${tolerance[i].toPrecision(2)}`,
    };
  }
  return null;
}

/** The first thing that is wrong, or null. */
function compare(right: readonly Right[], given: readonly Given[]): Failure | null {
  for (const [i, one] of right.entries()) {
    const failure = judge(one, given[i]?.answer ?? new Error('not reached'));
    if (failure) return failure;
  }
  return null;
}

/** What is wrong with lines of code; `right` says what they must tell, the second time with more patience. */
async function check(
  lines: readonly string[],
  engine: Engine,
  right: (blur: Blur) => readonly Right[],
): Promise<Failure | null> {
  let given: Given[];
  try {
    given = await execute(lines, engine);
  } catch (error) {
    takeGpuErrors();
    if (error instanceof Hang) return { kind: 'hang', message: error.message };
    const { name, message } = error as Error;
    return { kind: 'error', message: `${name}: ${message}` };
  }
  // Error events come as tasks of their own.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const [gpuError] = takeGpuErrors();
  if (gpuError) return { kind: 'gpu', message: gpuError };
  return compare(right(first), given) && compare(right(second), given);
}

/** Null where every answer is right. */
export const failureOf = (program: Program, engine: Engine): Promise<Failure | null> =>
  check(linesOf(program), engine, (blur) =>
    expected(program, blur).map(({ value, ...rest }) => ({ ...rest, exact: value.data.map(({ v }) => v) })),
  );

/** The same for a training. */
export const failureOfTraining = (training: Training, engine: Engine): Promise<Failure | null> =>
  check(trainingLines(training), engine, ({ walks, factor }) => {
    const exact = simulate(training);
    const tolerance = toleranceOf(training, exact, walks, factor);
    return exact.map(({ name, values }, i) => ({
      name,
      exact: values,
      tolerance: tolerance[i],
      mayRefuse: false,
    }));
  });
