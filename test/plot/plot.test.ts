import { describe, expect, test } from 'vitest';
import { ShapeError, ValueError } from '../../src/base/errors.ts';
import * as plot from '../../src/plot/index.ts';
import { encodePng } from '../../src/plot/png.ts';
import { axis, readable } from '../../src/plot/scale.ts';

const count = (svg: string, part: string | RegExp): number => svg.split(part).length - 1;
const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, inner]) => inner.replace(/<[^>]*>/g, ''));

const HISTORY = {
  epoch: [0, 1, 2],
  history: {
    accuracy: [0.5, 0.7, 0.8],
    loss: [2, 1, 0.5],
    val_accuracy: [0.6, 0.65, 0.7],
    val_loss: [1, 2, 3],
  },
};
const PICTURES: Record<string, (words: string) => string> = {
  history: (words) => plot.history({ [words]: [1, 2] }, { title: words }),
  images: (words) => plot.images({ data: new Uint8Array(8), shape: [2, 2, 2] }, { labels: [words, words] }),
  bars: (words) => plot.bars([0.2, 0.8], { labels: [words, 'b'], title: words }),
  confusion: (words) =>
    plot.confusion(
      [
        [1, 2],
        [3, 4],
      ],
      { labels: [words, 'b'] },
    ),
  curves: (words) => plot.curves([{ title: words, curves: { [words]: (x) => x } }], { xLabel: words }),
  weights: (words) => plot.weights({ data: new Float32Array(8), shape: [4, 2] }, { labels: [words, words] }),
  filters: (words) =>
    plot.filters({ data: new Float32Array(36), shape: [3, 3, 2, 2] }, { labels: [words, words] }),
  featureMaps: (words) =>
    plot.featureMaps({ data: new Float32Array(8), shape: [2, 2, 2] }, { labels: [words, words] }),
  gradCam: (words) => {
    const maps = { data: new Float32Array(8), shape: [2, 2, 2] };
    return plot.gradCam(new Array(4).fill([0, 1, 2, 3]), { maps, gradients: maps }, { labels: [words] });
  },
};

describe('text is shown as text', () => {
  const hostile = `<script>alert(1)</script>" onload="x" & ' \u001b[31m \u0000 \ud800 ]]>`;
  for (const [name, draw] of Object.entries(PICTURES)) {
    test(`in ${name}`, () => {
      const svg = draw(hostile);
      expect(svg).not.toContain('<script');
      expect(svg).not.toMatch(/"\s*onload/);
      expect(svg).toContain('&lt;script&gt;');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(svg).not.toMatch(/[\u0000-\u001f\ud800-\udfff]/);
      if (typeof DOMParser === 'undefined') return; // Node
      const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
      expect(document.querySelector('parsererror')).toBeNull();
      expect(document.querySelector('script')).toBeNull();
      expect(document.documentElement.textContent).toContain('<script>alert(1)</script>');
    });
  }

  test('a picture needs no style that a page could forbid, no id that could clash, no number that is none', () => {
    for (const draw of Object.values(PICTURES)) {
      expect(draw('a')).not.toMatch(/ style=| id=|NaN|undefined|Infinity/);
    }
  });
});

describe('history', () => {
  test('a panel for each metric, the loss first, validation dashed, last values in the legend', () => {
    const svg = plot.history(HISTORY);
    expect(count(svg, '<path')).toBe(4);
    expect(count(svg, /<path[^>]*stroke-dasharray/)).toBe(2);
    const words = texts(svg);
    expect(words.indexOf('loss')).toBeLessThan(words.indexOf('accuracy'));
    expect(words).toContain('training 0.5000');
    expect(words).toContain('validation 0.7000');
    expect(words.filter((word) => ['1', '2', '3'].includes(word)).length).toBeGreaterThanOrEqual(6);
  });

  test('the bare lists, chosen metrics and one epoch do too', () => {
    expect(texts(plot.history(HISTORY.history, { metrics: ['accuracy'] }))).not.toContain('loss');
    expect(count(plot.history({ loss: [1] }), '<circle')).toBe(1);
  });

  test('values that are not finite interrupt the line and spoil nothing else', () => {
    const svg = plot.history({ loss: [1, Number.NaN, 3, Number.POSITIVE_INFINITY] });
    expect(count(svg, '<circle')).toBe(2);
    expect(svg).not.toMatch(/d="[^"]*(NaN|Inf)/);
  });

  test('a metric that is not there is refused, with those that are', () => {
    expect(() => plot.history(HISTORY, { metrics: ['mae'] })).toThrow(/'mae'; there are loss, accuracy/);
    expect(() => plot.history({})).toThrow(ValueError);
    expect(() => plot.history(HISTORY, { metrics: ['constructor'] })).toThrow(ValueError);
  });
});

