import { describe, expect, test } from 'vitest';
import { layers, model, resetNames, sequential } from '../../src/index.ts';
import { type Summarized, type SummaryOptions, summaryLines } from '../../src/nn/report/summary.ts';
import { keras2SummaryLines } from '../../src/nn/report/summary-keras2.ts';
import recorded from './fixtures/keras-summary.json';
import keras2 from './fixtures/keras2.json';

const text = recorded as Record<string, string>;

/** What a summary asks of a layer. */
interface FakeLayer {
  name: string;
  className: string;
  shape: (number | null)[] | null;
  params: number;
  trainable?: boolean;
  layers?: FakeLayer[];
}

const weightsOf = (params: number) => (params === 0 ? [] : [{ size: params, dtype: 'f32' }]);

const asLayer = (fake: FakeLayer): object => ({
  ...fake,
  trainable: fake.trainable ?? true,
  built: fake.shape !== null,
  weights: weightsOf(fake.params),
  countParams: () => fake.params,
  layers: fake.layers?.map(asLayer) ?? [],
});

/** The lines as one text, ending as Keras's do. */
function summary(
  name: string,
  fakes: FakeLayer[],
  columns: number,
  {
    color = false,
    optimizer = null as number | null,
    old = false,
    ...given
  }: Partial<SummaryOptions> & { color?: boolean; optimizer?: number | null; old?: boolean } = {},
): string {
  const count = (trainable: boolean) =>
    fakes.filter((one) => (one.trainable ?? true) === trainable).reduce((sum, { params }) => sum + params, 0);
  const model = {
    name,
    layers: fakes.map(asLayer),
    trainableWeights: weightsOf(count(true)),
    nonTrainableWeights: weightsOf(count(false)),
    optimizerVariables: optimizer === null ? null : weightsOf(optimizer),
    outputShapeOf: (layer: FakeLayer) => layer.shape,
  } as unknown as Summarized;
  const options = { lineLength: null, positions: null, showTrainable: false, expandNested: false, ...given };
  const lines = old ? keras2SummaryLines(model, options) : summaryLines(model, options, columns, color);
  return `${lines.join('\n')}\n`;
}

const classifier = (trainable = true): FakeLayer[] => [
  { name: 'flatten', className: 'Flatten', shape: [null, 784], params: 0 },
  { name: 'dense', className: 'Dense', shape: [null, 128], params: 100480, trainable },
  { name: 'dropout', className: 'Dropout', shape: [null, 128], params: 0 },
  { name: 'dense_1', className: 'Dense', shape: [null, 10], params: 1290 },
];

const longName = 'a_very_long_name_for_a_dense_layer_indeed_it_is';
const long = (built: boolean): FakeLayer[] => [
  { name: 'dense', className: 'Dense', shape: built ? [null, 3] : null, params: built ? 15 : 0 },
  { name: longName, className: 'Dense', shape: built ? [null, 1] : null, params: built ? 4 : 0 },
];

const wide: FakeLayer[] = [
  { name: 'reshape', className: 'Reshape', shape: [null, 3, 800000000], params: 0 },
  { name: 'reshape_1', className: 'Reshape', shape: [null, 3, 2, 2, 2, 100000000], params: 0 },
];

const languages: FakeLayer[] = [
  { name: '层一 hidden', className: 'Dense', shape: [null, 300], params: 235500 },
  { name: 'слой', className: 'Dense', shape: [null, 10], params: 3010 },
];

const nested: FakeLayer[] = [
  { name: 'sequential', className: 'Sequential', shape: [null, 10], params: 101770, layers: classifier() },
  { name: 'dense_2', className: 'Dense', shape: [null, 2], params: 22 },
];

describe('a summary is what Keras 3 prints', () => {
  test.each([60, 70, 80, 90, 100, 120])('in a terminal of %i columns', (columns) => {
    expect(summary('sequential', classifier(), columns)).toBe(text[`classifier ${columns}`]);
  });

  test.each([60, 80, 100, 120])('with the column Trainable, in %i columns', (columns) => {
    expect(summary('sequential', classifier(false), columns, { showTrainable: true })).toBe(
      text[`trainable ${columns}`],
    );
  });

  test('in colour', () => {
    expect(summary('sequential', classifier(), 80, { color: true })).toBe(text['classifier color']);
    expect(summary('sequential', classifier(false), 80, { color: true, showTrainable: true })).toBe(
      text['trainable color'],
    );
    expect(summary('sequential', wide, 60, { color: true })).toBe(text['wide color']);
    expect(summary('sequential', long(true), 60, { color: true })).toBe(text['long color']);
  });

  test('with the optimizer counted in', () => {
    expect(summary('sequential', classifier(), 80, { optimizer: 101772 })).toBe(text.fitted);
    expect(summary('sequential', classifier(), 80, { optimizer: 2 })).toBe(text['fitted sgd']);
    expect(summary('sequential', classifier(), 80, { optimizer: 203542 })).toBe(text['fitted adam']);
  });

  test('before it is built', () => {
    expect(summary('sequential', long(false), 80)).toBe(text.unbuilt);
  });

  test('with names and shapes that do not fit their column', () => {
    expect(summary('sequential', long(true), 80)).toBe(text['long 80']);
    expect(summary('sequential', long(true), 60)).toBe(text['long 60']);
    expect(summary('sequential', wide, 80)).toBe(text['wide 80']);
    expect(summary('sequential', wide, 60)).toBe(text['wide 60']);
  });

  test('in any language', () => {
    expect(summary('模型', languages, 80)).toBe(text.languages);
    expect(summary('模型', languages, 60)).toBe(text['languages 60']);
  });

  test('with layers inside of layers', () => {
    expect(summary('sequential_1', nested, 80)).toBe(text.nested);
    expect(summary('sequential_1', nested, 80, { expandNested: true })).toBe(text['nested expanded']);
  });
});

