/** What every refused call owes its caller. */
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';
import { defaultEngine, type Engine, tensor, WeftError } from '../../src/index.ts';

/** What must be the same before and after a call that failed. */
const traces = (engine: Engine) => {
  const { submits, dispatches, buffers } = engine.stats();
  return { submits, dispatches, buffers, liveBytes: engine.memory().liveBytes };
};

/** Memory may become less: the garbage collector gives back what earlier tests have left whenever it likes. */
function expectUntouched(engine: Engine, before: ReturnType<typeof traces>): void {
  const after = traces(engine);
  expect(after).toEqual({ ...before, liveBytes: Math.min(before.liveBytes, after.liveBytes) });
}

/**
 * The engine, when all that earlier calls left to the background is done (an assignment's numbers, say): it
 * must not be counted as the refused call's. Whatever waits comes before this sum.
 */
async function quietEngine(): Promise<Engine> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await tensor(1).add(1).data();
  const engine = await defaultEngine();
  await engine.idle();
  return engine;
}

function expectTyped(error: unknown, code: ErrorCode, words: readonly (string | RegExp)[]): void {
  if (!(error instanceof WeftError)) expect.fail(`a foreign error came: ${String(error)}`);
  expect(error.code, error.message).toBe(code);
  for (const word of words) expect(error.message).toMatch(word);
}

/**
 * The call throws at once, and not a promise: a WeftError of this code whose message has all the words,
 * before anything reached the GPU.
 */
export async function refused(
  attempt: () => unknown,
  code: ErrorCode,
  ...words: (string | RegExp)[]
): Promise<void> {
  const engine = await quietEngine();
  const before = traces(engine);
  let result: unknown;
  try {
    result = attempt();
  } catch (error) {
    expectTyped(error, code, words);
    expectUntouched(engine, before);
    return;
  }
  await Promise.resolve(result).catch(() => {});
  expect.fail(`nothing was thrown; it gave ${String(result)}`);
}

/** The same for a call that answers with a promise: it rejects, whether or not it could have thrown. */
export async function refusedLater(
  attempt: () => unknown,
  code: ErrorCode,
  ...words: (string | RegExp)[]
): Promise<void> {
  const engine = await quietEngine();
  const before = traces(engine);
  let result: unknown;
  try {
    result = await attempt();
  } catch (error) {
    expectTyped(error, code, words);
    expectUntouched(engine, before);
    return;
  }
  expect.fail(`nothing was thrown; it gave ${String(result)}`);
}
