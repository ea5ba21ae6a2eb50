/** The kinds of case that are about models: losses, metrics, layers, optimizers, fit and what goes with it. */
import {
  callbacks,
  defaultEngine,
  gradients,
  initializers,
  layers,
  losses,
  metrics,
  sequential,
  sum,
  type Tensor,
  tensor,
  variable,
  zeros,
} from '../../src/index.ts';
import { Resident } from '../../src/nn/training/feed/resident.ts';
import { behaviours } from './behaviours.ts';
import {
  type ConformanceCase,
  exactly,
  expectNumbers,
  expectValues,
  toleranceOf,
  toTensor,
  trained,
  type Values,
} from './cases.ts';
import { camelCase, makers, modelOf, type Options, optimizerOf, quiet, subject } from './models.ts';

const wantedOf = ({ expect, float64 }: ConformanceCase): Values => float64 ?? expect;

async function loss(one: ConformanceCase): Promise<void> {
  const { sample_weight, ...options } = one.attrs;
  const made = losses[subject(one) as 'meanSquaredError']({
    ...options,
    reduction: one.reduction,
  } as Options);
  const value = made.compute(toTensor(one.y_true), toTensor(one.y_pred), sample_weight);
  await expectValues(value, wantedOf(one), toleranceOf(one));
}

async function metric(one: ConformanceCase): Promise<void> {
  const made = metrics[subject(one) as 'accuracy']();
  const [yTrue, yPred] = [toTensor(one.y_true), toTensor(one.y_pred)];
  if (one.attrs.aggregate) {
    expectNumbers(
      [await made.compute(yTrue, yPred, one.attrs.sample_weight)],
      wantedOf(one),
      toleranceOf(one),
    );
    return;
  }
  const [values] = made.columns(yTrue, yPred, null);
  // Numbers without a batch axis are samples here; TensorFlow.js takes them for one and averages.
  const wanted = wantedOf(one);
  await expectValues(values.rank > wanted.shape.length ? values.mean() : values, wanted, toleranceOf(one));
}

async function activation(one: ConformanceCase): Promise<void> {
  const y = layers.activation({ activation: subject(one) }).apply(toTensor(one.x));
  await expectValues(y, { ...wantedOf(one), shape: one.x.shape }, toleranceOf(one));
}

async function layer(one: ConformanceCase): Promise<void> {
  const made = makers[subject(one)](one.config);
  const x = toTensor(one.x);
  made.buildFor([null, ...x.shape.slice(1)]);
  for (const [i, values] of (one.weights ?? []).entries()) void made.weights[i].assign(toTensor(values));
  await expectValues(made.apply(x), wantedOf(one), toleranceOf(one));
}

/** Sizes with the batch in front; null where any size will do. */
function shape(one: ConformanceCase): void {
  const expectShape = (got: readonly (number | null)[], wanted: readonly (number | null)[]) => {
    if (got.join() !== wanted.join()) throw new Error(`shape is [${got}], expected [${wanted}]`);
  };
  if (one.op !== 'sequential') {
    expectShape(makers[subject(one)](one.config).computeOutputShape(one.input_shape), one.expect);
    return;
  }
  const model = modelOf(one.layers);
  model.build(one.input_shape);
  expectShape(model.outputShape, one.expect);
  const count = (what: string, got: number, wanted: number) => {
    if (got !== wanted) throw new Error(`${what}: ${got}, expected ${wanted}`);
  };
  count('weights', model.weights.length, one.num_weights);
  model.pop();
  const { output_shape, num_weights, num_layers } = one.after_pop;
  expectShape(model.outputShape, output_shape);
  count('weights after pop', model.weights.length, num_weights);
  count('layers after pop', model.layers.length, num_layers);
}

/** Steps of an optimizer on sum(x²), or with gradients that the case gives; new state at each null. */
async function optimizer(one: ConformanceCase): Promise<void> {
  if (one.objective === 'x^2 + bias') return subsetOfVariables(one);
  const x = variable(toTensor(one.start));
  let current = optimizerOf(one.optimizer);
  const { x_after, loss_before } = one.float64;
  // "A new optimizer continues from saved state": so it does here at every step.
  const renew = /new optimizer/.test(one.note ?? '');
  for (const [step, wanted] of x_after.entries()) {
    if (renew && step > 0) {
      const saved = await Promise.all(current.variables.map((v) => v.data()));
      current = optimizerOf(one.optimizer);
      current.build([x]);
      await current.setWeights(saved);
    }
    const value = sum(x.square());
    const g = one.grads ? toTensor(one.grads[step]) : gradients(value, [x])[0];
    if (loss_before?.[step] !== undefined && loss_before[step] !== null)
      expectNumbers(await value.data(), [loss_before[step]], toleranceOf(one));
    current.apply([x], [g]);
    if (wanted) expectNumbers(await x.data(), wanted, toleranceOf(one));
  }
}

