import { describe, expect, test } from 'vitest';
import { exponent, fixed, memorySize, roundHalfEven, thousands } from '../../src/nn/report/format.ts';
import { Progress, type Verbosity } from '../../src/nn/report/progress.ts';
import { Keras2Progress } from '../../src/nn/report/progress-keras2.ts';
import type { Terminal } from '../../src/nn/report/terminal.ts';
import recorded from './fixtures/keras-progress.json';
import keras2 from './fixtures/keras2.json';

/** A terminal that remembers what was written. */
function recorder(isTerminal: boolean, color = isTerminal): Terminal & { text: string[] } {
  const text: string[] = [];
  return { text, isTerminal, color, columns: 80, write: (line) => void text.push(line) };
}

interface Recording {
  target: number;
  verbose: number;
  terminal: boolean;
  updates: [number, number, [string, number | string][], boolean][];
  text: string[];
}

function play({ target, verbose, updates }: Recording, terminal: Terminal, Line = Progress): void {
  let seconds = 0;
  const bar = new Line(target, verbose as Verbosity, terminal, () => 1e6 + seconds * 1000);
  for (const [at, current, values, last] of updates) {
    seconds = at;
    bar.update(current, Object.fromEntries(values.map(([name, value]) => [name, Number(value)])), last);
  }
}

describe('a progress line', () => {
  const onTerminal = (recorded as unknown as Recording[]).filter(({ terminal }) => terminal);

  test.each(onTerminal.map((one, i) => [i, one] as const))(
    'is what Keras 3 draws, recording %i',
    (_, one) => {
      const terminal = recorder(true);
      play(one, terminal);
      expect(terminal.text).toEqual(one.text);
    },
  );

  test.each((keras2.progress as unknown as Recording[]).map((one, i) => [i, one] as const))(
    'is what tf.keras 2 draws, recording %i',
    (_, one) => {
      const terminal = recorder(true, false);
      play(one, terminal, Keras2Progress);
      expect(terminal.text).toEqual(one.text);
    },
  );

  test('counts without an end as long as nobody knows it', () => {
    const lines = [Progress, Keras2Progress].map((Line) => {
      const terminal = recorder(true, false);
      let seconds = 0;
      const bar = new Line(null, 1, terminal, () => 1e6 + seconds * 1000);
      for (const [current, last] of [
        [7, false],
        [12, true],
      ] as const) {
        seconds = current / 10;
        bar.update(current, { loss: 0.5 }, last);
      }
      return terminal.text;
    });
    expect(lines[0]).toEqual([
      '\r      7/Unknown 1s 100ms/step - loss: 0.5000',
      `${'\b'.repeat(44)}\r12/12 ━━━━━━━━━━━━━━━━━━━━ 1s 100ms/step - loss: 0.5000\n`,
    ]);
    expect(lines[1][0]).toBe('\r      7/Unknown - 1s 100ms/step - loss: 0.5000');
    expect(lines[1][1]).toContain('12/12 [==============================] - 1s');
  });

  test('has no escapes where NO_COLOR is set', () => {
    const terminal = recorder(true, false);
    play(onTerminal[0], terminal);
    expect(terminal.text.join('')).not.toContain('\x1b');
    expect(terminal.text[0]).toBe('\r1/9 ━━━━━━━━━━━━━━━━━━━━ 12s 2s/step - accuracy: 0.0903 - loss: 2.4969');
  });

  test('is one plain line where there is no terminal', () => {
    const terminal = recorder(false);
    play(onTerminal[0], terminal);
    expect(terminal.text).toEqual([
      '9/9 ━━━━━━━━━━━━━━━━━━━━ 2s 62ms/step - accuracy: 0.0903 - loss: 2.4969 - val_accuracy: 0.0625 - val_loss: 2.4042\n',
    ]);
  });

  test('is not there at verbose 0', () => {
    const terminal = recorder(true);
    play({ ...onTerminal[0], verbose: 0 }, terminal);
    expect(terminal.text).toEqual([]);
  });
});

describe('numbers are written as Python writes them', () => {
  test('halves go to the even neighbour', () => {
    expect([0.5, 1.5, 2.5, -1.5, 2.4].map(roundHalfEven)).toEqual([0, 2, 2, -2, 2]);
    expect(fixed(1 / 32, 4)).toBe('0.0312');
    expect(fixed(3 / 32, 4)).toBe('0.0938');
    expect(fixed(0.5, 0)).toBe('0');
    expect(fixed(2.5, 0)).toBe('2');
    expect(fixed(0.00005, 4)).toBe('0.0001');
  });

  test('exponents have two digits, NaN and infinities their Python names', () => {
    expect(exponent(0.000123456, 4)).toBe('1.2346e-04');
    expect(exponent(0, 4)).toBe('0.0000e+00');
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((x) => fixed(x, 4))).toEqual([
      'nan',
      'inf',
      '-inf',
    ]);
  });

  test('counts have commas, bytes their unit', () => {
    expect([0, 999, 1000, 1234567].map(thousands)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 8, 407080, 814168, 1024 ** 3].map(memorySize)).toEqual([
      '0.00 B',
      '8.00 B',
      '397.54 KB',
      '795.09 KB',
      '1.00 GB',
    ]);
  });
});
