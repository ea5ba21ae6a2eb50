/** The ways to compute a product, which of them a device can run, and which is likely to be fastest. */
import type { Profile } from '../../engine/profile.ts';
import type { Candidate } from '../../engine/tuning.ts';
import type { Layout } from './layout.ts';

/**
 * One way to compute a product: the shader, and the constants that it is tuned with. These are the words of
 * `init({ tuning: { matmul: { … } } })`.
 */
export type Variant = Tiles | Slabs | Subgroup | Broadcast;

/** Lanes keep tiles of y in registers. */
interface Tiles {
  readonly shader: 'matmul';
  /** Rows per lane, and groups of four columns per lane. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  /** Lanes of a workgroup along rows and columns. */
  readonly LANES_M: number;
  readonly LANES_N: number;
}

/** The same, fed from workgroup memory in slabs of TILE_K steps of k. TILE_M is a multiple of 4. */
interface Slabs extends Omit<Tiles, 'shader'> {
  readonly shader: 'matmul_workgroup';
  readonly TILE_K: number;
}

/** Lanes own lines of the wide operand, and hand round what they load of the narrow one. */
interface Subgroup {
  readonly shader: 'matmul_subgroup';
  /** Lines of the narrow operand, and groups of four lines of the wide one per lane. */
  readonly TILE_P: number;
  readonly TILE_Q: number;
  /** Lanes of a workgroup, and how many of them load for each other. */
  readonly LANES: number;
  readonly WIDTH: number;
  /** Is a the wide operand? */
  readonly SWAP: boolean;
}

interface Broadcast extends Omit<Subgroup, 'shader' | 'WIDTH'> {
  readonly shader: 'matmul_broadcast';
}

const registers = (TILE_M: number, TILE_N: number, LANES_M: number, LANES_N: number): Tiles => ({
  shader: 'matmul',
  TILE_M,
  TILE_N,
  LANES_M,
  LANES_N,
});
const workgroup = (
  TILE_M: number,
  TILE_N: number,
  TILE_K: number,
  LANES_M: number,
  LANES_N: number,
): Slabs => ({ ...registers(TILE_M, TILE_N, LANES_M, LANES_N), shader: 'matmul_workgroup', TILE_K });
const subgroup = (TILE_P: number, TILE_Q: number, WIDTH: number, LANES: number, SWAP: boolean): Subgroup => ({
  shader: 'matmul_subgroup',
  TILE_P,
  TILE_Q,
  LANES,
  WIDTH,
  SWAP,
});
const broadcast = (TILE_P: number, TILE_Q: number, LANES: number, SWAP: boolean): Broadcast => ({
  shader: 'matmul_broadcast',
  TILE_P,
  TILE_Q,
  LANES,
  SWAP,
});

/** Rows and columns of a workgroup's block of y. */
export function blockOf(variant: Variant): { rows: number; columns: number } {
  if ('TILE_M' in variant) {
    const { TILE_M, TILE_N, LANES_M, LANES_N } = variant;
    return { rows: TILE_M * LANES_M, columns: 4 * TILE_N * LANES_N };
  }
  const { TILE_P, TILE_Q, LANES, SWAP } = variant;
  const wide = 4 * TILE_Q * LANES;
  return SWAP ? { rows: wide, columns: TILE_P } : { rows: TILE_P, columns: wide };
}

/** Every variant worth testing, smallest first. */
const catalogue: Variant[] = [
  registers(2, 1, 16, 8),
  registers(8, 1, 2, 4),
  registers(8, 2, 1, 32),
  registers(16, 2, 1, 4),
  workgroup(4, 1, 16, 8, 8),
  workgroup(4, 1, 16, 16, 16),
  workgroup(8, 2, 8, 16, 16),
  subgroup(5, 1, 4, 4, false),
  subgroup(16, 1, 8, 8, true),
  subgroup(8, 2, 8, 8, false),
  subgroup(4, 1, 4, 128, true),
  broadcast(4, 2, 4, false),
  broadcast(10, 1, 8, true),
  broadcast(8, 1, 64, false),
];