describe('images', () => {
  const images = Uint8Array.from({ length: 12 }, (_, i) => i * 20);
  test('labelled images have the names of their classes', () => {
    const set = { images, labels: Uint8Array.of(1, 0, 1), count: 3, height: 2, width: 2 };
    const svg = plot.images(set, { classNames: ['zero', 'one'], count: 2 });
    expect(texts(svg)).toEqual(['one', 'zero']);
    expect(count(svg, '<image')).toBe(2);
  });

  test('nested arrays, one image, flat rows and colours are told apart', () => {
    expect(
      count(
        plot.images([
          [0, 1],
          [1, 0],
        ]),
        '<image',
      ),
    ).toBe(1);
    expect(count(plot.images({ data: new Float32Array(3 * 784), shape: [3, 784] }), '<image')).toBe(3);
    expect(count(plot.images({ data: images, shape: [1, 2, 2, 3] }), '<image')).toBe(1);
    const colours = { images, labels: [3], count: 1, height: 2, width: 2, channels: 3 };
    const address = (svg: string) => /href="[^"]+"/.exec(svg)![0];
    expect(address(plot.images(colours))).toBe(address(plot.images({ data: images, shape: [1, 2, 2, 3] })));
    expect(() => plot.images({ data: images, shape: [12] })).toThrow(ShapeError);
    expect(() => plot.images({ data: images, shape: [3, 2, 2] }, { count: 4 })).toThrow(ValueError);
  });

  test('the PNG files inside hold the pixels', async () => {
    const pixels = Uint8Array.from({ length: 300 * 250 }, (_, i) => (i * 7) % 256);
    const png = encodePng(pixels, 300, 250, 1);
    const view = new DataView(png.buffer);
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([300, 250]);
    const length = view.getUint32(33);
    const stream = new Blob([png.slice(41, 41 + length)]).stream();
    const inflated = stream.pipeThrough(new DecompressionStream('deflate')); // checks Adler-32 too
    const lines = new Uint8Array(await new Response(inflated).arrayBuffer());
    expect(lines.length).toBe(250 * 301);
    expect(lines.subarray(301, 602)).toEqual(Uint8Array.of(0, ...pixels.subarray(300, 600)));
    if (typeof createImageBitmap === 'undefined') return; // Node
    const bitmap = await createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    expect([bitmap.width, bitmap.height]).toEqual([300, 250]);
  });
});

describe('bars, confusion matrix, curves, weights', () => {
  test('probabilities are percentages, counts are not', () => {
    expect(texts(plot.bars([0.25, 0.75, 0, 0.00001]))).toEqual(
      expect.arrayContaining(['25.0 %', '75.0 %', '0 %', '&lt; 0.1 %']),
    );
    expect(texts(plot.bars([4821, 12]))).toEqual(expect.arrayContaining(['4,821', '12']));
    expect(() => plot.bars([1, 2], { labels: ['one'] })).toThrow('1 labels for 2 values');
    expect(() => plot.bars([])).toThrow(ValueError);
  });

  test('a confusion matrix shows every number, or its share of the row', () => {
    expect(
      texts(
        plot.confusion([
          [8, 2],
          [0, 5],
        ]),
      ),
    ).toEqual(expect.arrayContaining(['8', '2', '0', '5']));
    const shares = texts(
      plot.confusion(
        [
          [8, 2],
          [0, 0],
        ],
        { normalize: true },
      ),
    );
    expect(shares).toEqual(expect.arrayContaining(['80.0', '20.0', '0.0']));
    expect(() => plot.confusion([[1, 2]])).toThrow(ShapeError);
    expect(() => plot.confusion([[1, 2], [3]])).toThrow(ShapeError);
  });

  test('curves are functions or values at places', () => {
    const x = [0, 1, 2];
    expect(count(plot.curves({ a: Math.sin, b: [1, 2, 3] }, { x }), '<path')).toBe(2);
    expect(() => plot.curves({ b: [1, 2] }, { x })).toThrow("'b' has 2 values at 3 places");
    expect(() => plot.curves({ a: Math.sin }, { from: 1, to: 1 })).toThrow(ValueError);
  });

  test('weights are images of the inputs, one for each unit', () => {
    const kernel = { data: Float32Array.from({ length: 18 }, (_, i) => i - 9), shape: [6, 3] };
    expect(count(plot.weights(kernel, { height: 2 }), '<image')).toBe(3 + 1); // and the colour bar
    expect(() => plot.weights(kernel)).toThrow('Give { height, width }');
    expect(() => plot.weights({ data: () => {}, shape: [6, 3] } as never)).toThrow('x.array()');
  });
});

