/** How a case of each kind is run: every runner throws when Weft gives anything but what the case says. */
import { gradients, type Tensor, WeftError } from '../../src/index.ts';
import {
  type ConformanceCase,
  expectValues,
  type Tolerance,
  toleranceOf,
  toTensor,
  type Values,
} from './cases.ts';
import * as nn from './nn.ts';
import { ops as coreOps, extendedOps } from './ops.ts';
import { refusedCalls } from './refusals.ts';

/** Every name that is run, of core and extended cases. */
const ops = { ...coreOps, ...extendedOps };

const inputsOf = ({ inputs }: ConformanceCase): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => [
      name,
      // A list of tensors is one input of concat and addN.
      (Array.isArray(values) ? values.map((one) => toTensor(one)) : toTensor(values)) as Tensor,
    ]),
  );

/** The exact value where the file has it, with the shape and dtype that the source asserts. */
const wantedOf = ({ expect, float64 }: ConformanceCase): Values =>
  float64 ? { ...float64, shape: expect?.shape ?? float64.shape, dtype: expect?.dtype } : expect;

async function forward(one: ConformanceCase): Promise<void> {
  await expectValues(
    ops[one.op](inputsOf(one), { ...one.attrs, output: one.output }),
    wantedOf(one),
    toleranceOf(one),
  );
}

async function grad(one: ConformanceCase): Promise<void> {
  const inputs = inputsOf(one);
  // Truth values and integers have no gradient here; the file has zeros, or casts them.
  const names = Object.keys(one.float64).filter((name) => inputs[name].dtype === 'f32');
  if (names.length === 0) throw new Error('no input has a gradient');
  const dx = gradients(
    ops[one.op](inputs, one.attrs),
    names.map((name) => inputs[name]),
    { seed: toTensor(one.dy) },
  );
  await Promise.all(
    names.map((name, i) => expectValues(dx[i], one.float64[name], gradientTolerance(one), 'float32')),
  );
}

/** A gradient runs through several kernels; it gets the tolerance of sums. */
const gradientTolerance = (one: ConformanceCase): Tolerance => {
  const { relative, absolute } = toleranceOf(one);
  return { relative: Math.max(relative, 1e-5), absolute: Math.max(absolute, 1e-5) };
};

/** Every attempt ends in a typed error; a promise may bring it. */
async function expectRefusals(attempts: readonly (() => unknown)[]): Promise<void> {
  for (const attempt of attempts) {
    try {
      await attempt();
    } catch (error) {
      if (error instanceof WeftError) continue;
      throw new Error(`a foreign error came: ${String(error)}`, { cause: error });
    }
    throw new Error('nothing was thrown');
  }
}

const throws = (one: ConformanceCase): Promise<void> =>
  expectRefusals(
    Object.hasOwn(ops, one.op)
      ? [() => ops[one.op](inputsOf(one), { ...one.attrs, output: one.output })]
      : refusedCalls(one),
  );

export const runners: Record<string, (one: ConformanceCase) => void | Promise<void>> = {
  forward,
  grad,
  throws,
  ...nn.runners,
};