/** Why this device cannot run the variant, or null. */
export function refusal({ limits, subgroups }: Profile, variant: Variant): string | null {
  const lanes = 'LANES' in variant ? variant.LANES : variant.LANES_M * variant.LANES_N;
  if (lanes > limits.maxComputeInvocationsPerWorkgroup)
    return `${lanes} lanes per workgroup, the device has ${limits.maxComputeInvocationsPerWorkgroup}`;
  const { rows, columns } = blockOf(variant);
  // A row of a slab is one four longer than its lines.
  const bytes = variant.shader === 'matmul_workgroup' ? 4 * variant.TILE_K * (rows + columns + 8) : 0;
  if (bytes > limits.maxComputeWorkgroupStorageSize)
    return `${bytes} bytes of workgroup memory, the device has ${limits.maxComputeWorkgroupStorageSize}`;
  if (!('LANES' in variant)) return null;
  const width = variant.shader === 'matmul_subgroup' ? variant.WIDTH : 4;
  if (!subgroups) return 'the device has no subgroups';
  if (width > subgroups.min)
    return `${width} lanes that share loads, subgroups here may have ${subgroups.min}`;
  return null;
}

/** Lines of the other operand up to which packed bytes are worth reading again and again. */
const NARROW = 20;

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/**
 * The variants that are worth measuring for a product on this device, the likeliest first; without a product,
 * all there are. No software driver has memory that is nearer than another: slabs only cost time to compile there.
 */
export function candidates(profile: Profile, product?: Layout): readonly Candidate[] {
  const likely = product ? ranked(profile, product) : [];
  const others = catalogue.filter((one) => !product || !profile.isSoftware || one.shader === 'matmul');
  return [...likely, ...others].map((one) => ({ tuning: { ...one }, refused: refusal(profile, one) }));
}

/**
 * Had the product rather read packed rows than a copy as f32? On software drivers, when its other side is so
 * narrow that every byte is unpacked once or twice.
 */
export function readsPacked({ isSoftware, subgroups }: Profile, product: Layout): boolean {
  const { rows, columns, inner, batches, slices } = product.sizes;
  const { four, alongK } = product.a;
  return (
    isSoftware &&
    subgroups !== null &&
    subgroups.min >= 4 &&
    (four || alongK) &&
    batches === 1 &&
    slices === 1 &&
    columns <= NARROW &&
    rows * columns * inner > 1e5
  );
}

/** The variant for a product of this size on this device. */
export const pick = (profile: Profile, product: Layout): Variant => ranked(profile, product)[0];

function ranked(profile: Profile, product: Layout): Variant[] {
  const usual = byRule(profile, product);
  if (!profile.isSoftware || !profile.subgroups) return [usual];
  const { rows, columns, inner, batches } = product.sizes;
  const flops = 2 * rows * columns * inner * batches;
  if (flops < 2e5) return [usual];
  const width = profile.subgroups.min >= 8 ? 8 : 4;
  // Packed bytes are read in fours or not at all: of the wide operand.
  const swaps = product.packed ? [true] : [false, true];
  const shuffles = width === 8 && !(product.packed && product.a.alongK);
  // A large tile takes seconds to compile where that happens at the first dispatch.
  const mostSums = !shuffles ? 40 : flops > 1e7 ? 128 : 80;
  const shared = swaps.flatMap((swap) =>
    [5, 8, 10, 16, 20].flatMap((lines) =>
      // A second group a lane was not seen to gain with matmul_broadcast.
      (shuffles ? [1, 2] : [1])
        .filter((groups) => 4 * groups * lines <= mostSums)
        .map((groups) =>
          shuffles ? subgroup(lines, groups, width, width, swap) : broadcast(lines, groups, width, swap),
        ),
    ),
  );
  const costs = new Map<Variant, number>(shared.map((one) => [one, estimate(one, product)]));
  const best = [...costs.keys()].sort((x, y) => costs.get(x)! - costs.get(y)!).slice(0, 5);
  return width === 4 && !product.packed && tallTileWins(usual, product) ? [usual, ...best] : [...best, usual];
}

