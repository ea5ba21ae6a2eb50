/**
 * Recurrent layers over whole sequences: rows of a batch walk through time inside one dispatch, and back again for the
 * gradient. What inputs add to the gates of all steps is one product before it, what weights are to change by one
 * product over all rows and steps after it.
 */
import { ShapeError } from '../base/errors.ts';
import { add, mul } from './binary.ts';
import { isFill, ones, zeros } from './constant.ts';
import { apply, type Case, defineOp, type KernelBinding, type Op, type ProvenOp, twin } from './define.ts';
import { recurrenceBackwardFamily, recurrenceFamily } from './families/recurrence.ts';
import { matmul } from './matmul.ts';
import { concat, reshape, slice } from './movement.ts';
import {
  type Cell,
  type CellActivation,
  type CellFacts,
  cells,
  type RecurrenceAttributes,
} from './recurrence/cells.ts';
import { sum } from './reduce.ts';
import { type NdArray, ndarray } from './reference.ts';
import { type Shape, sameShape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

const factsOf = (attributes: Attributes): CellFacts => cells[(attributes as RecurrenceAttributes).cell];

/** Inputs of the op, as the kernel calls them. */
const INPUTS = ['x', 'u', 'bias', 'state', 'on', 'drop'];

/** What a result looks like, from the shapes of x and u. */
type Outcome = (x: Shape, u: Shape, facts: CellFacts) => number[];

const outcomes = {
  y: ([rows, steps], [units], { states }) => [rows, steps + states - 1, units],
  saved: ([rows, steps], [units], { saved }) => [rows, steps, saved * units],
} satisfies Record<string, Outcome>;

/** ShapeError where inputs do not belong together. */
function checkShapes(shapes: readonly Shape[], { gates, states }: CellFacts, name: string): void {
  const [x, u, bias, state, on, drop] = shapes;
  const [rows, steps] = x;
  const units = u[0];
  const good =
    x.length === 3 &&
    units > 0 &&
    x[2] === gates * units &&
    sameShape(u, [units, gates * units]) &&
    sameShape(bias, [gates * units]) &&
    sameShape(state, [states, rows, units]) &&
    sameShape(on, [rows, steps]) &&
    drop.length === 3 &&
    sameShape(drop, [rows, drop[1], units]) &&
    (drop[1] === 1 || drop[1] === gates);
  if (!good)
    throw new ShapeError(
      `${name}: ${shapes.map(show).join(', ')}; expected x [rows, steps, ${gates} · units], u [units, ${gates} · units], bias [${gates} · units], state [${states}, rows, units], on [rows, steps] and drop [rows, 1 or ${gates}, units].`,
    );
}

const savedOp = defineOp({
  name: 'recurrenceSaved',
  shape([x, u], a) {
    return outcomes.saved(x, u, factsOf(a));
  },
  dtype: () => 'f32',
  kernel: { family: recurrenceFamily, inputs: INPUTS, output: 'saved' },
});

const recurrenceOp = defineOp({
  name: 'recurrence',
  shape(shapes, a) {
    checkShapes(shapes, factsOf(a), 'recurrence');
    return outcomes.y(shapes[0], shapes[1], factsOf(a));
  },
  dtype: () => 'f32',
  kernel: { family: recurrenceFamily, inputs: INPUTS, output: 'y' },
  expand: (y) => (y.size === 0 ? zeros(y.shape) : null),
  backward: (inputs, _y, g, attributes) => gradientsOf(inputs, g, attributes as RecurrenceAttributes),
  cost: ([x, u], y) => ({
    flops: 2 * sizeOf(x.shape) * u.shape[0] + 12 * sizeOf(x.shape),
    bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape) + sizeOf(u.shape)),
  }),
});

