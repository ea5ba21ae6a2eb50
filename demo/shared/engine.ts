/** The engine of a page, and a new one when the graphics device was lost meanwhile. */
import { defaultEngine, type Engine, init } from 'weft-gpu';

let engine: Engine | null = null;

export async function workingEngine(): Promise<Engine> {
  if (engine?.lost) engine = await init();
  engine ??= await defaultEngine();
  return engine;
}
