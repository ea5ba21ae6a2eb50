import { expect, test } from 'vitest';
import { hash } from '../../src/base/hash.ts';

/** FNV-1a as it is defined, in numbers that are wide enough. */
function slowHash(text: string): string {
  let sum = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++)
    sum = ((sum ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  return sum.toString(16).padStart(16, '0');
}

test('is FNV-1a, with its published values', () => {
  expect(hash('')).toBe('cbf29ce484222325');
  expect(hash('a')).toBe('af63dc4c8601ec8c');
  expect(hash('foobar')).toBe('85944171f73967e8');
});

test('equals the slow twin on longer texts', () => {
  for (let n = 1; n < 300; n += 7) {
    const text = Array.from({ length: n }, (_, i) => String.fromCharCode((i * 7919 + n) % 60_000)).join('');
    expect(hash(text)).toBe(slowHash(text));
  }
});