/** What the walk back makes: its inputs are u, saved, on, drop and g. */
const backwardOp = (output: string, shape: (u: Shape, on: Shape, facts: CellFacts) => number[]): Op =>
  defineOp({
    name: `recurrence.${output}`,
    shape: ([u, , on], a) => shape(u, on, factsOf(a)),
    dtype: () => 'f32',
    kernel: {
      family: recurrenceBackwardFamily,
      inputs: ['u', 'saved', 'on', 'drop', 'g'],
      output,
    } satisfies KernelBinding,
    expand: (y) => (y.size === 0 ? zeros(y.shape) : null),
    cost: ([u, , on], y) => ({
      flops: 2 * sizeOf(on.shape) * sizeOf(u.shape),
      bytes: 4 * (sizeOf(u.shape) + 4 * sizeOf(y.shape)),
    }),
  });

const dxOp = backwardOp('dx', ([units], [rows, steps], { gates }) => [rows, steps, gates * units]);
const drOp = backwardOp('dr', ([units], [rows, steps], { gates }) => [rows, steps, gates * units]);
const dstateOp = backwardOp('dstate', ([units], [rows], { states }) => [states, rows, units]);

/** Columns of the parts of the last axis, each `units` wide. */
const part = (x: Tensor, from: number, count: number, units: number): Tensor =>
  slice(x, [...x.shape.slice(0, -1).fill(0), from * units], [...x.shape.slice(0, -1), count * units]);

/** Gradients for x, u, bias, state, on and drop. */
function gradientsOf(
  inputs: readonly Tensor[],
  g: Tensor,
  attributes: RecurrenceAttributes,
): (Tensor | null)[] {
  const [x, u, , , on, drop] = inputs;
  const { cell } = attributes;
  const { gates, atOnce, saved: parts } = cells[cell];
  const [rows, steps] = x.shape;
  const [units] = u.shape;
  const saved = apply(savedOp, inputs, attributes);
  const back = [u, saved, on, drop, g];
  const dx = apply(dxOp, back, attributes);
  // Only in a GRU is what leaves for x another thing.
  const dr = cell === 'gru' ? apply(drOp, back, attributes) : dx;

  const h = part(saved, parts - 1, 1, units);
  const copies = drop.shape[1];
  /** What goes into gates `from` … from + count through u: their source, and its mask. */
  const groups: { from: number; count: number }[] = [];
  const apart = copies > 1;
  for (let from = 0; from < gates; ) {
    const count = apart ? 1 : from < atOnce ? atOnce - from : gates - from;
    groups.push({ from, count });
    from += count;
  }
  const dus: Tensor[] = [];
  const drops = new Map<number, Tensor>();
  for (const { from, count } of groups) {
    const source = from < atOnce ? h : mul(part(saved, 1, 1, units), h);
    const copy = from % copies;
    const mask = slice(drop, [0, copy, 0], [rows, 1, units]);
    const kept = isFill(drop, 1) ? source : mul(source, mask);
    const d = part(dr, from, count, units);
    const flat = (z: Tensor): Tensor => reshape(z, [rows * steps, z.shape[2]]);
    dus.push(matmul(flat(kept), flat(d), { transposeA: true }));
    const ahead = matmul(flat(d), part(u, from, count, units), { transposeB: true });
    const ddrop = sum(mul(source, reshape(ahead, [rows, steps, units])), 1, { keepDims: true });
    const before = drops.get(copy);
    drops.set(copy, before ? add(before, ddrop) : ddrop);
  }
  const du = dus.length === 1 ? dus[0] : concat(dus, 1);
  const dbias = cell === 'gru' ? sum(dr, [0, 1]) : zeros([gates * units]);
  const ddrop = concat([...drops.values()], 1);
  return [dx, du, dbias, apply(dstateOp, back, attributes), null, ddrop];
}

/** What a recurrence takes beside x and u. */
export interface RecurrenceOptions {
  readonly cell: Cell;
  /** Default 'tanh'. */
  readonly activation?: CellActivation;
  /** Of gates; default 'sigmoid'. */
  readonly recurrentActivation?: CellActivation;
  /** Of a GRU that resets after its product: added to that, [3 · units]; default zeros. */
  readonly bias?: Tensor | null;
  /** The first state, [1 or 2, rows, units]; default zeros. */
  readonly state?: Tensor | null;
  /** [rows, steps] of i32, 0 where a step leaves the state as it is; default ones. */
  readonly on?: Tensor | null;
  /** What h is multiplied by on its way into the gates, [rows, 1 or gates, units]; default ones. */
  readonly drop?: Tensor | null;
}

