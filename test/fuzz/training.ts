/**
 * Random little trainings: dense stacks, losses, optimizers, batches, frozen layers, weights of classes and samples,
 * validation, saving and loading between fits, as data; the float64 network of test/reference beside them.
 */
import {
  type Activation,
  accuracy,
  backward,
  type Dense,
  denseStack,
  forward,
  softmax,
  weightsOf,
} from '../reference/network.ts';
import { adagrad, adam, adamw, type Optimizer, rmsprop, sgd } from '../reference/optimizers.ts';
import { type Generator, generator } from '../reference/random.ts';

type LossName = 'sparse' | 'categorical' | 'binary' | 'mse' | 'mae';

const lossNames: Record<LossName, string> = {
  sparse: 'sparseCategoricalCrossentropy',
  categorical: 'categoricalCrossentropy',
  binary: 'binaryCrossentropy',
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
};

const references = { sgd, rmsprop, adam, adamw, adagrad };

type OptimizerName = keyof typeof references;

export type Action =
  | {
      do: 'fit';
      epochs: number;
      batchSize: number;
      validationSplit: number;
      weights: 'none' | 'class' | 'sample';
      /** A callback hears every batch: steps then run one by one. */
      isHeard: boolean;
      stream: boolean;
    }
  | { do: 'predict'; rows: number; batchSize: number }
  | { do: 'evaluate'; batchSize: number }
  | { do: 'trainOnBatch'; rows: number }
  | { do: 'freeze'; layer: number; trainable: boolean }
  | { do: 'compile' }
  | { do: 'setWeights' }
  | { do: 'reload'; format: 'keras' | 'h5' };

export interface Training {
  readonly seed: number;
  readonly rows: number;
  readonly inputs: number;
  readonly layers: readonly { readonly units: number; readonly activation: Activation }[];
  readonly loss: LossName;
  readonly optimizer: {
    readonly name: OptimizerName;
    readonly options: Readonly<Record<string, number | boolean>>;
  };
  /** Bytes, which a layer divides by 255. */
  readonly isBytes: boolean;
  readonly actions: readonly Action[];
}

const between = (random: Generator, low: number, high: number): number => low + random.below(high - low + 1);

function drawOptimizer(random: Generator): Training['optimizer'] {
  const learningRate = random.pick([0.01, 0.05, 0.1]);
  switch (random.pick(['sgd', 'sgd', 'rmsprop', 'adam', 'adamw', 'adagrad'] as const)) {
    case 'sgd':
      return random.uniform() < 0.4
        ? { name: 'sgd', options: { learningRate } }
        : {
            name: 'sgd',
            options: { learningRate, momentum: random.pick([0.5, 0.9]), nesterov: random.uniform() < 0.5 },
          };
    case 'rmsprop':
      return {
        name: 'rmsprop',
        options: {
          learningRate: 0.01,
          rho: random.pick([0.9, 0.5]),
          ...(random.uniform() < 0.4 && { momentum: 0.5 }),
          ...(random.uniform() < 0.3 && { centered: true }),
          // Large enough for its place to matter: inside the root.
          epsilon: random.pick([1e-7, 0.01]),
        },
      };
    case 'adam':
      return {
        name: 'adam',
        options: { learningRate: 0.01, beta1: random.pick([0.9, 0.5]), epsilon: random.pick([1e-7, 0.01]) },
      };
    case 'adamw':
      return { name: 'adamw', options: { learningRate: 0.01, weightDecay: random.pick([0.004, 0.1]) } };
    case 'adagrad':
      return { name: 'adagrad', options: { learningRate, initialAccumulatorValue: random.pick([0.1, 0.5]) } };
  }
}

