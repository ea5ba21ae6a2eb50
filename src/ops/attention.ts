/**
 * Attention: each query takes a mean of values, weighted by the softmax of its products with their keys. One kernel forward,
 * and two back; scores, [steps, length] of each head, are stored nowhere.
 */
import { ConfigError, ShapeError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import {
  type AttentionAttributes,
  attentionFamily,
  keyFamily,
  queryFamily,
  statsShape,
} from './attention/family.ts';
import { add, mul, sub } from './binary.ts';
import { iota, type TensorLike, toTensor, zeros } from './constant.ts';
import { apply, type Case, defineOp, type KernelFamily, type Op, type ProvenOp, twin } from './define.ts';
import { matmul } from './matmul.ts';
import { broadcastTo, reshape, transpose } from './movement.ts';
import { sum } from './reduce.ts';
import { type NdArray, ndarray } from './reference.ts';
import { cast, greaterEqual, less, logicalAnd, where } from './select.ts';
import { type Shape, sameShape, show, sizeOf } from './shape.ts';
import { softmax } from './softmax.ts';
import type { Attributes, Tensor } from './tensor.ts';
import { abs } from './unary.ts';

/** Numbers of a head's queries and values that one lane walks with. */
const MOST_DEPTH = 256;

/** The score of a key that a query may not look at. */
const NOTHING = -1e9;

/** Shapes that belong together, or a ShapeError. */
function checkShapes([q, k, v, mask]: readonly Shape[], called: string): void {
  const good =
    q.length === 4 &&
    k.length === 4 &&
    v.length === 4 &&
    q[0] === k[0] &&
    sameShape(k.slice(0, 3), v.slice(0, 3)) &&
    q[3] === k[3] &&
    k[2] > 0 &&
    q[2] % k[2] === 0;
  const fits =
    mask === undefined ||
    (mask.length === 3 &&
      (mask[0] === 1 || mask[0] === q[0]) &&
      (mask[1] === 1 || mask[1] === q[1]) &&
      mask[2] === k[1]);
  if (!good || !fits)
    throw new ShapeError(
      `${called}: query ${show(q)}, key ${show(k)}, value ${show(v)}${mask ? `, mask ${show(mask)}` : ''}; expected [samples, steps, heads, depth], [samples, length, groups, depth], [samples, length, groups, width]${mask ? ' and [samples or 1, steps or 1, length]' : ''}, where groups divide heads.`,
    );
}

const outShape = ([q, , v]: readonly Shape[]): Shape => [...q.slice(0, 3), v[3]];

/** Where there is nothing to add up, or to add to. */
const nothing = (y: Tensor): Tensor | null =>
  y.size === 0 || y.inputs[1].size === 0 ? zeros(y.shape) : null;

function flopsOf([q, k, v]: readonly { readonly shape: Shape }[], products: number): number {
  return products * sizeOf(q.shape.slice(0, 3)) * k.shape[1] * (k.shape[3] + v.shape[3]);
}

const forwardOp = (name: string, output: string, shape: Op['shape'], more: Pick<Op, 'backward'> = {}): Op =>
  defineOp({
    name,
    shape(shapes, attributes) {
      checkShapes(shapes, name);
      return shape(shapes, attributes);
    },
    dtype: () => 'f32',
    kernel: { family: attentionFamily, inputs: ['q', 'k', 'v', 'mask'], output },
    expand: nothing,
    cost: (inputs, y) => ({
      flops: flopsOf(inputs, 2),
      bytes: 4 * inputs.reduce((all, { shape }) => all + sizeOf(shape), sizeOf(y.shape)),
    }),
    ...more,
  });

const attentionOp = forwardOp('attention', 'out', outShape, {
  backward: (inputs, out, g, attributes) => slopes(inputs, out, g, attributes as AttentionAttributes),
});
const statsOp = forwardOp('attentionStats', 'stats', ([q]) => statsShape(q));

/** What the walks back make: their inputs are q, k, v, stats, delta, g and mask. */
const GIVEN = ['q', 'k', 'v', 'stats', 'delta', 'g', 'mask'];

/** Which of q, k and v a gradient is for. */
type Wanted = 'dq' | 'dk' | 'dv';

const backwardOp = (family: KernelFamily, output: Wanted, of: 0 | 1 | 2): Op =>
  defineOp({
    name: `attention.${output}`,
    shape: (shapes) => shapes[of],
    dtype: () => 'f32',
    kernel: { family, inputs: GIVEN, output },
    expand: nothing,
    backward([q, k, v, , , g, mask], _y, h, attributes) {
      const [dq, dk, dv, dg] = second({ q, k, v, g, mask }, output, h, attributes as AttentionAttributes);
      // Stats and delta are functions of the others, whose slopes have them in.
      return [dq, dk, dv, null, null, dg, ...(mask ? [null] : [])];
    },
    cost: (inputs, y) => ({
      flops: flopsOf(inputs, output === 'dq' ? 3 : 2),
      bytes: 4 * inputs.reduce((all, { shape }) => all + sizeOf(shape), sizeOf(y.shape)),
    }),
  });

const dqOp = backwardOp(queryFamily, 'dq', 0);
const dkOp = backwardOp(keyFamily, 'dk', 1);
const dvOp = backwardOp(keyFamily, 'dv', 2);

function slopes(
  inputs: readonly Tensor[],
  out: Tensor,
  g: Tensor,
  attributes: AttentionAttributes,
): (Tensor | null)[] {
  const [q, k, v, mask] = inputs;
  const delta = sum(mul(g, out), -1);
  const given = [q, k, v, apply(statsOp, inputs, attributes), delta, g, ...(mask ? [mask] : [])];
  // With a mask, one kernel of both would bind nine buffers.
  const of = (op: Op, alone: string): Tensor =>
    apply(op, given, mask ? { ...attributes, alone } : attributes);
  return [apply(dqOp, given, attributes), of(dkOp, 'dk'), of(dvOp, 'dv'), ...(mask ? [null] : [])];
}

// ---- the same in other ops, for gradients of gradients

interface Operands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly g: Tensor;
  readonly mask: Tensor | undefined;
}

