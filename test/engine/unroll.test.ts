import { expect, test } from 'vitest';
import { unroll } from '../../src/engine/unroll.ts';

test('a marked loop becomes its body once per step, nested loops too, everything else stays', () => {
  const code = `const N = 2u; // @tune
fn main() {
  for (var i = 0u; i < N; i++) { // @unroll
    let at = i;
    for (var j = 0u; j < 2u; j++) { // @unroll
      y[i][j] = at;
    }
  }
  for (var i = 0u; i < N; i++) {
    z[i] = i;
  }
}`;
  expect(unroll(code).replace(/\n\s*/g, '\n')).toBe(
    `const N = 2u; // @tune
fn main() {
  {
    let at = 0u;
    {
      y[0u][0u] = at;
    }
    {
      y[0u][1u] = at;
    }
  }
  {
    let at = 1u;
    {
      y[1u][0u] = at;
    }
    {
      y[1u][1u] = at;
    }
  }
  for (var i = 0u; i < N; i++) {
    z[i] = i;
  }
}`.replace(/\n\s*/g, '\n'),
  );
});

test('a bound that is no constant is refused by name', () => {
  expect(() => unroll('for (var i = 0u; i < params; i++) { // @unroll\n}')).toThrow("'params'");
});
