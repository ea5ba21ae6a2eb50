/** The list of faults is numbered, and each number stands in the name of a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('each of the 57 numbered faults has a test that carries its number', () => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.test\.ts$/.test(file),
  );
  const names = files.flatMap((file) => {
    const text = readFileSync(join('test', file), 'utf8');
    return [...text.matchAll(/(?:describe|test|it)[^\n]*?\(\s*['`](F\d\d)\b|^\s*\]?\)\(['`](F\d\d)\b/gm)].map(
      ([, first, second]) => first ?? second,
    );
  });
  const missing = Array.from({ length: 57 }, (_, i) => `F${String(i + 1).padStart(2, '0')}`).filter(
    (id) => !names.includes(id),
  );
  expect(missing).toEqual([]);
});
