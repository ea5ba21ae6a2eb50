/**
 * Random models at random moments of their training, in every format: what comes back predicts the same and takes the
 * next three steps to the same bits. WEFT_RANDOM_MODELS says how many; a model that fails is printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Functional,
  init,
  layers,
  loadModel,
  type Model,
  model as network,
  optimizers,
  type Sequential,
  schedules,
  sequential,
  type Tensor,
} from '../../../src/index.ts';

// ---- what users make themselves

const relu = (t: Tensor): Tensor => t.mul(0.5);
const wave = (t: Tensor): Tensor => t.sin();
const halves = (shape: readonly number[]): number[] =>
  Array(shape.reduce((product, size) => product * size, 1)).fill(0.5);
const small = (w: Tensor): Tensor => w.square().sum().mul(0.01);
const bounded = (w: Tensor): Tensor => w.clip(-0.6, 0.6);
const tripled = (t: Tensor, p: Tensor): Tensor => t.sub(p).square().mul(3);
const distance = (t: Tensor, p: Tensor): Tensor => t.sub(p).abs().mean(-1);

/** y = x · gain + shift, of which the shift is not trained. */
class Shift extends layers.Layer {
  private readonly by: number;

  constructor({ by = 0.25, ...options }: { by?: number; name?: string } = {}) {
    super(options, 'Shift');
    this.by = by;
  }

  override build([, size]: layers.BatchShape): void {
    this.addWeight('shift', [size as number], () => Array<number>(size as number).fill(this.by), {
      trainable: false,
    });
    this.addWeight('gain', [size as number], 'ones');
  }

  override call(x: Tensor): Tensor {
    return x.mul(this.weight('gain')).add(this.weight('shift'));
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), by: this.by };
  }
}

/** A layer by definition, called as one of ours is. */
const Reshape = (options: object = {}) =>
  layers.custom({
    className: 'Reshape',
    build([, size]) {
      this.addWeight('w', [size as number], 'ones');
      this.addWeight('w', [size as number], 'zeros');
    },
    call(x) {
      const [gain, shift] = this.weights;
      return x.mul(gain).add(shift);
    },
    ...options,
  });

const customObjects = { relu, wave, halves, small, bounded, tripled, distance, Shift, Reshape };

// ---- models

type Spec =
  | { kind: 'dense'; options: Record<string, unknown> & { units: number } }
  | { kind: keyof typeof plain; options: { name?: string } }
  | { kind: 'residual'; layers: Spec[]; options: { name?: string } }
  | { kind: 'model'; layers: Spec[]; options: { name?: string } };

const INPUTS = 3;

/** Layers whose outputs are as many as their inputs. */
const plain = {
  shift: (options) => new Shift(options),
  own: (options) => Reshape(options),
  dropout: (options) => layers.dropout(0.3, options),
  softsign: (options) => layers.activation('softsign', options),
  rescaling: (options) => layers.rescaling(0.9, options),
  flatten: (options) => layers.flatten(options),
  normal: (options) => layers.batchNormalization({ momentum: 0.7, ...options }),
  norms: (options) => layers.layerNormalization(options),
  noise: (options) => layers.gaussianNoise(0.1, options),
  slopes: (options) => layers.prelu(options),
} satisfies Record<string, (options: { name?: string }) => layers.Layer>;

const plainKinds = Object.keys(plain) as (keyof typeof plain)[];

class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed * 2654435761;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)];
  }

  chance(p: number): boolean {
    return this.next() < p;
  }
}