describe('a summary in the old form is what tf.keras 2 prints', () => {
  const recordings = keras2.summaries as Record<string, string>;
  const old = (name: string, fakes: FakeLayer[], options: Partial<SummaryOptions> = {}) =>
    summary(name, fakes, 80, { ...options, old: true });

  test('for a classifier, at any width', () => {
    expect(old('sequential', classifier())).toBe(recordings.classifier);
    expect(old('sequential', classifier(), { lineLength: 98 })).toBe(recordings['classifier 98']);
    expect(old('sequential', classifier(), { lineLength: 80, positions: [0.3, 0.6, 1] })).toBe(
      recordings.positions,
    );
  });

  test('with the column Trainable', () => {
    expect(old('sequential', classifier(false), { showTrainable: true })).toBe(recordings.trainable);
  });

  test('with names and shapes that do not fit their column', () => {
    expect(old('sequential', long(true))).toBe(recordings.long);
    expect(old('sequential', wide)).toBe(recordings.wide);
  });

  test('for networks, with what each layer is connected to', () => {
    const x = layers.input([8], { name: 'x' });
    const h = layers.dense({ units: 8, name: 'h1' }).apply(x);
    const y = layers.dense({ units: 3, name: 'y' }).apply(layers.add({ name: 'add' }).apply([x, h]));
    const residual = model({ inputs: x, outputs: y, name: 'residual' });
    const form = { form: 'keras2', print: false } as const;
    expect(residual.summary(form)).toBe(recordings.residual);
    expect(residual.summary({ ...form, lineLength: 120, showTrainable: true })).toBe(
      recordings['residual 120'],
    );
    const [a, b, inside] = ['a', 'b', 'inside'].map((name) => layers.input([4], { name }));
    const shared = layers.dense({ units: 4, name: 'shared_by_everything_inside' });
    const product = layers
      .multiply({ name: 'mul' })
      .apply([shared.apply(inside), shared.apply(shared.apply(inside))]);
    const inner = model({ inputs: inside, outputs: product, name: 'inner' });
    const both = layers.subtract({ name: 'difference' }).apply([inner.apply(a), inner.apply(b)]);
    const outputs = [
      layers.dense({ units: 1, name: 'same' }).apply(both),
      layers.dense({ units: 2, name: 'kind' }).apply(both),
    ];
    const siamese = model({ inputs: [a, b], outputs, name: 'siamese' });
    expect(siamese.summary(form)).toBe(recordings.siamese);
    expect(siamese.summary({ ...form, expandNested: true, showTrainable: true })).toBe(
      recordings['siamese expanded'],
    );
    const row = layers.input([8], { name: 'x' });
    expect(
      model({ inputs: row, outputs: layers.dense({ units: 3, name: 'y' }).apply(row), name: 'row' }).summary(
        form,
      ),
    ).toBe(recordings.row);
  });

  test('with layers inside of layers', () => {
    expect(old('sequential_1', nested)).toBe(recordings.nested);
    expect(old('sequential_1', nested, { expandNested: true, showTrainable: true })).toBe(
      recordings['nested expanded'],
    );
  });
});

test('a model prints its summary in either form', () => {
  resetNames();
  const model = sequential([layers.input([784]), layers.dense(10)]);
  const lines = model.summary({ form: 'keras2', print: false }).split('\n');
  expect(lines[1]).toBe('_'.repeat(65));
  expect(lines[4]).toBe(' dense (Dense)               (None, 10)                7850      ');
  expect(model.summary({ print: false })).toContain('│ dense (Dense)');
  expect(() => model.summary({ form: 'keras1' as never })).toThrow(/form is "keras1"/);
});

test('a summary shows terminal escapes in names as text', () => {
  const shown = summary(
    '\x1b[31mred',
    [{ name: 'a\nb', className: 'Dense', shape: [null, 1], params: 2 }],
    80,
  );
  expect(shown).toContain('Model: "?[31mred"');
  expect(shown).toContain('a?b (Dense)');
});
