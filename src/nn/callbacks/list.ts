/** All callbacks of a run as one. */
import { ConfigError } from '../../base/errors.ts';
import { describe } from '../names.ts';
import type { Trainable } from '../training/trainable.ts';
import type { Moment } from './callback.ts';
import {
  Callback,
  type CallbackFunctions,
  type Hook,
  listens,
  type RunParameters,
  type RunState,
} from './callback.ts';
import { LambdaCallback } from './lambda.ts';

export type CallbackLike = Callback | CallbackFunctions;

/** The callbacks that an argument means: one, or a list. */
export function resolveCallbacks(given: unknown, operation: string): Callback[] {
  if (given === null || given === undefined) return [];
  const list = Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : [given];
  return list.map((one) => {
    if (one instanceof Callback) return one;
    if (typeof one === 'object' && one !== null) return new LambdaCallback(one);
    throw new ConfigError(
      `${operation}: callbacks has ${describe(one)}; expected callbacks or objects with functions.`,
    );
  });
}

/** Calls every callback in order and waits for each. */
export class CallbackList {
  readonly callbacks: readonly Callback[];
  /** Runs while a callback does: what it may do to the model is its own. */
  private readonly inside: <T>(task: () => Promise<T>) => Promise<T>;

  constructor(callbacks: readonly Callback[], inside: <T>(task: () => Promise<T>) => Promise<T>) {
    this.callbacks = callbacks;
    this.inside = inside;
  }

  begin(model: Trainable, params: RunParameters): void {
    for (const callback of this.callbacks) {
      callback.setModel(model);
      callback.setParams(params);
    }
  }

  /** Where the run is to go on, if it was begun before: then the model is as it was there. `seen`: see RunState. */
  async resume(seen: RunState['seen']): Promise<Moment | null> {
    const [keeper] = this.callbacks.filter((one) => one.resume);
    let moment: Moment | null = null;
    if (keeper)
      await this.inside(async () => {
        moment = await keeper.resume!({ callbacks: this.callbacks, seen });
      });
    return moment;
  }

  /** Whether anybody overrides one of these hooks. */
  listen(...asked: Hook[]): boolean {
    return this.callbacks.some((callback) => asked.some((hook) => listens(callback, hook)));
  }

  async call<H extends Hook>(hook: H, ...args: Parameters<Callback[H]>): Promise<void> {
    for (const callback of this.callbacks) {
      if (!listens(callback, hook)) continue;
      await this.inside(async () => {
        await (callback[hook] as (...given: unknown[]) => void | Promise<void>).apply(callback, args);
      });
    }
  }
}