export function drawTraining(seed: number): Training {
  const random = generator(seed * 40503 + 17);
  const loss = random.pick(['sparse', 'sparse', 'categorical', 'binary', 'mse', 'mae'] as const);
  const depth = between(random, 1, 3);
  const layers = Array.from({ length: depth }, (_, i) => ({
    units:
      i === depth - 1 && loss !== 'binary' && loss !== 'mse' && loss !== 'mae'
        ? between(random, 2, 5)
        : between(random, 1, 7),
    activation: random.pick(['linear', 'relu', 'sigmoid', 'tanh', 'relu'] as const) as Activation,
  }));
  if (loss !== 'mse' && loss !== 'mae') layers[depth - 1].activation = 'linear';
  const rows = between(random, 2, 16);
  const batch = () => random.pick([1, 2, 3, 5, 8, rows, rows + 3].filter((n) => rows / n <= 10));
  const drawFit = (): Action => {
    const split = rows >= 4 && random.uniform() < 0.5 ? random.pick([0.25, 0.5, 0.3]) : 0;
    const kept = Math.floor(rows * (1 - split));
    const weighted =
      random.uniform() < 0.4
        ? random.uniform() < 0.5 && loss !== 'mse' && loss !== 'mae'
          ? 'class'
          : 'sample'
        : 'none';
    return {
      do: 'fit',
      epochs: between(random, 1, 3),
      batchSize: batch(),
      validationSplit: kept > 0 && kept < rows ? split : 0,
      // Weights of classes are for one number, or one row of classes, a sample.
      weights: weighted === 'class' && loss === 'binary' && layers[depth - 1].units > 1 ? 'sample' : weighted,
      isHeard: random.uniform() < 0.25,
      stream: random.uniform() < 0.15,
    };
  };
  const actions: Action[] = [];
  const count = between(random, 1, 3);
  for (let i = 0; i < count; i++) {
    if (random.uniform() < 0.3) {
      actions.push({ do: 'freeze', layer: random.below(depth), trainable: random.uniform() < 0.35 });
      if (random.uniform() < 0.4) actions.push({ do: 'compile' });
    }
    if (random.uniform() < 0.3)
      actions.push({ do: 'predict', rows: between(random, 1, rows), batchSize: batch() });
    actions.push(
      random.uniform() < 0.75 ? drawFit() : { do: 'trainOnBatch', rows: between(random, 1, rows) },
    );
    const kind = random.uniform();
    if (kind < 0.2) actions.push({ do: 'evaluate', batchSize: batch() });
    else if (kind < 0.35) actions.push({ do: 'predict', rows: between(random, 1, rows), batchSize: batch() });
    else if (kind < 0.5) actions.push({ do: 'reload', format: random.pick(['keras', 'keras', 'h5']) });
    else if (kind < 0.55) actions.push({ do: 'setWeights' });
  }
  return {
    seed,
    rows,
    inputs: between(random, 1, 6),
    layers,
    loss,
    optimizer: drawOptimizer(random),
    isBytes: random.uniform() < 0.25,
    actions,
  };
}

// ---- the numbers of a training

interface Numbers {
  readonly x: Float32Array;
  /** Class numbers, or [N, C]. */
  readonly y: Float32Array;
  readonly sampleWeight: Float32Array;
  readonly classWeight: readonly number[];
  readonly stack: Dense[];
}

const classesOf = ({ loss, layers }: Training): number =>
  loss === 'binary' ? 2 : layers[layers.length - 1].units;

function numbersOf(t: Training): Numbers {
  const random = generator(t.seed * 9176 + 5);
  const width = t.layers[t.layers.length - 1].units;
  const x = t.isBytes
    ? Float32Array.from({ length: t.rows * t.inputs }, () => random.below(256))
    : Float32Array.from({ length: t.rows * t.inputs }, () => (random.below(65) - 32) / 16);
  let y: Float32Array;
  if (t.loss === 'sparse') y = Float32Array.from({ length: t.rows }, () => random.below(width));
  else if (t.loss === 'categorical') {
    y = new Float32Array(t.rows * width);
    for (let row = 0; row < t.rows; row++) y[row * width + random.below(width)] = 1;
  } else if (t.loss === 'binary') y = Float32Array.from({ length: t.rows * width }, () => random.below(2));
  else y = Float32Array.from({ length: t.rows * width }, () => (random.below(65) - 32) / 16);
  const sampleWeight = Float32Array.from({ length: t.rows }, () => random.pick([0.25, 0.5, 1, 2, 3]));
  const classWeight = Array.from({ length: classesOf(t) }, (_, c) =>
    c === 0 ? 1 : random.pick([0.5, 2, 5]),
  );
  return { x, y, sampleWeight, classWeight, stack: denseStack(random, t.inputs, t.layers) };
}

