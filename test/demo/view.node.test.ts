/** What the playground's page computes by itself: axes, curves, placing of pictures, where files go. */
import { describe, expect, test } from 'vitest';
import { SIDE } from '../../demo/playground/protocol.ts';
import { Curve } from '../../demo/playground/view/curve.ts';
import { route } from '../../demo/playground/view/drop.ts';
import { inkOfImage, place, placementOf, shrink } from '../../demo/playground/view/fit.ts';
import * as format from '../../demo/playground/view/format.ts';
import { isDark, luminance } from '../../demo/playground/view/luminance.ts';
import { exactAxis, linearAxis, logAxis } from '../../demo/playground/view/scale.ts';

describe('axes', () => {
  test.each([
    [0, 2.43, 4, [0, 0.5, 1, 1.5, 2, 2.5]],
    [0.117, 0.83, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0.3, 0.3, 4, [0.3, 0.4, 0.5, 0.6]],
    [0, 0, 2, [0, 0.5, 1]],
  ])('from %d to %d with about %d ticks has round ones around', (from, to, wanted, ticks) => {
    expect(linearAxis(from, to, wanted).ticks).toEqual(ticks);
  });

  test('of steps end where the steps end, with ticks inside', () => {
    const axis = exactAxis(0, 820, 4);
    expect(axis.ticks).toEqual([0, 200, 400, 600, 800]);
    expect([axis.at(0), axis.at(410), axis.at(820)]).toEqual([0, 0.5, 1]);
  });

  test('of logarithms have ticks at 1, 2 and 5 and put decades at equal distances', () => {
    const axis = logAxis(0.03, 2.4);
    expect(axis.ticks).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
    expect(axis.at(0.2) - axis.at(0.02)).toBeCloseTo(axis.at(2) - axis.at(0.2), 12);
  });
});

describe('a curve', () => {
  test('of a million points keeps a screenful, from the first to the last, with their mean', () => {
    const curve = new Curve();
    for (let i = 0; i < 1_000_000; i++) curve.add(i, i % 2);
    expect(curve.xs.length).toBeLessThanOrEqual(2000);
    expect(curve.xs.at(-1)).toBeGreaterThan(998_000);
    expect(new Set(curve.ys)).toEqual(new Set([0.5]));
    expect(curve.last).toBe(1);
  });

  test('leaves out what is no number, and finds the nearest point', () => {
    const curve = new Curve();
    for (const [x, y] of [
      [0, 1],
      [10, Number.NaN],
      [20, 3],
    ])
      curve.add(x, y);
    expect(curve.xs).toEqual([0, 20]);
    expect([curve.nearest(-5), curve.nearest(9), curve.nearest(11), curve.nearest(99)]).toEqual([0, 0, 1, 1]);
  });
});

describe('a picture', () => {
  /** A sheet with a full block of ink at left, top. */
  const block = (side: number, left: number, top: number, width: number, height: number) => {
    const values = new Float32Array(side * side);
    for (let y = top; y < top + height; y++) values.fill(1, y * side + left, y * side + left + width);
    return { values, width: side, height: side };
  };
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

  test('is scaled and centred wherever it was drawn', () => {
    const expected = place(block(280, 20, 10, 50, 100), { size: 20, centre: 'box' })!;
    // 20 rows and 10 columns of ink in the middle.
    expect(sum(expected)).toBeCloseTo(200, 3);
    expect(expected[4 * SIDE + 9]).toBeCloseTo(1, 5);
    expect(expected[3 * SIDE + 9]).toBe(0);
    expect(expected[4 * SIDE + 8]).toBeCloseTo(0, 5);
    for (const drawn of [block(280, 200, 150, 50, 100), block(280, 115, 90, 25, 50)]) {
      expect(
        sum(place(drawn, { size: 20, centre: 'box' })!.map((v, i) => Math.abs(v - expected[i]))),
      ).toBeCloseTo(0, 3);
    }
  });

  test('of no ink is none', () => {
    expect(place(block(280, 0, 0, 0, 0), { size: 20, centre: 'mass' })).toBeNull();
  });

  test('keeps its ink when the whole sheet is made small', () => {
    expect(sum(shrink(block(280, 100, 100, 40, 40)))).toBeCloseTo(16, 4);
  });

  test('is placed as the pictures of the data are', () => {
    const bytes = new Uint8Array(3 * SIDE * SIDE);
    // Heavy at the top: the centre of mass is in the middle, the box is not.
    for (let n = 0; n < 3; n++) {
      for (let y = 11; y < 25; y++) {
        bytes.fill(y < 15 ? 255 : 40, n * SIDE * SIDE + y * SIDE + 11, n * SIDE * SIDE + y * SIDE + 17);
      }
    }
    expect(placementOf(bytes)).toEqual({ size: 14, centre: 'mass' });
  });

  test('on white and on black paper is the same ink', () => {
    const rgba = (ground: number, ink: number) => {
      const bytes = new Uint8ClampedArray(4 * 100).fill(255);
      for (let i = 0; i < 100; i++) bytes.fill(i >= 44 && i < 47 ? ink : ground, 4 * i, 4 * i + 3);
      return bytes;
    };
    const dark = inkOfImage(rgba(255, 0), 10, 10);
    const bright = inkOfImage(rgba(0, 255), 10, 10);
    expect(Array.from(dark.values, (value) => Math.round(value * 1e5) / 1e5)).toEqual(
      Array.from(bright.values, (value) => Math.round(value * 1e5) / 1e5),
    );
    expect(dark.values[45]).toBeCloseTo(1, 5);
    expect(dark.values[0]).toBeCloseTo(0, 5);
  });
});

test('words of black or white can be read on every ground', () => {
  for (let i = 0; i < 4096; i++) {
    const ground = [i >> 8, (i >> 4) & 15, i & 15].map((part) => part * 17) as [number, number, number];
    const dark = luminance(ground) + 0.05;
    expect(isDark(ground) ? 1.05 / dark : dark / 0.05).toBeGreaterThan(4.58);
  }
});

test('files find their way by their names', () => {
  const went = (...names: [string, string?][]) => {
    let way = '';
    route(
      names.map(([name, type]) => new File([], name, { type })),
      {
        model: ({ name }) => (way = `model ${name}`),
        picture: ({ name }) => (way = `picture ${name}`),
        data: (files) => (way = `data ${files.length}`),
      },
    );
    return way;
  };
  expect(went(['a.keras'])).toBe('model a.keras');
  expect(went(['A.WEIGHTS.H5'])).toBe('model A.WEIGHTS.H5');
  expect(went(['photo', 'image/png'])).toBe('picture photo');
  expect(went(['shirt.JPG'])).toBe('picture shirt.JPG');
  expect(went(['train-images-idx3-ubyte.gz'], ['train-labels-idx1-ubyte.gz'])).toBe('data 2');
  expect(went()).toBe('');
});

test('numbers are written as people read them', () => {
  expect(format.percent(0.8734)).toBe('87.3 %');
  expect([format.decimal(0.52341), format.decimal(12.3456), format.decimal(0.000012)]).toEqual([
    '0.5234',
    '12.35',
    '1.2e-5',
  ]);
  expect([format.count(null), format.percent(Number.NaN), format.decimal(Number.NaN)]).toEqual([
    '–',
    '–',
    'NaN',
  ]);
  expect([format.compact(3524), format.rate(0.00031234), format.plural(1, 'unit')]).toEqual([
    '3.52K',
    '0.00031',
    '1 unit',
  ]);
});
