/** The kernel family of rows of logits. */
import type { Profile } from '../../engine/profile.ts';
import { COOPERATE_FROM } from '../cooperate.ts';
import type { KernelFamily, Lowered } from '../define.ts';
import { sizeOf } from '../shape.ts';
import { cooperating, eitherWay } from './lines.ts';

/**
 * Does a workgroup share one row? A software driver takes a second to compile the barriers (llvmpipe 25.0.7) and
 * has few lanes to fill: only for few and long rows.
 */
const cooperates = ({ isSoftware }: Profile, rows: number, columns: number): boolean =>
  isSoftware ? columns >= 4096 && rows < 16 : columns >= COOPERATE_FROM;

/** Outputs y, log_y, loss, dx and best of inputs x, t and g; see the shader. */
export const softmaxFamily: KernelFamily = {
  name: 'softmax',
  lower(call): Lowered {
    const { shape } = call.inputs.x;
    const columns = shape.at(-1) as number;
    const rows = sizeOf(shape.slice(0, -1));
    return {
      kernel: 'softmax',
      params: { rows, columns },
      ...cooperating(call, rows, cooperates(call.profile, rows, columns)),
    };
  },
  candidates: eitherWay,
};