export interface TrainingReading {
  readonly name: string;
  readonly values: number[];
}

/** What the training must tell, in float64. With `random`, gradients and results err as f32 may. */
export function simulate(t: Training, random: Generator | null = null): TrainingReading[] {
  const { x: given, y, sampleWeight, classWeight, stack } = numbersOf(t);
  const x = Float64Array.from(given, (v) => (t.isBytes ? v * Math.fround(1 / 255) : v));
  const width = t.layers[t.layers.length - 1].units;
  const isEntropy = t.loss !== 'mse' && t.loss !== 'mae';
  const start = weightsOf(stack).map((w) => Float64Array.from(w));
  const frozen = stack.map(() => false);
  const newOptimizer = (): Optimizer => references[t.optimizer.name](t.optimizer.options);
  let optimizer = newOptimizer();
  const readings: TrainingReading[] = [];
  const off = (v: number, error: number): number => (random ? v + error * (2 * random.uniform() - 1) : v);

  const rowsOf = (from: number, to: number): Float64Array => x.subarray(from * t.inputs, to * t.inputs);
  const targetAt = (row: number, c: number): number =>
    t.loss === 'sparse' ? Number(y[row] === c) : y[row * width + c];
  const classOf = (row: number): number => {
    if (t.loss === 'sparse' || width === 1) return y[row];
    let best = 0;
    for (let c = 1; c < width; c++) if (targetAt(row, c) > targetAt(row, best)) best = c;
    return best;
  };

  /** The results of the last activation, for logits z. */
  const activated = (z: Float64Array): Float64Array =>
    t.loss === 'binary' ? z.map((one) => 1 / (1 + Math.exp(-one))) : isEntropy ? softmax(z, width) : z;

  /** Losses, hits and gradients of the logits for rows from … to. */
  const losses = (z: Float64Array, from: number, to: number) => {
    const p = activated(z);
    const rows = to - from;
    const loss = new Float64Array(rows);
    let hits = 0;
    const g = new Float64Array(z.length);
    for (let r = 0; r < rows; r++) {
      const row = z.subarray(r * width, (r + 1) * width);
      const most = Math.max(...row);
      const lse = most + Math.log(row.reduce((so, one) => so + Math.exp(one - most), 0));
      for (let c = 0; c < width; c++) {
        const at = r * width + c;
        const target = targetAt(from + r, c);
        if (t.loss === 'sparse' || t.loss === 'categorical') {
          loss[r] += target * (lse - row[c]);
          g[at] = p[at] - target;
        } else if (t.loss === 'binary') {
          loss[r] +=
            (Math.max(row[c], 0) + Math.log1p(Math.exp(-Math.abs(row[c]))) - row[c] * target) / width;
          g[at] = (p[at] - target) / width;
        } else if (t.loss === 'mse') {
          loss[r] += (p[at] - target) ** 2 / width;
          g[at] = (2 * (p[at] - target)) / width;
        } else {
          loss[r] += Math.abs(p[at] - target) / width;
          g[at] = Math.sign(p[at] - target) / width;
        }
      }
      if (t.loss === 'binary' && width === 1) hits += Number(p[r] > 0.5 === (targetAt(from + r, 0) === 1));
      else if (isEntropy) hits += accuracy(row, [classOf(from + r)], width);
    }
    return { loss: loss.map((one) => off(one, 3e-5 * (1 + one))), hits, g };
  };

  const step = (from: number, to: number, weight: (row: number) => number) => {
    const values = forward(stack, rowsOf(from, to));
    const { loss, hits, g } = losses(values[values.length - 1], from, to);
    const rows = to - from;
    for (let i = 0; i < g.length; i++) g[i] *= weight(from + Math.floor(i / width)) / rows;
    const gradients = backward(stack, values, g);
    if (random)
      for (const one of gradients) {
        const most = one.reduce((so, v) => Math.max(so, Math.abs(v)), 0);
        for (let i = 0; i < one.length; i++)
          if (one[i] !== 0) one[i] = off(one[i], 1e-5 * Math.abs(one[i]) + 1e-5 * most);
      }
    const trained = weightsOf(stack).flatMap((w, i) => (frozen[i >> 1] ? [] : [[w, gradients[i]] as const]));
    optimizer.apply(
      trained.map(([w]) => w),
      trained.map(([, own]) => own),
    );
    return { loss: loss.reduce((so, one, r) => so + one * weight(from + r), 0), hits };
  };

  const measure = (from: number, to: number, weight: (row: number) => number) => {
    const values = forward(stack, rowsOf(from, to));
    const { loss, hits } = losses(values[values.length - 1], from, to);
    const rows = to - from;
    return {
      loss: loss.reduce((so, one, r) => so + one * weight(from + r), 0) / rows,
      accuracy: hits / rows,
    };
  };
  const one = () => 1;

  t.actions.forEach((action, index) => {
    const tell = (name: string, values: Iterable<number>) =>
      readings.push({ name: `${action.do}${index}.${name}`, values: [...values] });
    switch (action.do) {
      case 'fit': {
        const kept = Math.floor(t.rows * (1 - action.validationSplit));
        const bySample = (row: number) => sampleWeight[row];
        const weight =
          action.weights === 'sample'
            ? bySample
            : action.weights === 'class'
              ? (row: number) => classWeight[classOf(row)]
              : one;
        const history: Record<string, number[]> = { loss: [] };
        const note = (key: string, value: number) => {
          history[key] ??= [];
          history[key].push(value);
        };
        for (let epoch = 0; epoch < action.epochs; epoch++) {
          let loss = 0;
          let hits = 0;
          for (let from = 0; from < kept; from += action.batchSize) {
            const done = step(from, Math.min(from + action.batchSize, kept), weight);
            loss += done.loss;
            hits += done.hits;
          }
          note('loss', loss / kept);
          if (isEntropy) note('accuracy', hits / kept);
          if (kept < t.rows) {
            // Weights of classes are for training alone.
            const val = measure(kept, t.rows, action.weights === 'sample' ? bySample : one);
            note('val_loss', val.loss);
            if (isEntropy) note('val_accuracy', val.accuracy);
          }
        }
        for (const [key, values] of Object.entries(history)) tell(key, values);
        return;
      }
      case 'predict': {
        const values = forward(stack, rowsOf(0, action.rows));
        tell(
          'y',
          activated(values[values.length - 1]).map((v) => off(v, 3e-5 * (1 + Math.abs(v)))),
        );
        return;
      }
      case 'evaluate': {
        const { loss, accuracy } = measure(0, t.rows, one);
        tell('loss', [loss]);
        if (isEntropy) tell('accuracy', [accuracy]);
        return;
      }
      case 'trainOnBatch':
        tell('loss', [step(0, action.rows, one).loss / action.rows]);
        return;
      case 'freeze':
        frozen[action.layer] = !action.trainable;
        return;
      case 'compile':
        optimizer = newOptimizer();
        return;
      case 'setWeights':
        weightsOf(stack).forEach((w, i) => {
          w.set(start[i]);
        });
        return;
      case 'reload':
        return;
    }
  });
  weightsOf(stack).forEach((w, i) => {
    readings.push({ name: `weight${i}`, values: [...w].map((v) => off(v, 3e-7 * Math.abs(v))) });
  });
  return readings;
}

