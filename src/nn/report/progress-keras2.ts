/** The progress line of tf.keras 2, to the character (`utils/generic_utils.py`). */
import { fixed } from './format.ts';
import { counted, duration, type Frame, Progress, remaining } from './progress.ts';

const WIDTH = 30;

export class Keras2Progress extends Progress {
  protected override line(frame: Frame): string {
    const { current, target, seconds, perStep, last } = frame;
    const passed = `${fixed(seconds, 0)}s${duration(perStep, 'step')}`;
    if (target === null) return `${counted(frame)} - ${passed}${this.values()}`;
    const done = Math.trunc((WIDTH * current) / target);
    const head = done === 0 ? '' : '='.repeat(done - 1) + (current < target ? '>' : '=');
    const time = last ? passed : `ETA: ${remaining(perStep * (target - current))}`;
    return `${counted(frame)} [${head}${'.'.repeat(WIDTH - done)}] - ${time}${this.values()}`;
  }

  protected override conclusion(frame: Frame): string {
    const { current, seconds } = frame;
    const times = `${duration(seconds, 'epoch')} -${duration(seconds / current, 'step')}`;
    return `${counted(frame)} - ${fixed(seconds, 0)}s${this.values((value) => value > 1e-3)} -${times}`;
  }
}
