/** The kernel family of the matrix product: several shaders behind one contract. */
import type { KernelCall, KernelFamily, Lowered } from '../define.ts';
import { grid } from '../elementwise.ts';
import { type Layout, layoutOf } from '../matmul/layout.ts';
import { blockOf, candidates, pick, readsPacked, refusal, type Variant } from '../matmul/variants.ts';

/** y = a · b and col_sum[n] = Σₖ b[k, n], the bias gradient that rides on dW = xᵀ · dz. */
export const matmulFamily: KernelFamily = {
  name: 'matmul',
  readsOften: true,
  lower(call: KernelCall): Lowered {
    const layout = layoutOf(call);
    const variant = chosen(call, layout);
    const { shader, ...constants } = variant;
    const { rows, columns } = blockOf(variant);
    const { sizes, params } = layout;
    const blocks = Math.ceil(sizes.rows / rows) * Math.ceil(sizes.columns / columns);
    const { flags, fours } = wideLoads(variant, layout);
    return {
      kernel: shader,
      tuning: { ...variant },
      tune: { ...constants, ...flags, Scalar: call.inputs.a.dtype },
      fours,
      params,
      workgroups: grid(
        blocks * sizes.slices * sizes.batches,
        call.profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
  packed: (call) => (readsPacked(call.profile, layoutOf(call)) ? ['a'] : []),
  candidates: (profile, call) => candidates(profile, call && layoutOf(call)),
  refusal: (profile, tuning) => refusal(profile, tuning as unknown as Variant),
};

/** The variant that was asked for, or the likeliest; what was asked for may be a part of one. */
function chosen({ tuning, profile }: KernelCall, layout: Layout): Variant {
  const own = pick(profile, layout);
  return (tuning.shader === undefined || tuning.shader === own.shader
    ? { ...own, ...tuning }
    : tuning) as unknown as Variant;
}

/** How a shader loads its operands, as its constants say it, and the operands that it reads in fours. */
function wideLoads(
  variant: Variant,
  layout: Layout,
): { flags: Record<string, number | boolean>; fours: string[] } {
  if (variant.shader === 'matmul') return { flags: {}, fours: [] };
  const { a, b, even } = layout;
  if (variant.shader === 'matmul_workgroup')
    return {
      flags: {
        FOURS_M: variant.TILE_M / 4,
        A_FOUR: a.four,
        A_ALONG_K: a.alongK && !a.four,
        B_FOUR: b.four,
        B_ALONG_K: b.alongK && !b.four,
      },
      fours: [...(a.four || a.alongK ? ['a'] : []), ...(b.four || b.alongK ? ['b'] : [])],
    };
  const [wide, { four, alongK }] = variant.SWAP ? ['a', a] : ['b', b];
  if (variant.shader === 'matmul_subgroup') return { flags: { FOUR: four }, fours: four ? [wide] : [] };
  return {
    flags: { FOUR: four, ALONG_K: alongK && !four, EVEN: even },
    fours: four || alongK ? [wide] : [],
  };
}