/**
 * All states of a recurrent layer: h' of each step, and for an LSTM the last c as one step more.
 *
 * x: [rows, steps, gates · units], a product with the kernel, its bias added; u: [units, gates · units], gates in
 * Keras's order (LSTM i, f, c, o; GRU z, r, h) → [rows, steps, units], or [rows, steps + 1, units] of an LSTM. One
 * dispatch forward and one back, whatever the number of steps. Throws ShapeError where shapes do not belong together.
 */
export function recurrence(
  x: Tensor,
  u: Tensor,
  { cell, activation = 'tanh', recurrentActivation = 'sigmoid', bias, state, on, drop }: RecurrenceOptions,
): Tensor {
  const { states } = cells[cell];
  const [rows, steps] = x.shape;
  const [units, width] = u.shape;
  return apply(
    recurrenceOp,
    [
      x,
      u,
      bias ?? zeros([width]),
      state ?? zeros([states, rows, units]),
      on ?? ones([rows, steps], 'i32'),
      drop ?? ones([rows, 1, units]),
    ],
    { cell, activation, recurrentActivation },
  );
}

// ---- twins

const activations64: Record<CellActivation, { f(x: number): number; slope(y: number): number }> = {
  linear: { f: (x) => x, slope: () => 1 },
  tanh: { f: Math.tanh, slope: (y) => 1 - y * y },
  sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)), slope: (y) => y * (1 - y) },
  relu: { f: (x) => Math.max(0, x), slope: (y) => Number(y > 0) },
  hardSigmoid: {
    f: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
    slope: (y) => (y > 0 && y < 1 ? 1 / 6 : 0),
  },
};

/** Both results in float64. */
function walk(inputs: readonly NdArray[], attributes: Attributes): { y: NdArray; saved: NdArray } {
  const { cell, activation, recurrentActivation } = attributes as RecurrenceAttributes;
  const facts = cells[cell];
  const [x, u, bias, state, on, drop] = inputs;
  const [rows, steps] = x.shape;
  const [units, width] = u.shape;
  const copies = drop.shape[1];
  const a = activations64[activation].f;
  const s = activations64[recurrentActivation].f;
  const y = ndarray(outcomes.y(x.shape, u.shape, facts));
  const saved = ndarray(outcomes.saved(x.shape, u.shape, facts));
  const slots = y.shape[1];
  for (let b = 0; b < rows; b++) {
    let h = [...state.data.subarray(b * units, (b + 1) * units)];
    let c = facts.states === 2 ? [...state.data.subarray((rows + b) * units, (rows + b + 1) * units)] : [];
    for (let t = 0; t < steps; t++) {
      const fed = (gate: number, j: number) => x.data[(b * steps + t) * width + gate * units + j];
      const product = (source: number[], gate: number, j: number) =>
        source.reduce(
          (total, one, k) =>
            total +
            one *
              drop.data[(b * copies + (gate % copies)) * units + k] *
              u.data[k * width + gate * units + j],
          0,
        );
      const alive = on.data[b * steps + t] !== 0;
      const nextH = [...h];
      const nextC = [...c];
      const z = h.map((_, j) => s(fed(0, j) + product(h, 0, j) + bias.data[j]));
      const r =
        facts.gates > 1 ? h.map((_, j) => s(fed(1, j) + product(h, 1, j) + bias.data[units + j])) : [];
      const resetH = h.map((one, k) => one * r[k]);
      for (let j = 0; j < units; j++) {
        let kept: number[];
        if (cell === 'simple') {
          nextH[j] = a(fed(0, j) + product(h, 0, j));
          kept = [nextH[j], h[j]];
        } else if (cell === 'lstm') {
          const n = a(fed(2, j) + product(h, 2, j));
          const o = s(fed(3, j) + product(h, 3, j));
          nextC[j] = r[j] * c[j] + z[j] * n;
          nextH[j] = o * a(nextC[j]);
          kept = [z[j], r[j], n, o, c[j], h[j]];
        } else {
          const inner = cell === 'gru' ? product(h, 2, j) + bias.data[2 * units + j] : product(resetH, 2, j);
          const n = a(fed(2, j) + (cell === 'gru' ? r[j] * inner : inner));
          nextH[j] = z[j] * h[j] + (1 - z[j]) * n;
          kept = cell === 'gru' ? [z[j], r[j], n, inner, h[j]] : [z[j], r[j], n, h[j]];
        }
        kept.forEach((one, p) => {
          saved.data[((b * steps + t) * facts.saved + p) * units + j] = one;
        });
      }
      if (alive) [h, c] = [nextH, nextC];
      y.data.set(h, (b * slots + t) * units);
    }
    if (cell === 'lstm') y.data.set(c, (b * slots + steps) * units);
  }
  return { y, saved };
}

