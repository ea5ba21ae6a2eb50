/** The kernel families of attention: lanes own queries and walk through keys, or the other way round. */
import type { Profile } from '../../engine/profile.ts';
import type { Candidate } from '../../engine/tuning.ts';
import type { KernelName } from '../../shaders/index.ts';
import type { KernelCall, KernelFamily, Lowered } from '../define.ts';
import { grid } from '../elementwise.ts';
import type { Shape } from '../shape.ts';
import type { Attributes } from '../tensor.ts';

export interface AttentionAttributes extends Attributes {
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Whether a query sees no later key. */
  readonly causal: boolean;
  /** A query sees keys nearer than this alone; null: all. */
  readonly window: number | null;
  /** Of a gradient whose kernel would bind too much: it makes this alone. */
  readonly alone?: string;
}

interface Variant {
  /** Queries, or keys, of a lane. */
  readonly ROWS: number;
  readonly LANES: number;
  /** Do four lanes hand round what they load? */
  readonly HANDED: boolean;
  /** Keys that queries walk over at a time. */
  readonly KEYS?: number;
}

/** What its holes say where lanes hand round what they load. A broadcast's lane is a constant, so it is spelled out. */
const handing = {
  lane: 'return subgroupExclusiveAdd(1u) % 4u;',
  handed: `return vec4f(${[0, 1, 2, 3].map((lane) => `subgroupBroadcast(mine, ${lane}u)`).join(', ')});`,
};

/** Software: a vector of lanes, each with rows for which one load serves. A GPU: lanes by the wave, and few registers each. */
function usual({ isSoftware, subgroups, limits }: Profile, rows: number): Variant {
  if (!isSoftware)
    return { ROWS: 1, LANES: Math.min(64, limits.maxComputeInvocationsPerWorkgroup), HANDED: false };
  const LANES = Math.max(4, subgroups?.min ?? 4);
  const fit = Math.max(1, Math.ceil(rows / LANES));
  return { ROWS: Math.min(4, fit), LANES, HANDED: subgroups !== null && subgroups.min >= 4 };
}

const refusal = ({ limits, subgroups }: Profile, { LANES, HANDED }: Variant): string | null => {
  if (LANES > limits.maxComputeInvocationsPerWorkgroup)
    return `${LANES} lanes per workgroup, the device has ${limits.maxComputeInvocationsPerWorkgroup}`;
  if (!HANDED) return null;
  if (!subgroups) return 'the device has no subgroups';
  return subgroups.min < 4 ? `4 lanes that share loads, subgroups here may have ${subgroups.min}` : null;
};

const variants: readonly Variant[] = [
  { ROWS: 1, LANES: 64, HANDED: false },
  { ROWS: 2, LANES: 4, HANDED: false },
  { ROWS: 4, LANES: 8, HANDED: true },
];

const fours = (size: number): number => Math.ceil(size / 4);

/** Numbers that a lane keeps at most for its scores: the text of a walk is spelled out, key by key. */
const SPELLED = 48;

function family(name: string, kernel: KernelName, lanesOwn: 'queries' | 'keys'): KernelFamily {
  return {
    name,
    readsOften: true,
    lower({ inputs, attributes, profile, tuning }: KernelCall): Lowered {
      const { q, k, v, mask } = inputs;
      const { scale, causal, window } = attributes as AttentionAttributes;
      const [samples, steps, heads, depth] = q.shape;
      const [, length, groups] = k.shape;
      const width = v.shape[3];
      const [rows, across] = lanesOwn === 'queries' ? [steps, heads] : [length, groups];
      const asked = { ...usual(profile, rows), ...(tuning as Partial<Variant>) };
      const { ROWS, LANES, HANDED } = asked;
      const most = SPELLED / (ROWS * Math.max(fours(depth), fours(width)));
      const KEYS = asked.KEYS ?? (most >= 2 ? 4 : most >= 1 ? 2 : 1);
      const variant = kernel === 'attention' ? { ...asked, KEYS } : asked;
      const blocks = Math.ceil(rows / (ROWS * LANES)) * across * samples;
      return {
        kernel,
        tuning: { ...variant },
        ...(HANDED && { enable: ['subgroups'], holes: handing }),
        tune: {
          ...variant,
          DEPTH: fours(depth),
          WIDTH: fours(width),
          EVEN: depth % 4 === 0 && width % 4 === 0,
          CAUSAL: causal,
          WINDOW: window !== null,
          MASKED: mask !== undefined,
          // Every query has its own key to look at.
          SKIP: mask === undefined && steps <= length,
        },
        params: {
          samples,
          steps,
          length,
          heads,
          groups,
          depth,
          width,
          reach: window ?? 0,
          mask_sample: mask && mask.shape[0] > 1 ? mask.shape[1] * length : 0,
          mask_step: mask && mask.shape[1] > 1 ? length : 0,
          scale,
        },
        workgroups: grid(blocks, profile.limits.maxComputeWorkgroupsPerDimension),
      };
    },
    candidates: (profile): readonly Candidate[] =>
      variants.map((one) => ({ tuning: { ...one }, refused: refusal(profile, one) })),
    refusal: (profile, tuning) => refusal(profile, tuning as unknown as Variant),
  };
}

/** Outputs out and stats of inputs q, k, v and mask; see the shader. */
export const attentionFamily = family('attention', 'attention', 'queries');
/** Output dq of q, k, v, stats, delta, g and mask. */
export const queryFamily = family('attentionQuery', 'attention_query', 'queries');
/** Outputs dk and dv of the same. */
export const keyFamily = family('attentionKey', 'attention_key', 'keys');

/** [samples, length, groups, width] → the stats of each query. */
export const statsShape = ([samples, steps, heads]: Shape): Shape => [samples, steps, heads, 2];
