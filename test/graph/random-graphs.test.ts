/**
 * Random graphs, fused, against the same graphs walked in float64 by each op's reference. Values are used
 * several times, viewed, broadcast, reduced and multiplied, so that every kind of melting happens.
 */
import { expect, it } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import {
  capture,
  concat,
  gather,
  gradients,
  type Op,
  sum,
  type Tensor,
  tensor,
  variable,
  where,
} from '../../src/index.ts';
import { type NdArray, ndarray } from '../../src/ops/reference.ts';
import { sharedEngine } from '../support/engine.ts';
import { isLong } from '../support/long.ts';

/** Small, seeded, good enough: mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Build = (leaves: readonly Tensor[]) => Tensor[];

/** A recipe for a graph: the same choices every time it is built. */
function recipe(
  seed: number,
  steps: number,
  more: (x: Tensor) => (() => Tensor)[] = () => [],
): { shapes: number[][]; build: Build } {
  const shapes = [[4, 6], [6], [4, 1], [6, 4], []];
  const build: Build = (leaves) => {
    const random = generator(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
    const pool: Tensor[] = [...leaves];
    const matrices = () => pool.filter((x) => x.rank === 2 && x.shape[0] === 4 && x.shape[1] === 6);
    for (let i = 0; i < steps; i++) {
      const x = pick(matrices());
      const y = pick(
        pool.filter((one) => one.rank === 0 || one.shape.at(-1) === 6 || one.shape.at(-1) === 1),
      );
      const kinds: (() => Tensor)[] = [
        () => x.add(y).tanh(),
        () => x.mul(y).sigmoid(),
        () => x.sub(y).relu(),
        () => x.maximum(y),
        () => where(x.greater(y), x, y),
        () => x.transpose().tanh().transpose(),
        () => x.reshape([2, 12]).mul(0.7).reshape([4, 6]),
        () => x.softmax(),
        () => x.sub(x.mean(1, { keepDims: true })),
        () => x.div(x.square().sum(0, { keepDims: true }).add(1)),
        () =>
          x
            .matmul(pick(pool.filter((one) => one.rank === 2 && one.shape[0] === 6)))
            .matmul(x)
            .mul(0.1),
        () => concat([x.slice([0, 3]), x.slice([0, 0], [4, 3]).neg()], 1),
        () => gather(x, [3, 1, 1, 0]),
        () => x.logSoftmax().mul(0.3),
        () => x.matmul(x, { transposeB: true }).matmul(x).mul(0.2).tanh(),
        () => x.max(1, { keepDims: true }).mul(x).tanh(),
        () => x.clip(-0.5, 0.75),
        ...more(x),
      ];
      pool.push(pick(kinds)());
      if (random() < 0.2) pool.push(pick(matrices()).transpose());
      if (random() < 0.2) pool.push(pick(matrices()).sum(1, { keepDims: true }).tanh());
    }
    const made = pool.slice(leaves.length);
    return [made.at(-1)!, pick(made), pick(made)];
  };
  return { shapes, build };
}

/** Any graph in float64, by the references of its ops. */
function evaluate(x: Tensor, values: Map<Tensor, NdArray>): NdArray {
  let value = values.get(x);
  if (!value) {
    const { op, host } = x;
    value = op
      ? (op as Op).reference(
          x.inputs.map((input) => evaluate(input, values)),
          x.attributes,
        )
      : ndarray(x.shape, host!);
    values.set(x, value);
  }
  return value;
}

const close = (got: ArrayLike<number>, exact: NdArray, what: string): void => {
  expect(got.length, what).toBe(exact.data.length);
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i] - exact.data[i]);
    if (!(error <= 2e-4 + 2e-4 * Math.abs(exact.data[i])))
      throw new Error(`${what}: element ${i} is ${got[i]}, exactly ${exact.data[i]}`);
  }
};

/** Programs of all kinds are drawn in test/fuzz; these are graphs that are differentiated, and long ones. */
const [GRAPHS, PROGRAMS] = isLong ? [60, 10] : isNode ? [24, 6] : [8, 3];

