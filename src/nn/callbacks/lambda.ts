import { ConfigError } from '../../base/errors.ts';
import { describe } from '../names.ts';
import { Callback, type CallbackFunctions, hooks } from './callback.ts';

/**
 * A callback from functions: `new LambdaCallback({ onEpochEnd: (epoch, logs) => … })`. Only the given hooks
 * count as listening, so that batches are not waited for without need.
 */
export class LambdaCallback extends Callback {
  constructor(functions: CallbackFunctions) {
    super();
    if (typeof functions !== 'object' || functions === null)
      throw new ConfigError(
        `callback: ${describe(functions)} came; expected an object with functions such as onEpochEnd.`,
      );
    const known = [...hooks, 'setModel', 'setParams', 'getState', 'setState'] as const;
    for (const name of known) {
      const hook = (functions as Record<string, unknown>)[name];
      if (hook === undefined) continue;
      if (typeof hook !== 'function')
        throw new ConfigError(`callback: ${name} is ${describe(hook)}; expected a function.`);
      Object.defineProperty(this, name, { value: hook.bind(functions), writable: true });
    }
    const unknown = Object.keys(functions).filter(
      (name) => /^on[A-Z]/.test(name) && !known.includes(name as never),
    );
    if (unknown.length > 0)
      throw new ConfigError(`callback: ${unknown.join(', ')} is unknown. Known are ${hooks.join(', ')}.`);
  }
}
