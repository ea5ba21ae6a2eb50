/** The progress line of tf.keras 2, to the character (`utils/generic_utils.py`). */
import { fixed } from './format.ts';
import {
  counted,
  duration,
  type Frame,
  type KnownFrame,
  Progress,
  remaining,
  uncounted,
} from './progress.ts';

const WIDTH = 30;

export class Keras2Progress extends Progress {
  protected override line(frame: KnownFrame): { text: string; width: number } {
    const { current, target, seconds, perStep, last } = frame;
    const done = Math.trunc((WIDTH * current) / target);
    const head = done === 0 ? '' : '='.repeat(done - 1) + (current < target ? '>' : '=');
    const time = last
      ? `${fixed(seconds, 0)}s${duration(perStep, 'step')}`
      : `ETA: ${remaining(perStep * (target - current))}`;
    const text = `${counted(frame)} [${head}${'.'.repeat(WIDTH - done)}] - ${time}${this.values((value) => Math.abs(value) > 1e-3)}`;
    return { text, width: text.length };
  }

  protected override openLine({ current, seconds, perStep }: Frame): { text: string; width: number } {
    const text = `${uncounted(current)} - ${fixed(seconds, 0)}s${duration(perStep, 'step')}${this.values((value) => Math.abs(value) > 1e-3)}`;
    return { text, width: text.length };
  }

  protected override conclusion(frame: KnownFrame): string {
    const { target, seconds } = frame;
    const times = `${duration(seconds, 'epoch')} -${duration(seconds / target, 'step')}`;
    return `${counted(frame)} - ${fixed(seconds, 0)}s${this.values((value) => value > 1e-3)} -${times}`;
  }
}