for (let seed = 1; seed <= GRAPHS; seed++) {
  it(`random graph ${seed} is right, eager and captured, values and gradients`, async () => {
    const engine = await sharedEngine();
    const { shapes, build } = recipe(seed, 6 + (seed % 14));
    const random = generator(seed + 1000);
    const leaves = shapes.map((shape) =>
      tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1),
        { shape, engine },
      ),
    );
    const outputs = build(leaves);
    const values = new Map<Tensor, NdArray>();
    const exact = outputs.map((y) => evaluate(y, values));
    const loss = sum(outputs[0].mul(outputs[0]));
    const reached = leaves.filter((leaf) => {
      try {
        return gradients(loss, [leaf]).length === 1;
      } catch {
        return false;
      }
    });
    const exactGradients = gradients(loss, reached).map((g) => evaluate(g, values));

    // Captured: the leaves become variables, which are also updated, so that effects are part of the plan.
    const variables = leaves.map((leaf) => variable(leaf));
    const step = capture(
      () => {
        const made = build(variables);
        const own = sum(made[0].mul(made[0]));
        const found = gradients(
          own,
          reached.map((leaf) => variables[leaves.indexOf(leaf)]),
        );
        for (const one of variables) one.assign(one.mul(0.5).add(0.25));
        return [...made, ...found];
      },
      { engine },
    );
    const captured = await step();
    for (const [i, y] of captured.entries())
      close(await y.data(), i < 3 ? exact[i] : exactGradients[i - 3], `captured result ${i}`);
    for (const [i, one] of variables.entries()) {
      const before = evaluate(leaves[i], values);
      close(
        await one.data(),
        ndarray(
          before.shape,
          before.data.map((v) => v * 0.5 + 0.25),
        ),
        `variable ${i}`,
      );
    }
    for (const [i, y] of outputs.entries()) close(await y.data(), exact[i], `eager result ${i}`);
  });
}

/** The same bytes in two shapes: rows of 6 and rows of 4, 8 or 12, or none, in one program. */
const otherRows = (x: Tensor) => [
  () => x.reshape([6, 4]).softmax().reshape([4, 6]).add(x.softmax()),
  () => x.reshape([2, 12]).logSoftmax().reshape([4, 6]).mul(x.logSoftmax()).mul(0.1),
  () =>
    x
      .reshape([3, 8])
      .max(1, { keepDims: true })
      .sum()
      .add(x.max(1, { keepDims: true }))
      .mul(x)
      .tanh(),
  () => x.reshape([6, 4]).sum(1).add(x.sum(0)).mul(0.1).add(x),
  () => x.reshape([2, 2, 6]).mean(0).mean(0).add(x.mean(0)).add(x),
];

/** Long enough that no kernel computes it all. */
const chain = (x: Tensor, length: number): Tensor => {
  let y = x;
  for (let i = 0; i < length; i++) y = i % 9 === 8 ? y.tanh() : y.mul(0.99).add(0.01);
  return y;
};

/** What a program gives back at once, some of it packed: each in float64 from the same expressions. */
const results = (x: Tensor, bytes: Tensor): Tensor[] => {
  const picked = bytes.gather([3, 0, 2, 2]);
  const scaled = picked.cast('f32').div(255);
  const rows = x.reshape([6, 4]);
  return [
    picked,
    scaled,
    picked.cast('f32').sub(scaled).mul(x),
    bytes.cast('i32').add(1),
    x.argMax(1),
    rows.argMax(1),
    rows.softmax(),
    x.logSoftmax(),
    rows.argMax(0),
    chain(x, 300),
    chain(rows, 300).sum(1),
    x.reshape([24]),
  ];
};

for (let seed = 101; seed <= 100 + PROGRAMS; seed++) {
  it(`random graph ${seed} in several shapes, with bytes and chains, gives all its results`, async () => {
    const engine = await sharedEngine();
    const { shapes, build } = recipe(seed, 4 + (seed % 7), otherRows);
    const random = generator(seed + 1000);
    const leaves = shapes.map((shape) =>
      tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1),
        { shape, engine },
      ),
    );
    const bytes = tensor(
      Uint8Array.from({ length: 24 }, () => random() * 256),
      { shape: [4, 6], engine },
    );
    const program = (own: readonly Tensor[], packed: Tensor): Tensor[] => {
      const made = build(own);
      const x = made.find(({ shape }) => shape[0] === 4 && shape[1] === 6) ?? own[0];
      return [...made, ...results(x, packed)];
    };
    const values = new Map<Tensor, NdArray>();
    const exact = program(leaves, bytes).map((y) => evaluate(y, values));
    const step = capture((...args: Tensor[]) => program(args.slice(1), args[0]), { engine });
    for (const [i, y] of (await step(bytes, ...leaves)).entries())
      close(await y.data(), exact[i], `result ${i}`);
  });
}