/** All three results of the walk back in float64. */
function walkBack(
  inputs: readonly NdArray[],
  attributes: Attributes,
): Record<'dx' | 'dr' | 'dstate', NdArray> {
  const { cell, activation, recurrentActivation } = attributes as RecurrenceAttributes;
  const facts = cells[cell];
  const [u, saved, on, drop, g] = inputs;
  const [rows, steps] = on.shape;
  const [units, width] = u.shape;
  const copies = drop.shape[1];
  const slots = g.shape[1];
  const { f: a, slope: da } = activations64[activation];
  const { slope: ds } = activations64[recurrentActivation];
  const dx = ndarray([rows, steps, width]);
  const dr = ndarray([rows, steps, width]);
  const dstate = ndarray([facts.states, rows, units]);
  const all = Array.from({ length: units }, (_, j) => j);
  for (let b = 0; b < rows; b++) {
    let dh = all.map(() => 0);
    let dc = all.map((j) => (cell === 'lstm' ? g.data[(b * slots + steps) * units + j] : 0));
    for (let t = steps - 1; t >= 0; t--) {
      const arrived = dh.map((one, j) => one + g.data[(b * slots + t) * units + j]);
      if (on.data[b * steps + t] === 0) {
        dh = arrived;
        continue;
      }
      const kept = (p: number, j: number) => saved.data[((b * steps + t) * facts.saved + p) * units + j];
      /** Σⱼ d[gate][j] · u[k, gate, j], through the mask. */
      const through = (d: number[], gate: number, k: number) =>
        drop.data[(b * copies + (gate % copies)) * units + k] *
        d.reduce((total, one, j) => total + one * u.data[k * width + gate * units + j], 0);
      let fed: number[][];
      let back: number[][];
      let rest = all.map(() => 0);
      if (cell === 'simple') {
        fed = back = [all.map((j) => arrived[j] * da(kept(0, j)))];
      } else if (cell === 'lstm') {
        const out = all.map((j) => a(kept(1, j) * kept(4, j) + kept(0, j) * kept(2, j)));
        const d = all.map((j) => dc[j] + arrived[j] * kept(3, j) * da(out[j]));
        fed = back = [
          all.map((j) => d[j] * kept(2, j) * ds(kept(0, j))),
          all.map((j) => d[j] * kept(4, j) * ds(kept(1, j))),
          all.map((j) => d[j] * kept(0, j) * da(kept(2, j))),
          all.map((j) => arrived[j] * out[j] * ds(kept(3, j))),
        ];
        dc = all.map((j) => d[j] * kept(1, j));
      } else {
        const h = facts.saved - 1;
        const dz = all.map((j) => arrived[j] * (kept(h, j) - kept(2, j)) * ds(kept(0, j)));
        const dn = all.map((j) => arrived[j] * (1 - kept(0, j)) * da(kept(2, j)));
        rest = all.map((j) => arrived[j] * kept(0, j));
        if (cell === 'gru') {
          const dReset = all.map((j) => dn[j] * kept(3, j) * ds(kept(1, j)));
          fed = [dz, dReset, dn];
          back = [dz, dReset, all.map((j) => dn[j] * kept(1, j))];
        } else {
          const d = all.map((k) => through(dn, 2, k));
          const dReset = all.map((k) => d[k] * kept(h, k) * ds(kept(1, k)));
          rest = rest.map((one, k) => one + d[k] * kept(1, k));
          fed = back = [dz, dReset, dn];
        }
      }
      dh = all.map((k) =>
        back.slice(0, facts.atOnce).reduce((total, d, gate) => total + through(d, gate, k), rest[k]),
      );
      fed.forEach((d, gate) => {
        dx.data.set(d, (b * steps + t) * width + gate * units);
        dr.data.set(back[gate], (b * steps + t) * width + gate * units);
      });
    }
    dstate.data.set(dh, b * units);
    if (cell === 'lstm') dstate.data.set(dc, (rows + b) * units);
  }
  return { dx, dr, dstate };
}

