import { describe, expect, test } from 'vitest';
import { philox, RandomSequence, uniform } from '../../src/base/random.ts';

type Words = [number, number, number, number];

describe('Philox 4x32-10', () => {
  // Random123, tests/kat_vectors: counter, key, answer.
  const knownAnswers: [Words, [number, number], Words][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  test.each(knownAnswers)('counter %o, key %o gives the known answer', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox(out, counter, key);
    expect([...out]).toEqual(answer);
  });

  test('a uniform number is the top 24 bits of the first word', () => {
    expect(uniform(0, 0, 0, 0)).toBe(0x6627e8 / 2 ** 24);
  });

  test('a sequence hands out the words of consecutive elements and can restart at any step', () => {
    const expected: number[] = [];
    const block = new Uint32Array(4);
    for (let element = 0; element < 3; element++) {
      philox(block, [element, 5, 0, 0], [7, 9]);
      expected.push(...block);
    }
    const sequence = new RandomSequence(7, 9);
    sequence.word();
    sequence.restart(5);
    expect(Array.from({ length: 12 }, () => sequence.word())).toEqual(expected);
  });

  test('uniform numbers lie in [0, 1) with mean 1/2 and variance 1/12', () => {
    const n = 20_000;
    let sum = 0;
    let squares = 0;
    const sequence = new RandomSequence(42, 1);
    for (let i = 0; i < n; i++) {
      const u = sequence.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      sum += u;
      squares += u * u;
    }
    const mean = sum / n;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(squares / n - mean * mean).toBeCloseTo(1 / 12, 2);
  });
});