/** x² + bias, where only some variables are named: the others stay as they are. */
async function subsetOfVariables(one: ConformanceCase): Promise<void> {
  for (const { trainable, after } of one.expect) {
    const all: Record<string, ReturnType<typeof variable>> = Object.fromEntries(
      Object.entries(one.start).map(([name, value]) => [name, variable(value as number, { name })]),
    );
    const made = optimizerOf(one.optimizer);
    for (const { loss_before, ...wanted } of after) {
      const value = all.x.square().add(all.bias);
      if (loss_before !== undefined) expectNumbers([await value.item()], [loss_before], toleranceOf(one));
      made.minimize(
        value,
        trainable.map((name: string) => all[name]),
      );
      for (const [name, number] of Object.entries(wanted))
        expectNumbers([await all[name].item()], [number as number], toleranceOf(one));
    }
  }
}

async function fit(one: ConformanceCase): Promise<void> {
  const model = modelOf(one.layers, one.input_shape);
  const { optimizer: settings, ...compile } = one.compile;
  if (one.start_weights) await model.setWeights(one.start_weights.map((values: Values) => toTensor(values)));
  model.compile({ ...compile, optimizer: optimizerOf(settings) });
  const { batch_size: batchSize, validation_split, validation_data, ...options } = one.fit;
  const early = /early stopping on loss, min_delta 0.25, patience 0/.test(one.note ?? '');
  const { history } = await model.fit(toTensor(one.x), toTensor(one.y), {
    ...options,
    batchSize,
    verbose: 0,
    ...(validation_split === undefined ? {} : { validationSplit: validation_split }),
    ...(validation_data ? { validationData: validation_data.map((values: Values) => toTensor(values)) } : {}),
  });
  for (const [name, wanted] of Object.entries(one.float64.history))
    expectNumbers(history[name], wanted as number[], trained);
  const weights: Values[] = one.float64.weights ?? [];
  for (const [i, wanted] of weights.entries()) await expectValues(model.getWeights()[i], wanted, trained);
  if (early) await stopsEarly(one);
}

/** The same model with early stopping: exactly 3 epochs, as the note says. */
async function stopsEarly(one: ConformanceCase): Promise<void> {
  const model = modelOf(one.layers, one.input_shape);
  model.compile({ loss: one.compile.loss, optimizer: optimizerOf(one.compile.optimizer) });
  const { history } = await model.fit(toTensor(one.x), toTensor(one.y), {
    epochs: one.fit.epochs,
    shuffle: false,
    verbose: 0,
    callbacks: [callbacks.earlyStopping({ monitor: 'loss', minDelta: 0.25, patience: 0 })],
  });
  if (history.loss.length !== 3) throw new Error(`${history.loss.length} epochs ran, expected 3`);
}

async function evaluate(one: ConformanceCase): Promise<void> {
  const model = modelOf(one.layers, one.input_shape);
  model.compile(one.compile);
  const logs = await model.evaluate(toTensor(one.x), toTensor(one.y), {
    ...(one.batch_size === undefined ? {} : { batchSize: one.batch_size }),
    verbose: 0,
  });
  expectNumbers(Object.values(logs), one.expect, trained);
}

async function dropout(one: ConformanceCase): Promise<void> {
  const drop = async (seedOf: Options = one.config) => {
    const x = one.x.ones ? toTensor(onesOf(one.x.ones)) : toTensor(one.x);
    return Array.from(await makers.dropout(seedOf).apply(x, { training: one.training }).data());
  };
  const values = await drop();
  const { values_in, kept, mean, mean_atol, max, same_seed_same_mask } = one.expect;
  const check = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`${what} does not hold`);
  };
  const survivors = values.filter((value) => value !== 0).length;
  if (values_in)
    check(
      values.every((value) => values_in.includes(value)),
      `values in ${values_in}`,
    );
  if (kept === 'all') check(survivors === values.length, 'all are kept');
  if (kept?.startsWith('fewer')) check(survivors < values.length, 'some are dropped');
  if (mean !== undefined) {
    const average = values.reduce((total, value) => total + value, 0) / values.length;
    check(Math.abs(average - mean) <= mean_atol, `a mean of ${mean}, which is ${average}`);
    check(
      values.every((value) => value <= max),
      `a maximum of ${max}`,
    );
  }
  if (same_seed_same_mask) expectNumbers(await drop(), [...values], { relative: 0, absolute: 0 });
}

const onesOf = (sizes: readonly number[]): Values => ({
  shape: sizes,
  data: Array(sizes.reduce((product, size) => product * size, 1)).fill(1),
});