/** [samples, length, groups, n] → [samples, heads, length, n] */
const byHead = (x: Tensor, heads: number): Tensor => {
  const [samples, length, groups, n] = x.shape;
  const turned = transpose(x, [0, 2, 1, 3]);
  if (groups === heads) return turned;
  const apart = reshape(turned, [samples, groups, 1, length, n]);
  const all = broadcastTo(apart, [samples, groups, heads / groups, length, n]);
  return reshape(all, [samples, heads, length, n]);
};

/** The reverse: heads that read one group are added up. */
const byStep = (x: Tensor, groups: number): Tensor => {
  const [samples, heads, length, n] = x.shape;
  const one = heads === groups ? x : sum(reshape(x, [samples, groups, heads / groups, length, n]), 2);
  return transpose(one, [0, 2, 1, 3]);
};

/** Which keys a query may look at: [1 or samples, 1, steps or 1, length], or null for all. */
function allowed(
  steps: number,
  length: number,
  mask: Tensor | undefined,
  a: AttentionAttributes,
): Tensor | null {
  const t = reshape(iota(steps), [1, 1, steps, 1]);
  const s = reshape(iota(length), [1, 1, 1, length]);
  const all = [
    mask ? reshape(cast(mask, 'bool'), [mask.shape[0], 1, ...mask.shape.slice(1)]) : null,
    a.causal ? greaterEqual(t, s) : null,
    a.window === null ? null : less(abs(sub(t, s)), a.window),
  ].filter((one) => one !== null);
  return all.length === 0 ? null : all.reduce((p, q) => logicalAnd(p, q));
}

/** Everything that attention makes on its way: [samples, heads, …] of q, k and v, who may look where, and the shares. */
function parts({ q, k, v, mask }: Omit<Operands, 'g'>, a: AttentionAttributes) {
  const [, steps, heads] = q.shape;
  const [Q, K, V] = [q, k, v].map((x) => byHead(x, heads));
  const may = allowed(steps, k.shape[1], mask, a);
  const scores = mul(matmul(Q, K, { transposeB: true }), a.scale);
  return { Q, K, V, may, A: softmax(may ? where(may, scores, NOTHING) : scores) };
}

