import { describe, expect, test } from 'vitest';
import { DTypeError, FormatError, ShapeError, ValueError } from '../../src/base/errors.ts';
import { RandomSequence } from '../../src/base/random.ts';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';
import { encodeNpz, parseNpz } from '../../src/data/npz.ts';
import recorded from './fixtures/numpy.json';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
/** As Python prints them. */
const numbers = (values: string[]) => values.map((value) => Number(value.replace('inf', 'Infinity')));

describe('files that NumPy wrote are read', () => {
  for (const [name, { file, shape, values }] of Object.entries(recorded.npy)) {
    test(name, () => {
      const array = parseNpy(bytesOf(file));
      expect(array.shape).toEqual(shape);
      expect([...array.data]).toEqual(numbers(values));
    });
  }

  test('into our own types', () => {
    const types = Object.fromEntries(
      Object.entries(recorded.npy).map(([name, { file }]) => [
        name,
        parseNpy(bytesOf(file)).data.constructor.name,
      ]),
    );
    expect(types).toMatchObject({
      bytes: 'Uint8Array',
      bool: 'Uint8Array',
      int8: 'Int32Array',
      int64: 'Int32Array',
      uint64: 'Uint32Array',
      float16: 'Float32Array',
      float64: 'Float64Array',
    });
  });

  for (const [name, file] of Object.entries(recorded.refused)) {
    test(`${name} is refused`, () => {
      expect(() => parseNpy(bytesOf(file), { file: 'x.npy' })).toThrow(FormatError);
      expect(() => parseNpy(bytesOf(file), { file: 'x.npy' })).toThrow(
        /parseNpy: x\.npy, (the header|element 1): /,
      );
    });
  }
});

describe('what is written are NumPy\u2019s own bytes', () => {
  for (const name of [
    'bytes',
    'int32',
    'uint32',
    'float32',
    'float64',
    'scalar',
    'vector',
    'empty',
  ] as const) {
    test(name, () => {
      const file = bytesOf(recorded.npy[name].file);
      expect(encodeNpy(parseNpy(file))).toEqual(file);
    });
  }

  test('an array that does not fill its shape, or of another type, is refused', () => {
    expect(() => encodeNpy({ data: new Float32Array(3), shape: [2, 2] })).toThrow(ShapeError);
    expect(() => encodeNpy({ data: [1, 2] as never, shape: [2] })).toThrow(DTypeError);
  });
});

describe('broken files', () => {
  const whole = encodeNpy({ data: Float32Array.of(1, 2, 3), shape: [3] });
  const header = (text: string) => {
    const bytes = new Uint8Array(10 + text.length);
    bytes.set(whole.subarray(0, 8));
    bytes.set([text.length & 0xff, text.length >> 8], 8);
    bytes.set(new TextEncoder().encode(text), 10);
    return bytes;
  };

  test('cut off anywhere, or with more behind, are refused', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseNpy(whole.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => parseNpy(Uint8Array.of(...whole, 0))).toThrow('[3] takes 12 bytes of data, 13 are there');
  });

  test('with lies or nonsense in the header are refused', () => {
    const dictionary = (shape: string, descr = "'<f4'") =>
      header(`{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`);
    for (const shape of [
      '(99999999999999999999,)',
      '(-1,)',
      '(1e3,)',
      '3',
      '(3, (4))',
      `(${'1,'.repeat(100)})`,
    ]) {
      expect(() => parseNpy(dictionary(shape)), shape).toThrow(FormatError);
    }
    for (const descr of ["'__proto__'", "'<constructor'", "[('a', '<i4')]", "''", "'<f3'"]) {
      expect(() => parseNpy(dictionary('(0,)', descr)), descr).toThrow(FormatError);
    }
    const good = "'descr': '<f4', 'fortran_order': False, 'shape': (0,)";
    for (const text of [
      `{${good}} + exit()`,
      `exit() or {${good}}`,
      `{${good}, 'more': True}`,
      `{${good}, 'descr': '<f4'}`,
      `{'a': {${good}}}`,
      `{${good}`,
      `{${good} 'x'}`,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (0)}",
      "{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (0,)}",
      "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (0,)}",
    ])
      expect(() => parseNpy(header(text)), text).toThrow(FormatError);
    // As Python 2 and others wrote it.
    expect(parseNpy(header(`{"shape":(0L,),\t"fortran_order":False,"descr":"<f4"}\n`)).shape).toEqual([0]);
    expect(() => parseNpy(header('{}'))).toThrow('no simple type (descr) in "{}"');
  });
});

describe('npz', () => {
  test('a thousand damaged archives are read or refused, and nothing else', async () => {
    const random = new RandomSequence(1, 0);
    for (const archive of [bytesOf(recorded.npz), bytesOf(recorded.npzCompressed)]) {
      for (let i = 0; i < 500; i++) {
        const damaged = archive.slice(0, random.chance(0.3) ? random.below(archive.length) : archive.length);
        for (let k = random.below(4); k >= 0; k--) damaged[random.below(damaged.length)] = random.below(256);
        await parseNpz(damaged).catch((error) => {
          if (!(error instanceof FormatError)) throw error;
        });
      }
    }
  });

  test('archives that NumPy wrote are read, stored and deflated', async () => {
    const { x_train, y_train } = await parseNpz(bytesOf(recorded.npz));
    expect(x_train).toEqual({ data: Uint8Array.of(0, 1, 2, 3, 4, 5), shape: [2, 3] });
    expect(y_train).toEqual({ data: Int32Array.of(1, 0), shape: [2] });
    const { zeros, names } = await parseNpz(bytesOf(recorded.npzCompressed));
    expect([zeros.shape, [...names.data]]).toEqual([[1000], [1, 1, 1]]);
  });

  test('what is written is read again, whatever the names', async () => {
    const arrays = {
      ['__proto__']: { data: Float32Array.of(1, 2), shape: [2] },
      größe: { data: Int32Array.of(-3), shape: [] },
    };
    const read = await parseNpz(await encodeNpz(arrays));
    expect(Object.keys(read)).toEqual(['__proto__', 'größe']);
    expect(read.größe).toEqual(arrays.größe);
    await expect(encodeNpz({ '../x': arrays.größe })).rejects.toThrow(ValueError);
  });

  test('damaged, foreign and overlarge archives are refused', async () => {
    const archive = bytesOf(recorded.npz);
    await expect(parseNpz(archive.subarray(0, 100))).rejects.toThrow(FormatError);
    const damaged = archive.slice();
    damaged[100] ^= 1;
    await expect(parseNpz(damaged, { file: 'x.npz' })).rejects.toThrow(/x\.npz.*x_train\.npy/);
    await expect(parseNpz(bytesOf(recorded.npzCompressed), { maxBytes: 1000 })).rejects.toThrow(FormatError);
  });
});