/**
 * With vectors of four, a tall tile in registers is as good as lanes that share loads, unless many of its columns
 * are empty and the wide operand comes in fours along k. CPU time on SwiftShader, tile / shared: 128·784·512 35 / 47
 * ms, dW 784·32·100 2.6 / 3.3 ms, 32·784·100 with a fifth of the tile empty 2.1 / 1.7 ms.
 */
function tallTileWins(tile: Variant, product: Layout): boolean {
  const { rows, columns } = blockOf(tile);
  const filled = (size: number, block: number) => size / (Math.ceil(size / block) * block);
  const full = filled(product.sizes.rows, rows) * filled(product.sizes.columns, columns) > 0.9;
  return product.sizes.columns >= 32 && (full || !product.a.alongK);
}

/**
 * Nanoseconds that a product takes on two cores of a software driver, roughly: what ranks the variants before
 * anything is measured. The constants are costs per vector of lanes, measured with Dawn 0.6.2 (llvmpipe 25.0.7
 * with vectors of 8 / SwiftShader with 4): a load 4 / 7, four at once 10 / 19, a multiply-add 0.25 / 0.5, handing
 * one value round 0.3, a trip of a loop 6 / 15, and a sum that goes through it 0.05 / 1.
 */
function estimate(variant: Subgroup | Broadcast, product: Layout): number {
  const { TILE_P: p, TILE_Q: q } = variant;
  const { rows, columns } = blockOf(variant);
  const { sizes } = product;
  const workgroups =
    Math.ceil(sizes.rows / rows) * Math.ceil(sizes.columns / columns) * sizes.batches * sizes.slices;
  const { four, alongK } = variant.SWAP ? product.a : product.b;
  const sums = 4 * p * q;
  let step: number;
  if (variant.shader === 'matmul_subgroup')
    step = (4 * p) / variant.WIDTH + (four ? 10 : 16) * q + 0.3 * p + 0.3 * sums + 6;
  else step = (7 * p) / 4 + (four || alongK ? 19 : 28) * q + 0.3 * p + 0.75 * sums + 4;
  return Math.ceil(workgroups / 2) * (sizes.slice * step + 5 * sums + 300);
}

/**
 * The variant by plain rules.
 *
 * Software drivers pay for loads, not for multiply-adds, and have no memory that is nearer than another:
 * registers only, the larger the tile the fewer the loads. A GPU copies slabs to workgroup memory, as long as
 * the product fills a block.
 */
function byRule({ isSoftware, limits }: Profile, { sizes: { rows, columns, inner } }: Layout): Variant {
  const flops = 2 * rows * columns * inner;
  const tall = Math.min(8, powerOfTwo(rows));
  if (isSoftware) {
    if (columns >= 32 && rows >= 8 && flops > 1e6) return registers(16, 2, 1, 4);
    // Few lanes per workgroup, so that both cores have some. A tiny product is cheaper to run than its
    // kernel is to compile, and half the tile compiles in half the time.
    const across = Math.min(8, powerOfTwo(columns / 4));
    return registers(flops > 2e5 ? tall : Math.min(4, tall), 1, 8 / across, across);
  }
  if (rows >= 16 && columns >= 16) {
    // The larger the block the fewer the loads, as long as there are a hundred blocks to keep a GPU busy.
    if (limits.maxComputeInvocationsPerWorkgroup >= 256 && rows >= 64 && columns >= 64) {
      if (rows * columns >= 128 * 128 * 100) return workgroup(8, 2, 8, 16, 16);
      if (rows * columns >= 64 * 64 * 16) return workgroup(4, 1, 16, 16, 16);
    }
    return workgroup(4, 1, 16, 8, 8);
  }
  const across = Math.min(32, powerOfTwo(columns / 4));
  return registers(Math.min(4, tall), 1, 64 / across, across);
}
