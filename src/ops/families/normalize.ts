/** The kernel families of rows at mean 0 and mean square 1, and of their gradient. */
import type { Profile } from '../../engine/profile.ts';
import type { KernelName } from '../../shaders/index.ts';
import { COOPERATE_FROM } from '../cooperate.ts';
import type { KernelFamily, Lowered } from '../define.ts';
import { sizeOf } from '../shape.ts';
import type { Attributes } from '../tensor.ts';
import { cooperating, eitherWay } from './lines.ts';

export interface NormalizeAttributes extends Attributes {
  /** Is the mean taken off? */
  readonly centered: boolean;
  /** Added to the mean square. */
  readonly epsilon: number;
}

/** As of softmax: a software driver has few lanes to fill, and takes long to compile barriers. */
const cooperates = ({ isSoftware }: Profile, rows: number, columns: number): boolean =>
  isSoftware ? columns >= 4096 && rows < 16 : columns >= COOPERATE_FROM;

const family = (name: string, kernel: KernelName, input: string): KernelFamily => ({
  name,
  readsOften: true,
  lower(call): Lowered {
    const { shape } = call.inputs[input];
    const { centered, epsilon } = call.attributes as NormalizeAttributes;
    const columns = shape.at(-1) as number;
    const rows = sizeOf(shape.slice(0, -1));
    const run = cooperating(call, rows, cooperates(call.profile, rows, columns));
    return {
      kernel,
      params: { rows, columns, ...(kernel === 'normalize' && { epsilon }) },
      ...run,
      constants: { ...run.constants, CENTERED: centered },
    };
  },
  candidates: eitherWay,
});

/** Outputs y, normal and factor of x, gamma and beta; see the shader. */
export const normalizeFamily = family('normalize', 'normalize', 'x');
/** Output dx of normal, factor, g and gamma. */
export const normalizeGradientFamily = family('normalizeGradient', 'normalize_gradient', 'normal');