/** The training as code; `show(name, tensor or list)` tells. */
export function trainingLines(t: Training): string[] {
  const { x, y, sampleWeight, classWeight, stack } = numbersOf(t);
  const width = t.layers[t.layers.length - 1].units;
  const isEntropy = t.loss !== 'mse' && t.loss !== 'mae';
  const array = (values: ArrayLike<number>, kind = 'Float32Array') =>
    `${kind}.of(${Array.from(values).join(', ')})`;
  const last = t.layers.length - 1;
  const final = t.loss === 'binary' ? 'sigmoid' : 'softmax';
  const layer = (i: number): string =>
    `W.layers.dense({ units: ${t.layers[i].units}, activation: '${i === last && isEntropy ? final : t.layers[i].activation}' })`;
  const compile =
    `model.compile({ optimizer: W.optimizers.${t.optimizer.name}(${JSON.stringify(t.optimizer.options)}), ` +
    `loss: '${lossNames[t.loss]}'${isEntropy ? `, metrics: ['accuracy']` : ''} });`;
  const lines = [
    `const x = W.tensor(${array(x, t.isBytes ? 'Uint8Array' : 'Float32Array')}, { shape: [${t.rows}, ${t.inputs}] });`,
    `const y = W.tensor(${array(y, t.loss === 'sparse' ? 'Int32Array' : 'Float32Array')}, { shape: [${t.loss === 'sparse' ? t.rows : `${t.rows}, ${width}`}] });`,
    `let model = W.sequential([W.layers.input([${t.inputs}])${t.isBytes ? ', W.layers.rescaling(1 / 255)' : ''}, ${t.layers.map((_, i) => layer(i)).join(', ')}]);`,
    compile,
    `const start = [${weightsOf(stack)
      .map(
        (w, i) =>
          `W.tensor(${array(w)}, { shape: [${i % 2 === 0 ? `${stack[i >> 1].inputs}, ${stack[i >> 1].units}` : stack[i >> 1].units}] })`,
      )
      .join(', ')}];`,
    `await model.setWeights(start);`,
  ];
  const offset = t.isBytes ? 1 : 0;
  t.actions.forEach((action, index) => {
    const name = `${action.do}${index}`;
    switch (action.do) {
      case 'fit': {
        const options = [
          `epochs: ${action.epochs}`,
          `batchSize: ${action.batchSize}`,
          'shuffle: false',
          'verbose: 0',
          ...(action.validationSplit ? [`validationSplit: ${action.validationSplit}`] : []),
          ...(action.weights === 'class' ? [`classWeight: ${JSON.stringify({ ...classWeight })}`] : []),
          ...(action.weights === 'sample' ? [`sampleWeight: ${array(sampleWeight)}`] : []),
          ...(action.isHeard ? ['callbacks: { onTrainBatchEnd() {} }'] : []),
          ...(action.stream ? ['stream: true'] : []),
        ];
        lines.push(`const ${name} = (await model.fit(x, y, { ${options.join(', ')} })).history;`);
        const keys = ['loss', ...(isEntropy ? ['accuracy'] : [])];
        if (action.validationSplit) keys.push(...keys.map((key) => `val_${key}`));
        for (const key of keys) lines.push(`await show('${name}.${key}', ${name}.${key});`);
        return;
      }
      case 'predict':
        lines.push(
          `await show('${name}.y', await model.predict(x.slice([0, 0], [${action.rows}, ${t.inputs}]), { batchSize: ${action.batchSize}, verbose: 0 }));`,
        );
        return;
      case 'evaluate':
        lines.push(
          `const ${name} = await model.evaluate(x, y, { batchSize: ${action.batchSize}, verbose: 0 });`,
        );
        for (const key of ['loss', ...(isEntropy ? ['accuracy'] : [])])
          lines.push(`await show('${name}.${key}', [${name}.${key}]);`);
        return;
      case 'trainOnBatch': {
        const some =
          t.loss === 'sparse'
            ? `y.slice([0], [${action.rows}])`
            : `y.slice([0, 0], [${action.rows}, ${width}])`;
        lines.push(
          `const ${name} = await model.trainOnBatch(x.slice([0, 0], [${action.rows}, ${t.inputs}]), ${some});`,
          `await show('${name}.loss', [${name}.loss]);`,
        );
        return;
      }
      case 'freeze':
        lines.push(`model.layers[${action.layer + offset}].trainable = ${action.trainable};`);
        return;
      case 'compile':
        lines.push(compile);
        return;
      case 'setWeights':
        lines.push('await model.setWeights(start);');
        return;
      case 'reload':
        lines.push(`model = await W.loadModel(await model.toBytes('${action.format}'));`);
        return;
    }
  });
  weightsOf(stack).forEach((_, i) => {
    lines.push(`await show('weight${i}', model.weights[${i}]);`);
  });
  return lines;
}