const caseOf = (
  [rows, steps, units]: readonly number[],
  cell: Cell,
  { copies = 1, activation = 'tanh', recurrentActivation = 'sigmoid' } = {},
): Case => {
  const { gates, states } = cells[cell];
  return {
    shapes: [
      [rows, steps, gates * units],
      [units, gates * units],
      [gates * units],
      [states, rows, units],
      [rows, steps],
      [rows, copies, units],
    ],
    dtypes: ['f32', 'f32', 'f32', 'f32', 'i32', 'f32'],
    range: [-1, 2],
    attributes: { cell, activation, recurrentActivation },
  };
};

/** A bias where the kernel adds one: elsewhere the twin would, and the kernel does not. */
const forward: Case[] = [
  caseOf([3, 4, 2], 'lstm'),
  caseOf([5, 3, 9], 'simple', { activation: 'sigmoid' }),
  caseOf([9, 3, 5], 'lstm', { copies: 4 }),
  caseOf([2, 2, 33], 'lstm', { recurrentActivation: 'hardSigmoid' }),
  caseOf([9, 3, 5], 'gru', { copies: 3 }),
  caseOf([3, 4, 2], 'gruResetBefore'),
  caseOf([9, 3, 5], 'gruResetBefore', { copies: 3 }),
];

/** One of each cell, with masks of several gates. */
const many = forward.filter(({ shapes: [x] }) => x[0] > 3);

/** Without a bias where the kernel knows none. */
const biased = (inputs: readonly NdArray[], attributes: Attributes): readonly NdArray[] =>
  (attributes as RecurrenceAttributes).cell === 'gru'
    ? inputs
    : inputs.map((one, i) => (i === 2 ? ndarray(one.shape) : one));

const recurrenceTwin = twin(recurrenceOp, () => ({
  reference: (inputs, a) => walk(biased(inputs, a), a).y,
  // Sums of 33 terms up to 4, and states of a few steps behind them; WGSL lets each tanh in these err by 1e-5.
  tolerance: { relative: 2e-5, absolute: 6e-5 },
  cases: forward,
}));

const savedTwin = twin(savedOp, () => ({
  reference: (inputs, a) => walk(biased(inputs, a), a).saved,
  tolerance: { relative: 2e-5, absolute: 6e-5 },
  cases: many.slice(1, 3).map((one) => ({ ...one, noGradient: 'made for the gradient' })),
}));

const backward: Case[] = many.map(({ attributes, shapes: [x, u, , , on, drop], range }) => {
  const { cell } = attributes as RecurrenceAttributes;
  return {
    shapes: [u, outcomes.saved(x, u, cells[cell]), on, drop, outcomes.y(x, u, cells[cell])],
    dtypes: ['f32', 'f32', 'i32', 'f32', 'f32'],
    range,
    attributes,
    noGradient: 'a gradient',
  };
});

const backwardTwin = (op: Op, output: 'dx' | 'dr' | 'dstate'): (() => ProvenOp) =>
  twin(op, () => ({
    reference: (inputs, a) => walkBack(inputs, a)[output],
    // Products of saved numbers up to 2, several times over.
    tolerance: { relative: 1e-4, absolute: 1e-3 },
    cases: output === 'dx' ? backward : backward.slice(1, 3),
  }));

/** For the registry. */
export const twins = [
  recurrenceTwin,
  savedTwin,
  backwardTwin(dxOp, 'dx'),
  backwardTwin(drOp, 'dr'),
  backwardTwin(dstateOp, 'dstate'),
];
