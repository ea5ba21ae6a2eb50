/**
 * Programs whose kernels SwiftShader once compiled for minutes or for ever, when generated code branched. Run as a
 * script it computes them on SwiftShader with the built package and prints the sum of each result.
 */
import { pathToFileURL } from 'node:url';

/** By name, what makes the results: with the package's functions, on an engine. */
export function heavyPrograms({ concat, gradients, logicalAnd, stack, variable, where }, engine) {
  const x = (seed, ...shape) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return variable(
      Float32Array.from({ length: size }, (_, i) => 1 + ((seed + i) % 7) / 8),
      { shape, engine },
    );
  };
  const many = (count, ...shape) => Array.from({ length: count }, (_, i) => x(i, ...shape));
  return {
    'a stack of 6': () => [stack(many(6, 64))],
    'a stack of 16': () => [stack(many(16, 64))],
    '8 matrices side by side': () => [concat(many(8, 16, 16), 1)],
    '100 numbers in a row': () => [concat(many(100, 1))],
    'two powers with their gradients': () => {
      const [u, v, w] = many(3, 250);
      const y = u.pow(v).add(v.pow(w));
      return [y, ...gradients(y.sum(), [u, v, w])];
    },
    'the largest of 8': () => [many(8, 64).reduce((so, one) => so.maximum(one))],
    'the gradient of 8 columns': () => {
      const m = x(1, 16, 16);
      const columns = Array.from({ length: 8 }, (_, i) =>
        m
          .slice([0, i], [16, 1])
          .mul(i + 1)
          .square()
          .sum(),
      );
      return gradients(
        columns.reduce((a, b) => a.add(b)),
        [m],
      );
    },
    'logarithms and comparisons': () => {
      const [u, v] = many(2, 64);
      return [where(logicalAnd(u.greater(v), v.less(2)), u.softplus(), v.erf().add(u.log()).sub(v.log1p()))];
    },
  };
}

/** The sum of each result of each program. */
export async function sumsOf(programs) {
  const sums = {};
  for (const [name, program] of Object.entries(programs))
    sums[name] = await Promise.all(program().map((y) => y.sum().item()));
  return sums;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { findGpu } = await import('../../scripts/support/software-adapter.js');
  const weft = await import('../../dist/index.js');
  const { gpu, note } = await findGpu();
  const engine = await weft.init({ gpu, seed: 1 });
  console.log(JSON.stringify({ note, sums: await sumsOf(heavyPrograms(weft, engine)) }));
  await engine.close();
}