function denseSpec(dice: Dice, units: number, name?: string): Spec {
  const options: Record<string, unknown> & { units: number } = { units, ...(name ? { name } : {}) };
  if (dice.chance(0.5)) options.activation = dice.one([relu, wave, 'relu', 'tanh', 'selu']);
  if (dice.chance(0.3)) options.kernelInitializer = dice.one([halves, 'heNormal', 'lecunUniform']);
  if (dice.chance(0.3)) options.kernelRegularizer = dice.one([small, 'l2', 'l1']);
  if (dice.chance(0.3)) options.kernelConstraint = dice.one([bounded, 'maxNorm', 'unitNorm']);
  if (dice.chance(0.2)) options.useBias = false;
  if (dice.chance(0.1)) options.dtype = 'mixed_float16';
  return { kind: 'dense', options };
}

/** A few layers; those inside of models may have names that others have, of one size each, so that all shapes agree. */
function someLayers(dice: Dice, depth: number): Spec[] {
  const count = 1 + dice.below(3);
  return Array.from({ length: count }, (_, i): Spec => {
    // Names are repeated from model to model, never within one.
    const name = depth > 0 && dice.chance(0.6) ? `d${i}` : undefined;
    const options = name ? { name } : {};
    if (depth < 2 && dice.chance(0.35))
      return { kind: dice.one(['model', 'residual']), layers: someLayers(dice, depth + 1), options };
    const kind = dice.one(['dense', 'dense', 'dense', 'dense', ...plainKinds] as const);
    return kind === 'dense' ? denseSpec(dice, INPUTS, name) : { kind, options };
  });
}

function layerOf(spec: Spec): layers.Layer {
  if (spec.kind === 'dense') return layers.dense(spec.options);
  if (spec.kind === 'model') return modelOf(spec.layers, spec.options);
  if (spec.kind === 'residual') return residualOf(spec.layers, spec.options);
  return plain[spec.kind](spec.options);
}

/** x + f(x), and the last of f once more. */
function residualOf(specs: readonly Spec[], options: object): Functional {
  const x = layers.input([INPUTS]);
  const all = specs.map(layerOf);
  const y = all.reduce(
    (value: layers.SymbolicTensor<layers.Layer>, layer) => layer.apply(value),
    layers.identity().apply(x),
  );
  return network({ inputs: x, outputs: layers.add().apply([x, all.at(-1)!.apply(y)]), ...options });
}

const modelOf = (specs: readonly Spec[], options: object = {}): Sequential =>
  sequential([layers.input([INPUTS]), ...specs.map(layerOf)], options);

const everyLayer = (root: layers.Layer): layers.Layer[] => [root, ...root.layers.flatMap(everyLayer)];

const optimizerOf = [
  () => optimizers.sgd(0.05),
  () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  () => optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
  () => optimizers.rmsprop(0.01),
  () => optimizers.adam(0.02),
  () => optimizers.adam({ learningRate: 0.02, amsgrad: true, clipnorm: 1 }),
  () => optimizers.adamw({ learningRate: 0.02, weightDecay: 0.1 }),
  () => optimizers.adagrad(0.05),
  () =>
    optimizers.sgd({
      learningRate: schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 2, decayRate: 0.5 }),
      momentum: 0.8,
    }),
];

const x = Array.from({ length: 6 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 3) / 3]);
const y = x.map(([a, b, c]) => [a - b, b * c]);
const quiet = { verbose: 0 } as const;

const bitsOf = async (model: Model): Promise<number[][]> => {
  const all = await Promise.all(model.weights.map((weight) => weight.data()));
  return all.map((one) => [...new Uint32Array(one.buffer, one.byteOffset, one.length)]);
};

const predicted = async (model: Model): Promise<number[]> => [
  ...new Uint32Array((await (await model.predict(x, quiet)).data()).buffer),
];

/** Losses and weights of the next three steps. */
async function nextSteps(model: Model): Promise<unknown> {
  const told: unknown[] = [];
  for (let i = 0; i < 3; i++) told.push(await model.trainOnBatch(x, y));
  return [told, await bitsOf(model)];
}

