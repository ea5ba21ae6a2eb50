/** Engines for tests. */
import { onTestFinished } from 'vitest';
import { Engine, type InitOptions } from '../../src/engine/engine.ts';

let shared: Promise<Engine> | undefined;

/** One engine for all tests of a file: kernels compile once. */
export const sharedEngine = (): Promise<Engine> => {
  shared ??= Engine.create({ seed: 1 });
  return shared;
};

/** An engine for this test alone, closed when it ends. */
export async function testEngine(options: InitOptions = {}): Promise<Engine> {
  const engine = await Engine.create({ seed: 1, ...options });
  onTestFinished(() => engine.close());
  return engine;
}