/** Every smaller training that is one edit away. */
export function* smallerTrainings(t: Training): Iterable<Training> {
  for (let i = 0; i < t.actions.length; i++) yield { ...t, actions: t.actions.filter((_, k) => k !== i) };
  if (t.layers.length > 1)
    for (let i = 0; i < t.layers.length - 1; i++)
      if (t.actions.every((a) => a.do !== 'freeze' || a.layer !== i))
        yield {
          ...t,
          layers: t.layers.filter((_, k) => k !== i),
          actions: t.actions.map((a) =>
            a.do === 'freeze' && a.layer > i ? { ...a, layer: a.layer - 1 } : a,
          ),
        };
  for (const rows of [1, 2, Math.floor(t.rows / 2), t.rows - 1])
    if (rows > 0 && rows < t.rows)
      yield {
        ...t,
        rows,
        actions: t.actions.map((a) =>
          'rows' in a
            ? { ...a, rows: Math.min(a.rows, rows) }
            : a.do === 'fit' && rows < 4
              ? { ...a, validationSplit: rows === 1 ? 0 : a.validationSplit && 0.5 }
              : a,
        ),
      };
  for (const inputs of [1, t.inputs - 1]) if (inputs > 0 && inputs < t.inputs) yield { ...t, inputs };
  for (let i = 0; i < t.layers.length; i++)
    for (const units of [1, 2, t.layers[i].units - 1])
      if (
        units > 0 &&
        units < t.layers[i].units &&
        (units > 1 || i < t.layers.length - 1 || t.loss !== 'sparse')
      )
        yield { ...t, layers: t.layers.map((one, k) => (k === i ? { ...one, units } : one)) };
  for (let i = 0; i < t.actions.length; i++) {
    const with_ = (change: object) => ({
      ...t,
      actions: t.actions.map((a, k) => (k === i ? ({ ...a, ...change } as Action) : a)),
    });
    const a = t.actions[i];
    if (a.do !== 'fit') continue;
    if (a.epochs > 1) yield with_({ epochs: 1 });
    if (a.isHeard) yield with_({ isHeard: false });
    if (a.stream) yield with_({ stream: false });
    if (a.weights !== 'none') yield with_({ weights: 'none' });
    if (a.validationSplit > 0) yield with_({ validationSplit: 0 });
    if (a.batchSize < t.rows) yield with_({ batchSize: t.rows });
  }
  if (t.isBytes) yield { ...t, isBytes: false };
  if (t.optimizer.name !== 'sgd') yield { ...t, optimizer: { name: 'sgd', options: { learningRate: 0.1 } } };
}

/** How far each number of each reading may be off. */
export function toleranceOf(
  t: Training,
  exact: readonly TrainingReading[],
  walks: number,
  factor: number,
): number[][] {
  const spread = exact.map(({ values }) => values.map((v) => 1e-6 + 2e-6 * Math.abs(v)));
  for (let k = 1; k <= walks; k++) {
    const random = generator(t.seed + 7919 * k);
    const noisy = simulate(t, { ...random, uniform: () => 0.5 + factor * (random.uniform() - 0.5) });
    exact.forEach(({ values }, r) => {
      for (let i = 0; i < values.length; i++)
        spread[r][i] = Math.max(spread[r][i], 8 * Math.abs(noisy[r].values[i] - values[i]));
    });
  }
  return spread;
}
