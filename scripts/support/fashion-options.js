/** The command line of train-fashion.js. */
import { parseArgs } from 'node:util';
import { Refusal } from './terminal.js';

export const HELP = `Trains a classifier of garments on WebGPU and reports how good it is.

  node scripts/train-fashion.js [options]

Model
  --model NAME           dense: hidden layers alone; cnn: two convolutions, each with a pool, and a hidden
                         layer of 100 with dropout 0.4 (dense)
  --hidden SIZES         units of the hidden layers, such as 100 or 20,20; none: logistic regression (100)
  --activation NAME      of the hidden layers: relu, sigmoid, tanh, … (relu)
  --dropout RATE         share of hidden values dropped in training (0; of cnn 0.4)

Training
  --optimizer NAME       sgd, rmsprop, adam, adamw or adagrad (adam)
  --learning-rate X      (the optimizer's own)
  --epochs N             (8)
  --batch-size N         (64)
  --validation-split X   share of the training images held back to watch, from the end (0)
  --seed N               of initial weights, shuffles and dropout (42)

Data
  --dataset NAME         fashion-mnist: the real images or none; synthetic: drawn garments;
                         auto: the real images, or drawn ones where there are none (auto)
  --data DIR             folder with the four IDX files; without it, WEFT_DATA, the user's cache,
                         /usr/share/datasets/fashion-mnist and ~/.keras are searched, then the mirrors
  --samples N            train on the first N images only

Output
  --json                 one JSON object on stdout, nothing else there
  --help                 this text

Exit code 0: trained; 1: could not be done; 2: trained, but the test accuracy is below the bound that is
printed at the end.`;

const OPTIONS = {
  model: { type: 'string', default: 'dense' },
  hidden: { type: 'string' },
  activation: { type: 'string', default: 'relu' },
  dropout: { type: 'string' },
  optimizer: { type: 'string', default: 'adam' },
  'learning-rate': { type: 'string' },
  epochs: { type: 'string', default: '8' },
  'batch-size': { type: 'string', default: '64' },
  'validation-split': { type: 'string', default: '0' },
  seed: { type: 'string', default: '42' },
  dataset: { type: 'string', default: 'auto' },
  data: { type: 'string' },
  samples: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Reads the command line; throws Refusal with what was expected. Names are left to the library to know. */
export function readOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (error) {
    throw new Refusal(`${error.message}\nSee node scripts/train-fashion.js --help`);
  }

  const number = (name, isValid, expected) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!isValid(value)) throw new Refusal(`--${name} is '${text}', expected ${expected}.`);
    return value;
  };
  const count = (name) => number(name, (x) => Number.isInteger(x) && x > 0, 'a whole number above 0');
  const share = (name) => number(name, (x) => x >= 0 && x < 1, 'a share from 0 up to, but not, 1');

  const { dataset, data: dir, model, hidden = '100' } = values;
  if (!['dense', 'cnn'].includes(model)) {
    throw new Refusal(`--model is '${model}', expected dense or cnn.`);
  }
  if (!['auto', 'fashion-mnist', 'synthetic'].includes(dataset)) {
    throw new Refusal(`--dataset is '${dataset}', expected auto, fashion-mnist or synthetic.`);
  }
  if (dataset === 'synthetic' && dir !== undefined) {
    throw new Refusal('--dataset synthetic draws its images: leave --data out.');
  }
  const units = ['none', '0'].includes(hidden) ? [] : hidden.split(',').map(Number);
  if (!units.every((size) => Number.isInteger(size) && size > 0)) {
    throw new Refusal(`--hidden is '${hidden}', expected numbers of units such as 100 or 20,20, or none.`);
  }
  return {
    model,
    hidden: units,
    activation: values.activation,
    dropout: share('dropout') ?? (model === 'cnn' ? 0.4 : 0),
    optimizer: values.optimizer,
    learningRate: number('learning-rate', (x) => x > 0 && Number.isFinite(x), 'a number above 0'),
    epochs: count('epochs'),
    batchSize: count('batch-size'),
    validationSplit: share('validation-split'),
    seed: number('seed', (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32, 'a whole number below 2^32'),
    dataset,
    dir,
    samples: count('samples'),
    json: values.json,
    help: values.help,
  };
}