/** The same as the op, in other ops: its scores are stored. */
function composed(operands: Omit<Operands, 'g'>, a: AttentionAttributes): Tensor {
  const { A, V } = parts(operands, a);
  return byStep(matmul(A, V), operands.q.shape[2]);
}

/**
 * What the gradient `wanted` passes on of h, which arrives for it, to q, k, v and g. With A = softmax(S), S = scale · q kᵀ,
 * X = g vᵀ, r = Σ A ∘ X of each row and D = A ∘ (X − r): dq = scale · D k, dk = scale · Dᵀ q, dv = Aᵀ g.
 */
function second({ q, k, v, g, mask }: Operands, wanted: Wanted, h: Tensor, a: AttentionAttributes): Tensor[] {
  const heads = q.shape[2];
  const groups = k.shape[2];
  const { Q, K, V, may, A } = parts({ q, k, v, mask }, a);
  const [G, H] = [g, h].map((x) => byHead(x, heads));
  const only = (x: Tensor): Tensor => (may ? where(may, x, 0) : x);
  const rows = (x: Tensor): Tensor => sum(mul(A, x), -1, { keepDims: true });
  const X = matmul(G, V, { transposeB: true });
  const away = sub(X, rows(X));
  const turned = { transposeA: true };
  let [dQ, dK, dG]: (Tensor | null)[] = [null, null, null];
  let dA: Tensor;
  let dX: Tensor | null = null;
  if (wanted === 'dv') {
    dA = matmul(G, H, { transposeB: true });
    dG = matmul(A, H);
  } else {
    const D = only(mul(A, away));
    const W = mul(
      only(wanted === 'dq' ? matmul(H, K, { transposeB: true }) : matmul(Q, H, { transposeB: true })),
      a.scale,
    );
    if (wanted === 'dq') dK = mul(matmul(D, H, turned), a.scale);
    else dQ = mul(matmul(D, H), a.scale);
    const mean = rows(W);
    dX = mul(A, sub(W, mean));
    dA = sub(mul(W, away), mul(X, mean));
  }
  const dS = mul(only(mul(A, sub(dA, rows(dA)))), a.scale);
  const plus = (x: Tensor | null, y: Tensor): Tensor => (x ? add(x, y) : y);
  dQ = plus(dQ, matmul(dS, K));
  dK = plus(dK, matmul(dS, Q, turned));
  const dV = dX ? matmul(dX, G, turned) : zeros(V.shape);
  if (dX) dG = plus(dG, matmul(dX, V));
  return [byStep(dQ, heads), byStep(dK, groups), byStep(dV, groups), byStep(dG!, heads)];
}

export interface AttentionOptions {
  /** `[samples or 1, steps or 1, length]`: true where a query may look at a key; default: everywhere. */
  mask?: TensorLike | null;
  /** What scores are multiplied by; default 1 / √depth. */
  scale?: number | null;
  /** Whether a query sees no later key; default false. */
  isCausal?: boolean;
  /** A query sees keys nearer than this alone; default null: all. */
  slidingWindow?: number | null;
}

/**
 * out[t] = Σ_s softmax_s(scale · ⟨q[t], k[s]⟩) · v[s], head by head.
 *
 * query: [samples, steps, heads, depth], key: [samples, length, groups, depth], value: [samples, length, groups, width] →
 * [samples, steps, heads, width]; heads / groups heads read one key and value. f32. A query that may look at no key looks at all
 * alike. The scores are stored nowhere, forward or back. Throws ShapeError where shapes do not belong together.
 *
 * ```ts
 * const x = random.normal([2, 16, 4, 8]);                          // 4 heads of 8 numbers
 * const y = dotProductAttention(x, x, x, { isCausal: true });      // [2, 16, 4, 8]
 * ```
 */
