/** What the address asks to be explained: the playground's settings, and which step. */
import { layers, type Sequential, sequential } from 'weft-gpu';
import { CLASSES, type OptimizerName, type Settings, SIDE } from '../playground/protocol.ts';
import { fromHash, toHash } from '../playground/url-state.ts';

export const STEPS = ['train', 'evaluate', 'predict'] as const;
export type StepName = (typeof STEPS)[number];

export interface Asked {
  readonly settings: Settings;
  readonly step: StepName;
  /** What in the address could not be followed, a sentence each. */
  readonly complaints: readonly string[];
}

/** `#net=128-relu&optimizer=adam&batch=64&step=predict`, and whatever else the playground puts there. */
export function askedBy(hash: string): Asked {
  const pairs = new URLSearchParams(hash.replace(/^#/, ''));
  const asked = pairs.get('step');
  pairs.delete('step');
  const { settings, complaints } = fromHash(decodeURIComponent(pairs.toString()));
  const step = STEPS.find((one) => one === asked) ?? 'train';
  const wrong =
    asked !== null && asked !== step
      ? [`step: ${JSON.stringify(asked.slice(0, 40))} is not known; took train.`]
      : [];
  return { settings, step, complaints: [...complaints, ...wrong] };
}

export const addressOf = (settings: Settings, step: StepName): string => `${toHash(settings)}&step=${step}`;

/** The hidden layers as a person writes them. */
export const written = ({ layers: hidden }: Settings): string =>
  hidden.map(({ units, activation }) => `${units}-${activation}`).join(', ') || 'none';

const compiled: Readonly<Record<OptimizerName, string>> = {
  sgd: 'sgd',
  momentum: 'sgd',
  rmsprop: 'rmsprop',
  adam: 'adam',
  adamw: 'adamw',
  adagrad: 'adagrad',
};

/** The network that the settings describe, for bytes of pictures. */
export function buildModel(settings: Settings): Sequential {
  const model = sequential([
    layers.input([SIDE, SIDE]),
    layers.rescaling(1 / 255),
    layers.flatten(),
    ...settings.layers.map(({ units, activation }) => layers.dense(units, { activation })),
    layers.dense(CLASSES, { activation: 'softmax' }),
  ]);
  const { optimizer } = settings;
  model.compile({
    optimizer:
      optimizer === 'momentum'
        ? { className: 'SGD', config: { learningRate: settings.learningRate, momentum: 0.9 } }
        : compiled[optimizer],
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}
