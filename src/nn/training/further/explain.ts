/** `model.explain`: the steps that fit, evaluate and predict replay, kernel by kernel. */
import { ConfigError, StateError } from '../../../base/errors.ts';
import type { StepProfile } from '../../../graph/profile.ts';
import { tensor } from '../../../ops/constant.ts';
import { byteSize, type DType, typedArray } from '../../../ops/dtype.ts';
import { sizeOf } from '../../../ops/shape.ts';
import type { Tensor } from '../../../ops/tensor.ts';
import { flag, oneOf, wholeNumber } from '../../check.ts';
import type { BatchShape, Layer } from '../../layers/layer.ts';
import { type InputShape, isList } from '../../layers/symbolic.ts';
import { readOptions } from '../../names.ts';
import { Explanation } from '../../report/explanation.ts';
import { isSparse } from '../../targets.ts';
import { Evaluation } from '../evaluation.ts';
import { takeSource } from '../feed/choose.ts';
import type { Samples } from '../feed/samples.ts';
import { isMade, takeSamples } from '../feed/samples.ts';
import type { ObjectiveChoice } from '../objective.ts';
import { type Engine, predictStep } from '../steps.ts';
import type { Trainable } from '../trainable.ts';
import { Training } from '../training.ts';

export interface ExplainOptions {
  /** The step of fit, of evaluate, or of predict; default 'train'. */
  step?: 'train' | 'evaluate' | 'predict';
  /** Samples of a step; default that of the latest fit, else 32. */
  batchSize?: number | null;
  /** Samples to explain it for, as fit takes them; default: blank ones like those of the latest fit. */
  x?: unknown;
  y?: unknown;
  /** Shape of one sample, for a model that does not know it yet: [28, 28]. It is built for it. */
  inputShape?: readonly number[] | null;
  /** Of blank samples; default that of the latest fit, else 'f32'. Images often are 'u8'. */
  inputDtype?: 'f32' | 'i32' | 'u8' | null;
  /** Whether to run the step for a moment and take times; default true. Weights and counters stay as they are. */
  measure?: boolean;
}

/** Explains a step of a model. Runs while the model is locked; `choice` is null where it is not compiled. */
export async function explainModel(
  model: Trainable,
  choice: ObjectiveChoice | null,
  options: ExplainOptions | undefined,
): Promise<Explanation> {
  const given = readOptions('explain', options, {
    step: 'train' as NonNullable<ExplainOptions['step']>,
    batchSize: null as number | null,
    x: null as unknown,
    y: null as unknown,
    inputShape: null as readonly number[] | null,
    inputDtype: null as ExplainOptions['inputDtype'],
    measure: true,
  });
  const step = oneOf(given.step, 'explain', 'step', ['train', 'evaluate', 'predict']) as typeof given.step;
  const measure = flag(given.measure, 'explain', 'measure');
  const form = model.latestFit;
  const batchSize =
    given.batchSize === null ? (form?.batchSize ?? 32) : wholeNumber(given.batchSize, 'explain', 'batchSize');
  if (given.inputShape !== null) model.buildFor([null, ...given.inputShape]);
  const samples = await samplesFor(model, choice, step, batchSize, given);
  try {
    if (step !== 'predict') await model.prepareFor(samples, 'explain');
    else model.buildForData(samples.inputs);
    const engine = await model.engineFor(samples.inputs[0]);
    nameWeights(model.layers, '');
    const profile = await profileOf(model, samples, { step, batchSize, measure }, engine);
    const size = Math.min(batchSize, samples.count);
    return new Explanation(
      {
        model: model.name,
        step,
        batchSize: size,
        inputs: samples.inputs.map(({ shape, dtype }) => ({ shape: [size, ...shape.slice(1)], dtype })),
      },
      profile,
    );
  } finally {
    samples.dispose();
  }
}

async function profileOf(
  model: Trainable,
  samples: Samples,
  { step, batchSize, measure }: { step: ExplainOptions['step']; batchSize: number; measure: boolean },
  engine: Engine,
): Promise<StepProfile> {
  if (step === 'predict') {
    const { step: captured } = predictStep(model, engine);
    const batch = samples.inputs.map((x) =>
      x.slice(
        x.shape.map(() => 0),
        [Math.min(batchSize, samples.count), ...x.shape.slice(1)],
      ),
    );
    try {
      return await captured.profile({ measure }, ...batch);
    } finally {
      await engine.idle().catch(() => {});
      captured.dispose();
      // All of x is x itself.
      for (const [i, part] of batch.entries()) if (part !== samples.inputs[i]) part.dispose();
    }
  }
  const { shuffle, streamed } = model.latestFit ?? { shuffle: true, streamed: false };
  const place = { engine, streamed };
  // Steps that wait for another run know weights by their short names.
  model.loops[step === 'train' ? 'train' : 'evaluate'].drop();
  const { loop } =
    step === 'train'
      ? await Training.of(model, samples, { batchSize, shuffle }, place)
      : await Evaluation.of(model, samples, { batchSize, steps: null }, place);
  nameSlots(model);
  try {
    loop.feed.allocate();
    await loop.feed.begin(0);
    await loop.restart();
    return await loop.steps.whole.profile({ measure });
  } finally {
    await loop.finish(false);
  }
}