export function dotProductAttention(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  given: AttentionOptions = {},
): Tensor {
  const called = 'dotProductAttention';
  const known = knownOptions<AttentionOptions>(called, given, ['mask', 'scale', 'isCausal', 'slidingWindow']);
  const { mask = null, scale = null, isCausal = false, slidingWindow = null } = known;
  const inputs = [query, key, value].map((x) => cast(toTensor(x), 'f32'));
  if (slidingWindow !== null && !(Number.isSafeInteger(slidingWindow) && slidingWindow > 0))
    throw new ConfigError(
      `${called}: slidingWindow is ${slidingWindow}; expected a whole number from 1, or null.`,
    );
  if (scale !== null && !Number.isFinite(scale))
    throw new ConfigError(`${called}: scale is ${scale}; expected a number, or null.`);
  const [q, k, v] = inputs;
  const whole = mask === null ? undefined : cast(cast(toTensor(mask), 'bool'), 'i32');
  const attributes: AttentionAttributes = {
    scale: scale ?? 1 / Math.sqrt(Math.max(1, q.shape.at(-1) ?? 1)),
    causal: isCausal,
    window: slidingWindow,
  };
  const all = whole ? [...inputs, whole] : inputs;
  const node = apply(attentionOp, all, attributes);
  // Beyond this a lane's numbers have no place near it, and the text of a walk over them grows long.
  return Math.max(q.shape[3], v.shape[3]) > MOST_DEPTH
    ? composed({ q, k, v, mask: whole }, attributes)
    : node;
}

// ---- the twins

/** Everything in plain loops. `stats` and `delta` are worked out where they are not given. */
function walk(
  [q, k, v, mask]: readonly (NdArray | undefined)[],
  { scale, causal, window }: AttentionAttributes,
  back?: { readonly stats: NdArray; readonly delta: NdArray; readonly g: NdArray },
): Record<'out' | 'stats' | 'dq' | 'dk' | 'dv', NdArray> {
  const [samples, steps, heads, depth] = q!.shape;
  const [, length, groups] = k!.shape;
  const width = v!.shape[3];
  const out = ndarray([samples, steps, heads, width]);
  const stats = ndarray([samples, steps, heads, 2]);
  const [dq, dk, dv] = [q, k, v].map((x) => ndarray(x!.shape));
  const result = { out, stats, dq, dk, dv };
  for (let b = 0; b < samples; b++)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < steps; t++) {
        const row = (b * steps + t) * heads + h;
        const keys = Array.from(
          { length },
          (_, s) => (b * length + s) * groups + Math.floor((h * groups) / heads),
        );
        const may = keys.map((_, s) => {
          const [m0, m1] = mask?.shape ?? [];
          const at = mask ? ((m0 > 1 ? b : 0) * m1 + (m1 > 1 ? t : 0)) * length + s : 0;
          const seen = mask?.data[at] !== 0;
          return seen && (!causal || s <= t) && (window === null || Math.abs(s - t) < window);
        });
        const dot = (x: NdArray, at: number, y: NdArray, other: number, n: number): number => {
          let total = 0;
          for (let d = 0; d < n; d++) total += x.data[at * n + d] * y.data[other * n + d];
          return total;
        };
        const scores = keys.map((at, s) => (may[s] ? scale * dot(q!, row, k!, at, depth) : NOTHING));
        const peak = back ? back.stats.data[2 * row] : Math.max(...scores);
        const mass = scores.reduce((total, one) => total + Math.exp(one - peak), 0);
        const share = back ? back.stats.data[2 * row + 1] : 1 / mass;
        stats.data.set([peak, share], 2 * row);
        keys.forEach((at, s) => {
          const p = Math.exp(scores[s] - peak) * share;
          for (let d = 0; d < width; d++) out.data[row * width + d] += p * v!.data[at * width + d];
          if (!back) return;
          const { g, delta } = back;
          const dscore = may[s] ? p * (dot(g, row, v!, at, width) - delta.data[row]) : 0;
          for (let d = 0; d < width; d++) dv.data[at * width + d] += p * g.data[row * width + d];
          for (let d = 0; d < depth; d++) {
            dq.data[row * depth + d] += scale * dscore * k!.data[at * depth + d];
            dk.data[at * depth + d] += scale * dscore * q!.data[row * depth + d];
          }
        });
      }
  return result;
}