async function check(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const specs = [...someLayers(dice, 0), denseSpec(dice, 2, 'head')];
  const optimizer = dice.below(optimizerOf.length);
  const compiling = () => ({
    optimizer: optimizerOf[optimizer](),
    loss: dice.chance(0.3) ? tripled : ('mse' as const),
    metrics: ['mae', ...(dice.chance(0.3) ? [distance] : [])],
  });
  const model = modelOf(specs);
  const compiled = compiling();
  model.compile(compiled);

  // ---- a life
  const events = dice.below(4);
  for (let i = 0; i < events; i++) {
    const event = dice.one(['train', 'train', 'freeze', 'thaw', 'head', 'other']);
    const inside = everyLayer(model).slice(1);
    if (event === 'freeze') dice.one(inside).trainable = false;
    else if (event === 'thaw') dice.one(inside).trainable = true;
    else if (event === 'head') {
      model.pop();
      specs[specs.length - 1] = denseSpec(dice, 2, dice.one(['head', 'newer']));
      model.add(layerOf(specs.at(-1)!));
    } else if (event === 'other') {
      const other = modelOf([denseSpec(dice, 2, 'elsewhere')]);
      other.compile({ ...compiled, loss: 'mse', metrics: [] });
      await other.trainOnBatch(x, y);
    } else if (model.trainableWeights.length > 0) await model.trainOnBatch(x, y);
  }
  model.layers.at(-1)!.trainable = true;

  // ---- a file
  const format = (['keras', 'h5', 'tfjs', 'weights.h5', 'safetensors'] as const)[seed % 5];
  const file = join(folder, `model-${seed}${format === 'tfjs' ? '.json' : `.${format}`}`);
  const isWhole = ['keras', 'h5', 'tfjs'].includes(format);
  if (isWhole) await model.save(file, { format });
  else await model.saveWeights(file, { format });
  const twin = async (): Promise<Sequential> => {
    const again = modelOf(specs);
    again.compile({ ...compiled, optimizer: optimizerOf[optimizer]() });
    // What is frozen while weights are loaded does not matter.
    for (const layer of everyLayer(again)) layer.trainable = dice.chance(0.7);
    await again.loadWeights(file);
    const flags = everyLayer(model).map(({ trainable }) => trainable);
    for (const [i, layer] of everyLayer(again).entries()) layer.trainable = flags[i];
    return again;
  };
  const all = isWhole ? [await loadModel(file, { customObjects }), await twin()] : [await twin()];

  // ---- the same
  const weights = await bitsOf(model);
  const predictions = await predicted(model);
  for (const one of all) {
    expect(everyLayer(one).map(({ trainable }) => trainable)).toEqual(
      everyLayer(model).map(({ trainable }) => trainable),
    );
    expect(await bitsOf(one)).toEqual(weights);
    expect(await predicted(one)).toEqual(predictions);
  }
  if (format === 'safetensors') return;
  // TensorFlow.js has no place for an optimizer's state.
  if (format === 'tfjs')
    for (const one of [model, ...all]) one.compile({ ...compiled, optimizer: optimizerOf[optimizer]() });
  const steps = await nextSteps(model);
  for (const one of all) expect(await nextSteps(one)).toEqual(steps);
  for (const one of [model, ...all]) one.dispose();
}

const folder = mkdtempSync(join(tmpdir(), 'weft-'));
beforeAll(async () => {
  await init({ seed: 3 });
  return () => rmSync(folder, { recursive: true, force: true });
});

const count = Number(process.env.WEFT_RANDOM_MODELS ?? 10);
const first = Number(process.env.WEFT_RANDOM_SEED ?? 3);

describe('a file gives back the model, and training goes on to the same bits', () => {
  test.each(Array.from({ length: count }, (_, i) => first + i))('random model %i', async (seed) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    await check(seed);
    const warnings = warn.mock.calls
      .flat()
      .filter(
        (text) =>
          !/your own and not in the file|^half: this adapter|has been compiling for/.test(String(text)),
      );
    expect(warnings).toEqual([]);
  });
});
