/** A model as boxes and arrows. */
import { describe, expect, test } from 'vitest';
import { layers, model, plot, sequential } from '../../src/index.ts';

const residual = () => {
  const x = layers.input([8], { name: 'x' });
  const h = layers.dense({ units: 8, activation: 'relu', name: 'h' }).apply(x);
  const y = layers.dense({ units: 3, activation: 'softmax', name: 'y' });
  return model({ inputs: x, outputs: y.apply(layers.add({ name: 'sum' }).apply([x, h])), name: 'residual' });
};

const words = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
const places = (svg: string): Record<string, [number, number]> =>
  Object.fromEntries(
    [...svg.matchAll(/translate\(([\d.]+) ([\d.]+)\)"><rect.*?<text[^>]*>(\w+) \(/g)].map(
      ([, x, y, name]) => [name, [Number(x), Number(y)]],
    ),
  );

describe('plot.model', () => {
  test('draws a box for each use of a layer and an arrow for each value that it takes', () => {
    const svg = plot.model(residual());
    expect(words(svg)).toEqual(['residual', 'x (InputLayer)', 'h (Dense)', 'sum (Add)', 'y (Dense)']);
    expect(svg.match(/marker-end/g)).toHaveLength(4);
    const at = places(svg);
    expect([at.x[1], at.h[1], at.sum[1], at.y[1]]).toEqual(
      [at.x[1], at.h[1], at.sum[1], at.y[1]].sort((a, b) => a - b),
    );
    const aside = places(plot.model(residual(), { direction: 'LR' }));
    expect(aside.h[0]).toBeGreaterThan(aside.x[0]);
  });

  test('says what it is asked for', () => {
    const net = residual();
    net.getLayer('h').trainable = false;
    const svg = plot.model(net, {
      showShapes: true,
      showDtype: true,
      showActivations: true,
      showTrainable: true,
      showLayerNames: false,
      title: null,
    });
    expect(words(svg).slice(0, 9)).toEqual([
      'InputLayer',
      'output: (None, 8)',
      'output dtype: float32',
      'Dense',
      'activation: relu',
      'input: (None, 8)',
      'output: (None, 8)',
      'output dtype: float32',
      'not trainable',
    ]);
    expect(words(svg)).toContain('input: (None, 8), (None, 8)');
  });

  test('draws layers in a row, and models inside layer by layer where that is asked for', () => {
    const inner = sequential([layers.input([4]), layers.dense({ units: 2, name: 'within' })], {
      name: 'inner',
    });
    const net = sequential([layers.input([4]), inner, layers.dense({ units: 1, name: 'last' })]);
    expect(words(plot.model(net, { title: null }))).toEqual([
      'input (InputLayer)',
      'inner (Sequential)',
      'last (Dense)',
    ]);
    expect(words(plot.model(net, { title: null, expandNested: true }))).toEqual([
      'input (InputLayer)',
      'within (Dense)',
      'last (Dense)',
    ]);
  });

  test('refuses what is no model, and options that there are not', () => {
    expect(() => plot.model(sequential([]))).toThrow(/no layers yet/);
    expect(() => plot.model(undefined as never)).toThrow(/expected a model/);
    expect(() => plot.model(residual(), { direction: 'BT' as never })).toThrow(/direction is 'BT'/);
    expect(() => plot.model(residual(), { showShape: true } as never)).toThrow(/showShape/);
  });
});