function config(one: ConformanceCase): void {
  const check = (got: unknown, wanted: unknown, what: string) => {
    if (got !== wanted) throw new Error(`${what} is ${got}, expected ${wanted}`);
  };
  if (one.op.startsWith('optimizer.')) {
    const settings = optimizerOf({ name: subject(one) }).getConfig();
    for (const [name, wanted] of Object.entries(one.expect)) check(settings[camelCase(name)], wanted, name);
    return;
  }
  const made = layers.dense({ units: 3 });
  const settings = made.getConfig();
  for (const name of one.expect.keys) check(Object.hasOwn(settings, camelCase(name)), true, `has ${name}`);
  for (const [name, wanted] of Object.entries(one.expect.defaults)) {
    const got = settings[camelCase(name)];
    check((got as { className?: string }).className ?? got, wanted, name);
  }
  const again = layers.fromConfig({ className: made.className, config: settings });
  check(JSON.stringify(again.getConfig()), JSON.stringify(settings), 'the config made again');
}

async function initializer(one: ConformanceCase): Promise<void> {
  const draw = () => initializers[subject(one) as 'glorotUniform']({ seed: 7 }).values(one.shape);
  const values = draw();
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const deviation = Math.sqrt(
    values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length,
  );
  const { min_ge, max_le, mean_abs_le, std_close_to } = one.expect;
  if (Math.min(...values) < min_ge || Math.max(...values) > max_le)
    throw new Error('values outside the limits');
  if (Math.abs(mean) > mean_abs_le) throw new Error(`the mean is ${mean}`);
  expectNumbers([deviation], [std_close_to], { relative: 0.05, absolute: 0 });
  expectNumbers(draw(), [...values], { relative: 0, absolute: 0 });
}

/** The ranges of rows that make up the batches of an epoch. */
async function batches({ size, batch_size, expect }: ConformanceCase): Promise<void> {
  const samples = {
    inputs: [zeros([size, 1])],
    targets: [],
    weights: [],
    start: 0,
    count: size,
    dispose() {},
  };
  const dealt = new Resident(samples, batch_size, await defaultEngine(), null);
  await dealt.begin(0);
  const ranges: number[][] = [];
  for (let start = 0; ; ) {
    const chunk = await dealt.next(1);
    if (chunk === null) break;
    ranges.push([start, start + chunk.samples]);
    start += chunk.samples;
  }
  expectNumbers(ranges.flat(), expect.flat(), exactly);
}

/** Batches with known losses: the targets are the losses, and nothing is learned. */
async function history(one: ConformanceCase): Promise<void> {
  const losses: number[] = one.batches.flatMap(({ size, loss }: { size: number; loss: number }) =>
    Array(size).fill(loss),
  );
  const model = sequential([layers.input({ shape: [1] }), layers.dense({ units: 1, trainable: false })]);
  model.compile({ optimizer: 'sgd', loss: (yTrue: Tensor) => yTrue.reshape([yTrue.shape[0]]) });
  const { history: got } = await model.fit(
    zeros([losses.length, 1]),
    tensor(losses, { shape: [losses.length, 1] }),
    {
      ...quiet,
      batchSize: one.batches[0].size,
      epochs: 2,
    },
  );
  expectNumbers(got.loss, [one.expect.loss, one.expect.loss], { relative: 1e-6, absolute: 0 });
}

function summary(one: ConformanceCase): void {
  const model = modelOf(one.layers, one.input_shape);
  const check = (got: unknown, wanted: unknown, what: string) => {
    if (wanted !== undefined && got !== wanted) throw new Error(`${what} is ${got}, expected ${wanted}`);
  };
  const parameters = (weights: readonly { size: number }[]) =>
    weights.reduce((total, { size }) => total + size, 0);
  const { rows, total, trainable, non_trainable } = one.expect;
  const totals = () => {
    check(model.countParams(), total, 'total');
    check(parameters(model.trainableWeights), trainable, 'trainable');
    check(parameters(model.nonTrainableWeights), non_trainable, 'non-trainable');
  };
  totals();
  const text = model.summary({ print: false });
  check(/Total params: ([\d,]+)/.exec(text)?.[1].replaceAll(',', ''), String(total), 'total as printed');
  for (const [i, { type, output_shape, params }] of (rows ?? []).entries()) {
    const cells = text
      .split('\n')
      .filter((line) => line.startsWith('│'))
      [i].split('│')
      .map((cell) => cell.trim());
    check(/\((\w+)\)$/.exec(cells[1])?.[1], type, `type of row ${i}`);
    check(
      cells[2],
      `(${output_shape.map((size: number | null) => size ?? 'None').join(', ')})`,
      `shape of row ${i}`,
    );
    check(cells[3], String(params), `parameters of row ${i}`);
  }
  if (/model.trainable=false/.test(one.note ?? '')) {
    model.trainable = false;
    check(parameters(model.trainableWeights), 0, 'trainable when the model is frozen');
    check(parameters(model.nonTrainableWeights), total, 'non-trainable when the model is frozen');
    model.trainable = true;
    totals();
  }
}

export const runners: Record<string, (one: ConformanceCase) => void | Promise<void>> = {
  loss,
  metric,
  activation,
  layer,
  shape,
  optimizer,
  fit,
  evaluate,
  dropout,
  config,
  initializer,
  batches,
  history,
  summary,
  behaviour: (one) => behaviours[one.id](),
};