describe('inside a convolution', () => {
  const floats = (...values: number[]) => Float32Array.from(values);

  test('a filter is the image of one input channel, and in colours where there are three', () => {
    // [1, 2, 2, 2]: of channel 1, filter 0 has 1 and −1, filter 1 has 2 and 0.
    const kernel = { data: floats(9, 9, 1, 2, 9, 9, -1, 0), shape: [1, 2, 2, 2] };
    const chosen = plot.filters(kernel, { channel: 1 });
    expect(pixels(chosen)).toEqual(
      pixels(plot.weights({ data: floats(1, 2, -1, 0), shape: [2, 2] }, { height: 1 })),
    );
    expect(texts(chosen).at(-1)).toBe('2   channel 1 of 2');
    const colours = { data: floats(0, 1, -1), shape: [1, 1, 3, 1] };
    expect(pixels(plot.filters(colours))[0]).toEqual([128, 255, 0]);
    expect(pixels(plot.filters(colours, { channel: 1 }))[0]).toEqual([5, 48, 97]);
    expect(() => plot.filters(kernel, { channel: 2 })).toThrow('a whole number from 0 to 1');
    expect(() => plot.filters(kernel, { count: 3 })).toThrow('plot.filters: count is 3, but there are 2');
    expect(() => plot.filters([[1]])).toThrow('expected [h, w, channels, filters]');
  });

  test('feature maps are images of channels, on one scale or each on its own', () => {
    const maps = { data: floats(0, 0, 1, 4), shape: [1, 1, 2, 2] };
    const [white, deep] = [pixels(plot.weights([[0]])), [8, 48, 107]];
    expect(white[0]).toEqual([247, 247, 247]);
    const [one, other] = pixels(plot.featureMaps(maps));
    expect(one.slice(0, 3)).toEqual([247, 251, 255]);
    expect(one.slice(3)).not.toEqual(deep);
    expect(other.slice(3)).toEqual(deep);
    expect(pixels(plot.featureMaps(maps, { each: true })).map((map) => map.slice(3))).toEqual([deep, deep]);
    expect(count(plot.featureMaps({ data: floats(1, 2, 3, 4), shape: [1, 2, 2] }), '<image')).toBe(2 + 1);
    expect(() => plot.featureMaps({ data: floats(1, 2), shape: [2, 1, 1, 1] })).toThrow('[1, h, w, C]');
    expect(() => plot.featureMaps(maps, { count: 3 })).toThrow(ValueError);
  });

  test('Grad-CAM colours the places that raise the score, and leaves the others as they are', () => {
    const image = { data: Uint8Array.of(10, 20, 30, 40), shape: [1, 1, 4] };
    // Channel 0 counts 1, channel 1 counts −1: places have 2 − 0 and 1 − 3.
    const maps = { data: floats(2, 0, 1, 3), shape: [1, 2, 2] };
    const gradients = { data: floats(2, -1, 0, -1), shape: [1, 2, 2] };
    const [seen] = pixels(plot.gradCam(image, { maps, gradients }, { opacity: 1 }));
    expect(seen.slice(0, 3)).toEqual([189, 0, 38]); // the strongest colour alone
    expect(seen.slice(9)).toEqual([40, 40, 40]);
    // Between the middles of the places heat falls in a straight line: 1, ¾, ¼, 0.
    expect(seen.slice(3, 6)).toEqual(
      [20 + (240 - 20) * 0.75, 20 + (59 - 20) * 0.75, 20 + (32 - 20) * 0.75].map(Math.round),
    );
    expect(
      pixels(plot.gradCam(image, { maps, gradients: { ...gradients, data: floats(0, 0, 0, 0) } }))[0],
    ).toEqual([10, 20, 30, 40].flatMap((grey) => [grey, grey, grey]));
    expect(() => plot.gradCam(image, { maps, gradients: { data: floats(1), shape: [1, 1, 1] } })).toThrow(
      'expected the same',
    );
    expect(() => plot.gradCam({ data: new Uint8Array(8), shape: [2, 1, 4] }, { maps, gradients })).toThrow(
      '2 images, but maps of 1',
    );
    expect(() => plot.gradCam(image, { maps, gradients }, { opacity: 2 })).toThrow(ValueError);
  });

  /** The pixels of small images: a PNG file of one stored block, three bytes each. */
  function pixels(svg: string): number[][] {
    return [...svg.matchAll(/href="data:image\/png;base64,([^"]+)"/g)].map(([, base64]) => {
      const png = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const view = new DataView(png.buffer);
      const [width, height] = [view.getUint32(16), view.getUint32(20)];
      return Array.from({ length: height }, (_, y) => {
        const from = 48 + y * (3 * width + 1) + 1;
        return Array.from(png.subarray(from, from + 3 * width));
      }).flat();
    });
  }
});

test('ticks are round numbers without rounding dust', () => {
  const labels = (low: number, high: number) => axis([low, high]).ticks.map(({ label }) => label);
  expect(labels(0, 1)).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']);
  expect(labels(0.31, 0.49)).toEqual(['0.30', '0.35', '0.40', '0.45', '0.50']);
  expect(labels(-3, 4200)).toEqual(['−1,000', '0', '1,000', '2,000', '3,000', '4,000', '5,000']);
  expect(labels(5, 5).length).toBeGreaterThan(2);
  expect(axis([1, 4], { whole: true, nice: false }).ticks.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
  expect([0.12345, 1234567.5, 0.0000123, 3, -2e12].map((x) => readable(x))).toEqual([
    '0.1235',
    '1,234,567.5',
    '1.23e−5',
    '3',
    '−2e12',
  ]);
});
