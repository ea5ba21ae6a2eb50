/**
 * How much of what people write with Keras is there in Weft: keras-calls.json against the exports.
 * `node scripts/docs/keras-coverage.js` writes the tables of docs/from-keras.md and README; a test compares them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** Where a kind is looked for when no other place is named; names are compared without case and underscores. */
const places = {
  layers: ['layers'],
  optimizers: ['optimizers'],
  schedules: ['schedules'],
  losses: ['losses'],
  metrics: ['metrics', 'losses'],
  callbacks: ['callbacks'],
  activations: ['activations'],
  functions: ['', 'Tensor.prototype'],
  'models and data': ['Model.prototype', 'Dataset.prototype', '', 'data'],
  applications: [],
};

/** Names that Weft spells otherwise. */
const elsewhere = {
  layers: {
    MaxPool1D: 'layers.maxPooling1d',
    MaxPool2D: 'layers.maxPooling2d',
    GlobalAvgPool2D: 'layers.globalAveragePooling2d',
    InputLayer: 'layers.input',
  },
  losses: { mse: 'losses.meanSquaredError', mae: 'losses.meanAbsoluteError' },
  metrics: {
    accuracy: 'metrics.accuracy',
    acc: 'metrics.accuracy',
    mae: 'metrics.meanAbsoluteError',
    mse: 'metrics.meanSquaredError',
  },
  callbacks: { LambdaCallback: 'callbacks.lambda' },
  activations: { swish: 'activations.silu' },
  functions: {
    shape: 'Tensor', // a property of each
    convert_to_numpy: 'Tensor.prototype.data',
    convert_to_tensor: 'tensor',
    array: 'tensor',
    cast: 'Tensor.prototype.cast',
    concatenate: 'concat',
    maximum: 'maximum',
    minimum: 'minimum',
    divide: 'Tensor.prototype.div',
    absolute: 'Tensor.prototype.abs',
    ravel: 'Tensor.prototype.reshape',
    take: 'Tensor.prototype.gather',
    normalize: 'data.normalize',
    arccos: 'acos',
    full: 'fill',
    sparse_categorical_crossentropy: 'losses.sparseCategoricalCrossentropy',
  },
  'models and data': {
    'functional/Model(...)': 'model',
    GradientTape: 'gradients',
    save: 'Model.prototype.save',
    'subclass Layer': 'layers.Layer',
    'subclass Model': 'Model',
    'train_step override': 'Model.prototype.trainStep',
    TextVectorization: 'layers.textVectorization',
    adapt: 'layers.normalization',
    get_vocabulary: 'layers.textVectorization',
    add_weight: 'layers.Layer.prototype.addWeight',
    add_loss: 'layers.Layer.prototype.addLoss',
    plot_model: 'plot.model',
  },
};

const flat = (name) => name.toLowerCase().replaceAll('_', '');
const at = (weft, path) => path.split('.').reduce((found, name) => found?.[name], weft);

/** All names of an object and of what it extends. */
function namesOf(object) {
  const names = [];
  for (let each = object; each && each !== Object.prototype; each = Object.getPrototypeOf(each))
    names.push(...Object.getOwnPropertyNames(each));
  return names;
}

/** The path under which Weft has what Keras calls `name`, or null. */
function find(weft, kind, name) {
  const other = elsewhere[kind]?.[name];
  if (other) {
    const owner = other.split('.').slice(0, -1).join('.');
    const object = owner ? at(weft, owner) : weft;
    return object && namesOf(object).includes(other.split('.').at(-1)) ? other : null;
  }
  for (const place of places[kind]) {
    const object =
      place === 'Dataset.prototype' ? weft.data.Dataset.prototype : place ? at(weft, place) : weft;
    const found = object && namesOf(object).find((own) => flat(own) === flat(name));
    if (found) return [place, found].filter(Boolean).join('.');
  }
  if (kind === 'models and data') {
    const found = Object.getOwnPropertyNames(weft.data.Dataset).find((own) => flat(own) === flat(name));
    if (found) return `data.Dataset.${found}`;
  }
  return null;
}

/** For each kind: calls counted, calls that Weft has, and the names that it has not, the most frequent first. */
export async function coverage(weft) {
  const { calls, notKeras } = JSON.parse(
    await readFile(new URL('keras-calls.json', import.meta.url), 'utf8'),
  );
  return Object.entries(calls).map(([kind, counts]) => {
    const names = Object.entries(counts).filter(([name]) => !notKeras[kind]?.includes(name));
    const missing = names.filter(([name]) => find(weft, kind, name) === null);
    const sum = (list) => list.reduce((total, [, count]) => total + count, 0);
    return { kind, names: names.length, calls: sum(names), there: sum(names) - sum(missing), missing };
  });
}

const share = ({ calls, there }) => `${((100 * there) / calls).toFixed(1)} %`;

/** The table of the page. */
export function table(kinds) {
  const rows = kinds.map((each) => {
    const { kind, names, calls, missing } = each;
    const lacking = missing.map(([name, count]) => `${name} ${count}`).join(', ') || 'nothing';
    return `| ${kind} | ${calls} | ${names - missing.length} of ${names} | ${share(each)} | ${lacking} |`;
  });
  return [
    '| kind | calls | names | calls that are there | what is missing, and how often |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** One sentence for the README. */
export function sentence(kinds) {
  const [own, nets] = [false, true].map((pretrained) =>
    kinds.filter(({ kind }) => (kind === 'applications') === pretrained),
  );
  const words = own.map((each) => `${each.kind} ${share(each)}`).join(', ');
  const [{ there, calls }] = nets;
  return `Of what 282 public notebooks and scripts call of Keras, this is there: ${words}; of the pretrained applications ${there} of ${calls} calls.`;
}

const marks = { 'docs/from-keras.md': table, 'README.md': sentence };

/** Each file with its text as it should be. */
export async function pages(weft) {
  const kinds = await coverage(weft);
  return Promise.all(
    Object.entries(marks).map(async ([file, write]) => {
      const now = await readFile(new URL(file, root), 'utf8');
      const mark = /(<!-- coverage -->\n\n)[\s\S]*?(\n\n<!-- end: coverage -->)/;
      return {
        file,
        now,
        due: now.replace(mark, (_, before, after) => before + write(kinds) + after),
        marked: mark.test(now),
      };
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const weft = await import('weft-gpu');
  for (const { file, due } of await pages(weft)) await writeFile(new URL(file, root), due);
}