/** Weights are called after their layers: 'dense_1/kernel'. */
function nameWeights(layers: readonly Layer[], before: string): void {
  for (const layer of layers) {
    const path = `${before}${layer.name}/`;
    nameWeights(layer.layers, path);
    for (const weight of layer.weights) weight.path ??= path + weight.name;
  }
}

/** What the optimizer keeps beside a weight is called after it: 'dense_1/kernel_velocity'. */
function nameSlots({ trainableWeights, optimizer }: Trainable): void {
  for (const weight of trainableWeights)
    for (const slot of optimizer.slotsBeside(weight))
      slot.path = (weight.path ?? weight.name) + slot.name.slice(weight.name.length);
}

/** The samples that are given, or blank ones: those that fit saw, or what the model takes. */
async function samplesFor(
  model: Trainable,
  choice: ObjectiveChoice | null,
  step: ExplainOptions['step'],
  batchSize: number,
  given: { x: unknown; y: unknown; inputDtype?: ExplainOptions['inputDtype'] },
): Promise<Samples> {
  const purpose = { operation: 'explain', model };
  if (given.x !== null) {
    if (given.y === null && step !== 'predict')
      throw new ConfigError(`explain: x came without y; the step '${step}' compares with y.`);
    const source = await takeSource({ x: given.x, y: step === 'predict' ? null : given.y }, purpose);
    if (!isMade(source)) return source;
    throw new ConfigError('explain: x is a dataset that makes its batches on the way. Give one of them.');
  }
  const form = model.latestFit;
  // More than a batch, so that the step finds its rows as in training; two batches do.
  const count = Math.min(2 * batchSize, form?.count ?? Number.POSITIVE_INFINITY);
  const inputs =
    form?.inputs ?? inputShapes(model).map((shape) => ({ shape: sizesOf(shape), dtype: 'f32' as const }));
  const made = inputs.map(({ shape: [, ...sample], dtype }) =>
    blank([count, ...sample], given.inputDtype ?? dtype),
  );
  if (step !== 'predict')
    made.push(
      ...(form
        ? form.targets
            .map((one) => one && blank([count, ...one.shape.slice(1)], one.dtype))
            .filter((one) => one !== null)
        : await blankTargets(model, choice, count)),
    );
  const [xs, ys] = [made.slice(0, inputs.length), made.slice(inputs.length)];
  const samples = await takeSamples(
    { x: xs.length > 1 ? xs : xs[0], y: ys.length > 1 ? ys : ys[0] },
    purpose,
  );
  return {
    ...samples,
    dispose() {
      for (const one of made) one.dispose();
    },
  };
}

/** The shapes that the model takes. */
function inputShapes({ inputShape, name }: Trainable): readonly BatchShape[] {
  if (inputShape === null)
    throw new StateError(
      `explain: ${name} does not know its input shape yet. Give explain({ inputShape: [784] }), or call fit first.`,
    );
  const shape: InputShape = inputShape;
  return isList(shape) ? shape : [shape];
}

const sizesOf = (shape: BatchShape): number[] => shape.map((size) => size ?? 1);

/** Class numbers where a loss takes such, else targets like the outputs. */
async function blankTargets(
  model: Trainable,
  choice: ObjectiveChoice | null,
  count: number,
): Promise<Tensor[]> {
  model.buildFor(model.inputShape!);
  const shapes = model.outputShapes;
  const choices = choice?.(model.outputNames);
  return Promise.all(
    shapes.map(async (shape, i) => {
      const [, ...output] = sizesOf(shape);
      const classes = [count, ...output.slice(0, -1)];
      const outputs = [count, ...output];
      const sparse = isSparse(classes, outputs) && (await choices?.[i].loss?.(classes, outputs))?.sparse;
      return sparse ? blank(classes, 'u8') : blank(outputs, 'f32');
    }),
  );
}

const blank = (shape: readonly number[], dtype: DType): Tensor =>
  tensor(typedArray(dtype, new ArrayBuffer(byteSize(dtype, sizeOf(shape))), sizeOf(shape)), {
    shape: [...shape],
    dtype,
  });
