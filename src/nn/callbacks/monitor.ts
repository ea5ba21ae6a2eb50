/** For callbacks that watch one key of the logs and ask whether it got better. */
import { ConfigError, ValueError } from '../../base/errors.ts';
import { numberBetween, oneOf } from '../check.ts';
import { describe } from '../names.ts';
import { Callback, type Logs } from './callback.ts';

export interface MonitorOptions {
  /** The key that is watched; default 'val_loss'. */
  monitor?: string;
  /** Whether less or more is better; default 'auto': what the metric says of itself. */
  mode?: 'auto' | 'min' | 'max';
  /** How much better it must be to count; default 0. */
  minDelta?: number;
  /** What it must be better than at first; default null: nothing. */
  baseline?: number | null;
}

export const monitorDefaults: Required<MonitorOptions> = {
  monitor: 'val_loss',
  mode: 'auto',
  minDelta: 0,
  baseline: null,
};

/** What a value must be better than at first, or null. */
export function threshold(value: unknown, name: string, option: string): number | null {
  if (value === null || (typeof value === 'number' && !Number.isNaN(value))) return value;
  throw new ValueError(`${name}: ${option} is ${describe(value)}; expected a number, or null for none.`);
}

export abstract class MonitorCallback extends Callback {
  readonly monitor: string;
  private readonly mode: 'auto' | 'min' | 'max';
  private readonly minDelta: number;
  private warned = false;

  constructor(name: string, options: Required<MonitorOptions>) {
    super();
    this.monitor = options.monitor;
    this.mode = oneOf(options.mode, name, 'mode', ['auto', 'min', 'max']);
    this.minDelta = Math.abs(numberBetween(options.minDelta, name, 'minDelta', Number.NEGATIVE_INFINITY));
  }

  /** The value in the logs; null, with one warning, where it is missing. */
  protected valueIn(logs: Logs): number | null {
    if (Object.hasOwn(logs, this.monitor)) return logs[this.monitor];
    if (!this.warned)
      console.warn(
        `${this.constructor.name}: ${this.monitor} is not in the logs, which have ${Object.keys(logs).join(', ')}.`,
      );
    this.warned = true;
    return null;
  }

  /** NaN is never better, not even than nothing: it would stay the best, since no number is better than it. */
  protected isBetter(value: number, than: number | null): boolean {
    if (Number.isNaN(value)) return false;
    if (than === null) return true;
    return this.direction() === 'down' ? value + this.minDelta < than : value - this.minDelta > than;
  }

  private direction(): 'up' | 'down' {
    if (this.mode !== 'auto') return this.mode === 'min' ? 'down' : 'up';
    const key = this.monitor.replace(/^val_/, '');
    const direction =
      key === 'loss' ? 'down' : this.model.metrics.find(({ name }) => name === key)?.direction;
    if (direction) return direction;
    throw new ConfigError(
      `${this.constructor.name}: whether less or more of ${JSON.stringify(this.monitor)} is better is unknown. Say { mode: 'min' } or { mode: 'max' }.`,
    );
  }
}
