/** Rows at mean 0 and mean square 1, scaled and shifted: one kernel forward, one back. */
import { ShapeError } from '../base/errors.ts';
import { add, mul, sub } from './binary.ts';
import { ones, zeros } from './constant.ts';
import { apply, type Case, defineOp, type Op, twin } from './define.ts';
import { type NormalizeAttributes, normalizeFamily, normalizeGradientFamily } from './families/normalize.ts';
import { expandDims } from './movement.ts';
import { mean, sum } from './reduce.ts';
import { build, type NdArray, ndarray } from './reference.ts';
import { type Shape, sameShape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

const rowOp = (name: string, output: string, inputs: readonly string[], more: Partial<Op>): Op =>
  defineOp({
    name,
    shape: ([x]) => x,
    dtype: () => 'f32',
    kernel: { family: normalizeFamily, inputs, output },
    expand: (y) => (y.size === 0 ? zeros(y.shape) : null),
    cost: ([x]) => ({ flops: 8 * sizeOf(x.shape), bytes: 8 * sizeOf(x.shape) }),
    ...more,
  });

const normalOp = rowOp('rowNormal', 'normal', ['x'], {
  backward: ([x], _y, g, attributes) => [slope(x, ones([x.shape[x.rank - 1]]), g, attributes)],
});

/** 1 / √(σ² + ε); dx = −g · factor² · normal / columns. */
const factorOp = rowOp('rowFactor', 'factor', ['x'], {
  shape: ([x]) => x.slice(0, -1),
  backward([x], factor, g, attributes) {
    const row = mul(mul(g, mul(factor, factor)), -1 / x.shape[x.rank - 1]);
    return [mul(apply(normalOp, [x], attributes), expandDims(row, -1))];
  },
});

const normalizeOp = rowOp('normalizeRows', 'y', ['x', 'gamma', 'beta'], {
  shape([x, gamma, beta]) {
    const columns = x.slice(-1);
    if (x.length === 0 || !sameShape(gamma, columns) || !sameShape(beta, columns))
      throw new ShapeError(
        `normalizeRows: x ${show(x)}, gamma ${show(gamma)}, beta ${show(beta)}; expected [..., columns], [columns] and [columns].`,
      );
    return x;
  },
  backward([x, gamma], _y, g, attributes) {
    const before = x.shape.slice(0, -1).map((_, axis) => axis);
    return [
      slope(x, gamma, g, attributes),
      sum(mul(g, apply(normalOp, [x], attributes)), before),
      sum(g, before),
    ];
  },
});

/** What x gets of g, which arrives for its normalized rows times gamma. */
const slope = (x: Tensor, gamma: Tensor, g: Tensor, attributes: Attributes): Tensor =>
  apply(
    gradientOp,
    [apply(normalOp, [x], attributes), apply(factorOp, [x], attributes), g, gamma],
    attributes,
  );

const gradientOp: Op = rowOp('normalizeRowsGradient', 'dx', [], {
  kernel: {
    family: normalizeGradientFamily,
    inputs: ['normal', 'factor', 'g', 'gamma'],
    output: 'dx',
  },
  backward([normal, factor, g, gamma], _dx, k, attributes) {
    const { centered } = attributes as NormalizeAttributes;
    const row = (x: Tensor): Tensor => mean(x, -1, true);
    const before = g.shape.slice(0, -1).map((_, axis) => axis);
    const h = mul(g, gamma);
    /** The map from h to dx, which is its own transpose. */
    const along = (z: Tensor): Tensor => sub(centered ? sub(z, row(z)) : z, mul(normal, row(mul(z, normal))));
    const scale = expandDims(factor, -1);
    const back = mul(scale, along(k));
    return [
      mul(scale, mul(add(mul(k, row(mul(h, normal))), mul(h, row(mul(k, normal)))), -1)),
      sum(mul(k, along(h)), -1),
      mul(back, gamma),
      sum(mul(back, g), before),
    ];
  },
});

/**
 * y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² of each row; not centered, of μ = 0.
 *
 * x: [..., columns], gamma and beta: [columns], f32 → the shape of x. ShapeError where they do not fit.
 */
export const normalizeRows = (
  x: Tensor,
  gamma: Tensor | null,
  beta: Tensor | null,
  attributes: NormalizeAttributes,
): Tensor => {
  const columns = x.shape.slice(-1);
  return apply(normalizeOp, [x, gamma ?? ones(columns), beta ?? zeros(columns)], { ...attributes });
};

// ---- the twins

function rows(x: NdArray, { centered, epsilon }: NormalizeAttributes): { normal: NdArray; factor: NdArray } {
  const columns = x.shape.at(-1) as number;
  const normal = ndarray(x.shape);
  const factor = ndarray(x.shape.slice(0, -1));
  for (let r = 0; r < factor.data.length; r++) {
    const row = x.data.subarray(r * columns, (r + 1) * columns);
    const middle = centered ? row.reduce((s, one) => s + one, 0) / columns : 0;
    const square = row.reduce((s, one) => s + (one - middle) ** 2, 0) / columns;
    factor.data[r] = 1 / Math.sqrt(square + epsilon);
    row.forEach((one, c) => {
      normal.data[r * columns + c] = (one - middle) * factor.data[r];
    });
  }
  return { normal, factor };
}

const shapes: Shape[] = [
  [1, 1],
  [3, 7],
  [2, 5, 96],
  [3, 300],
  [0, 4],
];
const each = shapes.flatMap((shape, i) => [
  { shape, attributes: { centered: true, epsilon: 0.1 } },
  ...(i === 1 || i === 3 ? [{ shape, attributes: { centered: false, epsilon: 0.1 } }] : []),
]);
const tolerance = { relative: 1e-5, absolute: 5e-6 };
const alone: Case[] = each.map(({ shape, attributes }) => ({ shapes: [shape], attributes }));

const normalizeTwin = twin(normalizeOp, () => ({
  reference([x, gamma, beta], attributes) {
    const { normal } = rows(x, attributes as NormalizeAttributes);
    const columns = x.shape.at(-1) as number;
    return build(x.shape, (_, i) => normal.data[i] * gamma.data[i % columns] + beta.data[i % columns]);
  },
  tolerance,
  cases: each.map(({ shape, attributes }) => ({
    shapes: [shape, shape.slice(-1), shape.slice(-1)],
    attributes,
  })),
}));

const normalTwin = twin(normalOp, () => ({
  reference: ([x], attributes) => rows(x, attributes as NormalizeAttributes).normal,
  tolerance,
  cases: alone,
}));

const factorTwin = twin(factorOp, () => ({
  reference: ([x], attributes) => rows(x, attributes as NormalizeAttributes).factor,
  tolerance,
  cases: alone,
}));

const gradientTwin = twin(gradientOp, () => ({
  reference([normal, factor, g, gamma], attributes) {
    const { centered } = attributes as NormalizeAttributes;
    const columns = normal.shape.at(-1) as number;
    const h = (i: number): number => g.data[i] * gamma.data[i % columns];
    const meanOf = (r: number, f: (i: number) => number): number => {
      let total = 0;
      for (let i = r * columns; i < (r + 1) * columns; i++) total += f(i);
      return total / columns;
    };
    return build(normal.shape, (_, i) => {
      const r = Math.floor(i / columns);
      const along = normal.data[i] * meanOf(r, (j) => h(j) * normal.data[j]);
      return factor.data[r] * (h(i) - (centered ? meanOf(r, h) : 0) - along);
    });
  },
  // Means of up to 300 products up to 8, times two numbers up to 2.
  tolerance: { relative: 1e-5, absolute: 5e-5 },
  terms: ([x]) => x.at(-1) as number,
  cases: each.map(({ shape, attributes }) => ({
    shapes: [shape, shape.slice(0, -1), shape, shape.slice(-1)],
    attributes,
  })),
}));

/** For the registry. */
export const twins = [normalizeTwin, normalTwin, factorTwin, gradientTwin];
