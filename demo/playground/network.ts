/** Networks for 28 × 28 pictures in ten classes: from settings, from files, and in words. */
import { initializers, layers, loadModel, optimizers, Sequential, sequential, type Tensor } from 'weft-gpu';
import { Refusal } from './failure.ts';
import {
  ACTIVATIONS,
  type ActivationName,
  CLASSES,
  type LayerSettings,
  LIMITS,
  MAX_FILE_BYTES,
  type OptimizerName,
  PIXELS,
  type Settings,
  SIDE,
} from './protocol.ts';

/** A network and what it expects: pixels from 0 to 1, or bytes that it scales itself. */
export interface Network {
  readonly model: Sequential;
  readonly pixelScale: number;
}

/** The network that settings describe, with new weights, as the Keras tutorial writes it. */
export function buildNetwork(settings: Settings): Network {
  const hidden = settings.layers.map(({ units, activation }) => ({
    units,
    activation: activation as string,
  }));
  const all = [...hidden, { units: CLASSES, activation: 'softmax' }];
  const model = sequential([
    layers.input([SIDE, SIDE]),
    layers.flatten(),
    ...all.map(({ units, activation }, i) =>
      layers.dense(units, {
        activation,
        // Each layer its own numbers: equal seeds would give layers of equal shape equal weights.
        kernelInitializer: initializers.glorotUniform({ seed: (settings.seed * 31 + i) % 2 ** 31 }),
      }),
    ),
  ]);
  compile(model, settings);
  return { model, pixelScale: 1 / 255 };
}

const makeOptimizer = {
  sgd: (rate) => optimizers.sgd(rate),
  momentum: (rate) => optimizers.sgd(rate, { momentum: 0.9 }),
  rmsprop: (rate) => optimizers.rmsprop(rate),
  adam: (rate) => optimizers.adam(rate),
  adamw: (rate) => optimizers.adamw(rate),
  adagrad: (rate) => optimizers.adagrad(rate),
} satisfies Record<OptimizerName, (rate: number) => unknown>;

function compile(model: Sequential, { optimizer, learningRate }: Settings): void {
  model.compile({
    optimizer: makeOptimizer[optimizer](learningRate),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

// ---- files

/**
 * The network in a file of the user, or the present one with the weights in it.
 *
 * Throws Refusal for a network that judges something else, and Weft's errors for files that are not whole.
 */
export async function readNetwork(file: File, settings: Settings): Promise<Network> {
  if (file.size > MAX_FILE_BYTES)
    throw new Refusal('TOO_LARGE', `${file.name} is too large for a model of this page.`, 'Take another.');
  const model = await readModel(file, settings);
  try {
    checkModel(model, file.name);
    return {
      model,
      pixelScale: model.layers.some(({ className }) => className === 'Rescaling') ? 1 : 1 / 255,
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function readModel(file: File, settings: Settings): Promise<Sequential> {
  let model: Sequential;
  try {
    const loaded = await loadModel(file);
    if (!(loaded instanceof Sequential)) {
      loaded.dispose();
      throw new Error('The file holds a network of layers; the playground shows layers in a row.');
    }
    model = loaded;
  } catch (error) {
    if (!/holds weights alone/.test((error as Error).message)) throw error;
    ({ model } = buildNetwork(settings));
    await model.loadWeights(file);
    return model;
  }
  if (optimizerOf(model) === null) compile(model, settings);
  return model;
}

function checkModel(model: Sequential, name: string): void {
  const refuse = (what: string): never => {
    throw new Refusal('WRONG_MODEL', `${name}: ${what}`, 'The network here stays as it was.');
  };
  const [, ...input] = model.inputShape ?? [null];
  const size = input.reduce<number>((product, one) => product * (one ?? 0), 1);
  if (size !== PIXELS)
    refuse(`its input is [${input.join(', ')}]; pictures here have ${SIDE} × ${SIDE} = ${PIXELS} pixels.`);
  const [, ...output] = model.outputShape;
  if (output.length !== 1 || output[0] !== CLASSES)
    refuse(`its output is [${output.join(', ')}]; there are ${CLASSES} classes here.`);
  if (!['softmax', 'linear', null].includes(model.finalActivation))
    refuse(`it ends in ${model.finalActivation}; softmax or none was expected.`);
}

/** Which of our optimizers a model was compiled with, or null. */
function optimizerOf(model: Sequential): OptimizerName | null {
  if (!model.compileOptions) return null;
  const { className, learningRate } = model.optimizer;
  if (Number.isNaN(learningRate)) return null; // a schedule: the page sets a number
  const { momentum } = model.optimizer.getConfig();
  if (className === 'SGD') return momentum ? 'momentum' : 'sgd';
  const known: Record<string, OptimizerName> = {
    RMSprop: 'rmsprop',
    Adam: 'adam',
    AdamW: 'adamw',
    Adagrad: 'adagrad',
  };
  return known[className] ?? null;
}

/** The settings with what a loaded model says about them, and whether they describe it wholly. */
export function settingsOf(model: Sequential, settings: Settings): { settings: Settings; editable: boolean } {
  const described = layersOf(model);
  const { learningRate } = model.optimizer;
  return {
    settings: {
      ...settings,
      layers: described ?? settings.layers,
      optimizer: optimizerOf(model) ?? settings.optimizer,
      // Files hold it as f32: 0.003 comes back as 0.003000000026.
      learningRate: Number(learningRate.toPrecision(6)),
    },
    editable: described !== null,
  };
}

/** Hidden layers, where the model is what `buildNetwork` makes; else null. */
function layersOf(model: Sequential): LayerSettings[] | null {
  const all = model.layers.filter(({ className }) => className !== 'Flatten');
  if (all.some(({ className }) => className !== 'Dense') || model.finalActivation !== 'softmax') return null;
  const hidden = all.slice(0, -1).map((layer) => layer.getConfig());
  if (hidden.length > LIMITS.layers.most) return null;
  const described = hidden.map(({ units, activation }) => ({
    units: units as number,
    activation: ACTIVATIONS.find((name) => snake(name) === snake(String(activation))) as ActivationName,
  }));
  const fits = described.every(({ units, activation }) => activation && units <= LIMITS.units.most);
  return fits ? described : null;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A line for each layer with weights: 'dense 784 → 128, relu'. */
export function describeNetwork(model: Sequential): string[] {
  return model.layers
    .filter((layer) => layer.weights.length > 0)
    .map((layer) => {
      const [inputs, units] = layer.weights[0].shape;
      const { activation } = layer.getConfig() as { activation?: string };
      const kind = layer.className.toLowerCase();
      return `${kind} ${inputs} → ${units}${activation ? `, ${activation}` : ''}`;
    });
}

// ---- as functions

/** What goes into the final softmax. pixels: [N, PIXELS] bytes or numbers from 0 to 255 → [N, CLASSES]. */
export function logitsOf({ model, pixelScale }: Network, pixels: Tensor, training: boolean): Tensor {
  const [, ...input] = model.inputShape!;
  const scaled = pixelScale === 1 ? pixels.cast('f32') : pixels.cast('f32').mul(pixelScale);
  const x = scaled.reshape([pixels.shape[0], ...(input as number[])]);
  return model.call(x, { training, logits: true });
}
