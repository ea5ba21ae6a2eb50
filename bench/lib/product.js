import { generator } from './random.js';

/**
 * Matrix products as data: `{ m, k, n, transposeA?, transposeB? }`, [m, k] · [k, n]; a transposed operand lies in
 * memory the other way round. Squares, and what W1–W3 ask of a product forwards and backwards.
 */
export const squares = [256, 512, 1024].map((n) => ({ m: n, k: n, n }));
export const hugeSquare = { m: 4096, k: 4096, n: 4096 };
export const skinny = [
  { m: 32, k: 784, n: 10, what: 'W1 forward' },
  { m: 784, k: 32, n: 10, transposeA: true, what: 'W1 dW' },
  { m: 32, k: 784, n: 100, what: 'W2 forward' },
  { m: 784, k: 32, n: 100, transposeA: true, what: 'W2 dW' },
  { m: 32, k: 10, n: 100, transposeB: true, what: 'W2 dX' },
  { m: 128, k: 784, n: 512, what: 'W3 forward' },
  { m: 784, k: 128, n: 512, transposeA: true, what: 'W3 dW' },
  { m: 128, k: 10, n: 512, transposeB: true, what: 'W3 dX' },
];

export const productTitle = ({ m, k, n, transposeA, transposeB }) =>
  `${m}×${k}×${n}${transposeA ? ' aᵀ' : ''}${transposeB ? ' bᵀ' : ''}`;

export const productFlops = ({ m, k, n }) => 2 * m * k * n;

/** Rows of the result that are held against float64. */
const checkedRows = 16;

/**
 * The operands, from a fixed seed, and `check(y)`, which throws unless rows of y spread over the whole are a · b to
 * float32's rounding: relative to the sum of |a| |b|, sums of k terms in any order.
 *
 * → { a: { values, shape }, b: { values, shape }, check }
 */
export function productInputs({ m, k, n, transposeA = false, transposeB = false }) {
  const random = generator(11);
  const matrix = (rows, columns) => ({
    values: Float32Array.from({ length: rows * columns }, () => 2 * random() - 1),
    shape: [rows, columns],
  });
  const a = transposeA ? matrix(k, m) : matrix(m, k);
  const b = transposeB ? matrix(n, k) : matrix(k, n);
  const [ai, ak] = transposeA ? [1, m] : [k, 1];
  const [bk, bj] = transposeB ? [1, k] : [n, 1];

  function check(y) {
    if (y.length !== m * n) throw new Error(`check: ${y.length} elements, expected ${m * n}`);
    const rows = Math.min(m, checkedRows);
    for (let r = 0; r < rows; r++) {
      const i = Math.floor((r * m) / rows);
      for (let j = 0; j < n; j++) {
        let sum = 0;
        let magnitude = 0;
        for (let p = 0; p < k; p++) {
          const term = a.values[i * ai + p * ak] * b.values[p * bk + j * bj];
          sum += term;
          magnitude += Math.abs(term);
        }
        if (!(Math.abs(y[i * n + j] - sum) <= 2 ** -23 * (2 + k / 5) * magnitude))
          throw new Error(`check: element ${i},${j} is ${y[i * n + j]}, the reference has ${sum}`);
      }
    }
  }
  return { a, b, check };
}