const plain = { scale: 0.5, causal: false, window: null };

/** [samples, steps, length, heads, groups, depth, width] and what else there is. */
const forms: [number[], Attributes, Shape?][] = [
  [[1, 1, 1, 1, 1, 1, 1], plain],
  [[2, 5, 5, 2, 2, 4, 4], { ...plain, causal: true }],
  [[1, 37, 37, 2, 1, 8, 5], { ...plain, causal: true, window: 6 }],
  [[2, 9, 70, 4, 2, 3, 6], plain],
  [[1, 70, 9, 1, 1, 24, 24], { ...plain, causal: true }],
  [[2, 7, 6, 2, 2, 5, 4], plain, [2, 1, 6]],
  [[2, 6, 6, 2, 1, 4, 4], { ...plain, causal: true }, [1, 6, 6]],
  [[2, 0, 3, 1, 1, 4, 4], plain],
];

const shapesOf = ([n, steps, length, heads, groups, depth, width]: number[], mask?: Shape): Shape[] => [
  [n, steps, heads, depth],
  [n, length, groups, depth],
  [n, length, groups, width],
  ...(mask ? [mask] : []),
];

const cases: Case[] = forms.map(([sizes, attributes, mask]) => ({
  shapes: shapesOf(sizes, mask),
  attributes,
  // A mask of whole numbers from 0: in the range of −2 to 2 half of them are 0 or below.
  ...(mask && { range: [0, 2] as const, dtypes: ['f32', 'f32', 'f32', 'i32'] as const }),
}));

/** WGSL lets exp of a number x err by 3 + 2 · |x| ULP; sums of up to 70 shares that make 1. */
const tolerance = { relative: 1e-5, absolute: 3e-5 };

const forwardTwin = (op: Op, output: 'out' | 'stats'): (() => ProvenOp) =>
  twin(op, () => ({
    reference: (inputs, a) => walk(inputs, a as AttentionAttributes)[output],
    tolerance,
    cases:
      output === 'out'
        ? cases
        : cases.slice(1, 4).map((one) => ({ ...one, noGradient: 'made for the gradient' })),
  }));

const backCases: Case[] = forms.map(([sizes, attributes, mask]) => {
  const [q, k, v] = shapesOf(sizes);
  return {
    shapes: [
      q,
      k,
      v,
      [...q.slice(0, 3), 2],
      q.slice(0, 3),
      [...q.slice(0, 3), v[3]],
      ...(mask ? [mask] : []),
    ],
    attributes,
    range: mask ? ([0, 2] as const) : ([-1, 1] as const),
    ...(mask && { dtypes: [...Array(6).fill('f32'), 'i32'] }),
    noGradient:
      'total slopes of what follows from one another; compared with those of other ops in attention.test.ts',
  };
});

const backTwin = (op: Op, output: Wanted): (() => ProvenOp) =>
  twin(op, () => ({
    reference: ([q, k, v, stats, delta, g, mask], a) =>
      walk([q, k, v, mask], a as AttentionAttributes, { stats, delta, g })[output],
    // exp of scores up to 13 less a peak that is drawn at random, times sums of 70 products.
    tolerance: { relative: 1e-4, absolute: 1e-3 },
    cases: (output === 'dq' ? backCases : backCases.slice(1, 7)).map((one) => ({
      ...one,
      attributes: { ...one.attributes, ...(one.shapes.length > 6 && output !== 'dq' && { alone: output }) },
    })),
  }));

/** For the registry. */
export const twins = [
  forwardTwin(attentionOp, 'out'),
  forwardTwin(statsOp, 'stats'),
  backTwin(dqOp, 'dq'),
  backTwin(dkOp, 'dk'),
  backTwin(dvOp, 'dv'),
];
