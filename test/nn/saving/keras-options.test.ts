/** Each option that Keras writes into files is used or refused: dropped, it would be another model without a word. */
import { expect, test } from 'vitest';
import { layers, type Metric, WeftError } from '../../../src/index.ts';
import * as all from '../../../src/nn/layers/all.ts';
import { isKnownLayer } from '../../../src/nn/layers/resolve.ts';
import { lossNames } from '../../../src/nn/losses/resolve.ts';
import { metricNames } from '../../../src/nn/metrics/resolve.ts';
import { resolveOptimizer } from '../../../src/nn/optimizers/resolve.ts';
import { ofCompiled, unwrapped, withoutNeutral } from '../../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../../src/nn/saving/own.ts';

type Config = Record<string, unknown>;
type Described = { class_name: string; config: Config };
const of = (class_name: string, config: Config): Described => ({ class_name, config });

/** Nothing of the user's own. */
const none = new OwnObjects({});

/** What is read from a description, told by its options in full. */
const read = {
  layer: ({ class_name: className, config }: Described): unknown =>
    layers
      .fromConfig({ className, config: withoutNeutral({ name: 'x', ...config } as never, none) })
      .getConfig(),
  optimizer: (given: Described): unknown =>
    resolveOptimizer(unwrapped(given, none, '', ofCompiled), 'test').getConfig(),
  loss: (given: Described): unknown => lossNames.make(unwrapped(given, none, '', ofCompiled), 'test').config,
  metric: async (given: Described): Promise<unknown> =>
    ((await metricNames.make(unwrapped(given, none, '', ofCompiled), 'test')) as Metric).config,
};

const l2 = of('L2', { l2: 0.5 });
const common = { trainable: false, dtype: of('DTypePolicy', { name: 'mixed_float16' }) };
const optimizer = {
  learning_rate: 0.5,
  weight_decay: 0.1,
  clipnorm: 1,
  clipvalue: 1,
  global_clipnorm: 1,
  use_ema: true,
  loss_scale_factor: 2,
  gradient_accumulation_steps: 2,
  decay: 0.1,
};
const inDense = (option: string, className: string, config: Config): Case[] =>
  Object.entries(config).map(([key, value]) => ({
    kind: 'layer',
    without: of('Dense', { units: 2, [option]: of(className, {}) }),
    with: of('Dense', { units: 2, [option]: of(className, { [key]: value }) }),
    what: `${className}: ${key}`,
  }));

interface Case {
  readonly kind: keyof typeof read;
  readonly without: Described;
  readonly with: Described;
  readonly what: string;
}

/** A class, what it cannot do without, and a value other than the default for each of its options. */
const each = (kind: Case['kind'], className: string, needed: Config, options: Config): Case[] =>
  Object.entries(options).map(([key, value]) => ({
    kind,
    without: of(className, needed),
    with: of(className, { ...needed, [key]: value }),
    what: `${className}: ${key}`,
  }));

const seeded = { seed: 3 };
const first = { data_format: 'channels_first' };
const thresholded = { thresholds: 0.25, top_k: 2, class_id: 1 };
const ofNorms = {
  epsilon: 0.5,
  center: false,
  scale: false,
  beta_initializer: of('Ones', {}),
  gamma_initializer: of('Zeros', {}),
  beta_regularizer: l2,
  gamma_regularizer: l2,
  beta_constraint: of('NonNeg', {}),
  gamma_constraint: of('NonNeg', {}),
};
const ofProducts = {
  kernel_initializer: of('HeNormal', { seed: null }),
  bias_initializer: of('Ones', {}),
  kernel_regularizer: l2,
  bias_regularizer: l2,
  activity_regularizer: l2,
  kernel_constraint: of('NonNeg', {}),
  bias_constraint: of('NonNeg', {}),
};
const ofConv = {
  ...common,
  ...first,
  kernel_size: 2,
  strides: 2,
  padding: 'same',
  dilation_rate: 2,
  activation: 'relu',
  use_bias: false,
  bias_initializer: of('Ones', {}),
  bias_regularizer: l2,
  bias_constraint: of('NonNeg', {}),
  activity_regularizer: l2,
};
const ofKernel = {
  kernel_initializer: of('HeNormal', {}),
  kernel_regularizer: l2,
  kernel_constraint: of('NonNeg', {}),
};
const ofDepthwise = {
  depth_multiplier: 2,
  depthwise_initializer: of('HeNormal', {}),
  depthwise_regularizer: l2,
  depthwise_constraint: of('NonNeg', {}),
};
const ofRecurrent = {
  ...common,
  ...ofKernel,
  seed: 3,
  units: 3,
  activation: 'relu',
  use_bias: false,
  recurrent_initializer: of('Ones', {}),
  recurrent_regularizer: l2,
  recurrent_constraint: of('NonNeg', {}),
  bias_initializer: of('Ones', {}),
  bias_regularizer: l2,
  bias_constraint: of('NonNeg', {}),
  activity_regularizer: l2,
  dropout: 0.5,
  recurrent_dropout: 0.5,
  return_sequences: true,
  return_state: true,
  go_backwards: true,
  stateful: true,
  unroll: true,
  zero_output_for_mask: true,
};
const ofMoves = { ...seeded, ...first, fill_mode: 'wrap', fill_value: 1, interpolation: 'nearest' };
const ofLoss = { reduction: 'sum' };
const cases: Case[] = [
  ...each(
    'layer',
    'Dense',
    { units: 2 },
    {
      ...common,
      activation: 'relu',
      use_bias: false,
      kernel_initializer: of('HeNormal', {}),
      bias_initializer: of('Ones', {}),
      kernel_regularizer: l2,
      bias_regularizer: l2,
      activity_regularizer: l2,
      kernel_constraint: of('NonNeg', {}),
      bias_constraint: of('NonNeg', {}),
      lora_rank: 4,
      lora_alpha: 2,
      quantization_config: of('Int8', {}),
    },
  ),
  ...each('layer', 'Dropout', { rate: 0.5 }, { ...common, ...seeded, rate: 0.25, noise_shape: [1, 6] }),
  ...each('layer', 'Flatten', {}, { ...common, ...first }),
  ...each('layer', 'Reshape', { target_shape: [4] }, { ...common, target_shape: [2, 2] }),
  ...each('layer', 'Activation', { activation: 'relu' }, { ...common, activation: 'tanh' }),
  ...each('layer', 'Rescaling', { scale: 0.5 }, { ...common, scale: 2, offset: 1 }),
  ...each(
    'layer',
    'InputLayer',
    { batch_shape: [null, 4] },
    {
      batch_shape: [null, 5],
      sparse: true,
      ragged: true,
      optional: true,
    },
  ),
  ...each('layer', 'ReLU', {}, { ...common, max_value: 6, negative_slope: 0.5, threshold: 0.5 }),
  ...each('layer', 'LeakyReLU', {}, { ...common, negative_slope: 0.5 }),
  ...each('layer', 'ELU', {}, { ...common, alpha: 0.5 }),
  ...each('layer', 'Softmax', {}, { ...common, axis: 1 }),
  ...each(
    'layer',
    'PReLU',
    {},
    {
      ...common,
      alpha_initializer: of('Ones', {}),
      alpha_regularizer: l2,
      alpha_constraint: of('NonNeg', {}),
      shared_axes: [1],
    },
  ),
  ...each('layer', 'GaussianNoise', { stddev: 0.5 }, { ...common, ...seeded, stddev: 0.25 }),
  ...each('layer', 'GaussianDropout', { rate: 0.5 }, { ...common, ...seeded, rate: 0.25 }),
  ...each(
    'layer',
    'BatchNormalization',
    {},
    {
      ...common,
      ...ofNorms,
      axis: 1,
      momentum: 0.5,
      moving_mean_initializer: of('Ones', {}),
      moving_variance_initializer: of('Zeros', {}),
      synchronized: true,
      renorm: true,
    },
  ),
  ...each('layer', 'LayerNormalization', {}, { ...common, ...ofNorms, axis: [1, 2], rms_scaling: true }),
  ...each('layer', 'RMSNormalization', {}, { ...common, axis: 1, epsilon: 0.5 }),
  ...each('layer', 'UnitNormalization', {}, { ...common, axis: 1 }),
  ...each('layer', 'ActivityRegularization', {}, { ...common, l1: 0.5, l2: 0.5 }),
  ...each('layer', 'GroupNormalization', {}, { ...common, ...ofNorms, groups: 2, axis: 1 }),
  ...each(
    'layer',
    'TextVectorization',
    {},
    {
      ...common,
      max_tokens: 9,
      standardize: 'lower',
      split: 'character',
      ngrams: 2,
      output_mode: 'count',
      output_sequence_length: 3,
      pad_to_max_tokens: true,
      sparse: true,
      ragged: true,
      vocabulary: ['a', 'b'],
      idf_weights: [1, 2],
      encoding: 'latin-1',
    },
  ),
  ...['StringLookup', 'IntegerLookup'].flatMap((name) =>
    each(
      'layer',
      name,
      { vocabulary: name === 'StringLookup' ? ['a', 'b'] : [4, 5] },
      {
        max_tokens: 9,
        num_oov_indices: 2,
        mask_token: name === 'StringLookup' ? '' : 0,
        oov_token: name === 'StringLookup' ? 'x' : 7,
        invert: true,
        output_mode: 'count',
        pad_to_max_tokens: true,
        sparse: true,
        idf_weights: [1, 2],
        oov_method: 'farmhash',
        salt: 3,
        encoding: 'latin-1',
      },
    ),
  ),
  ...each(
    'layer',
    'Hashing',
    { num_bins: 3 },
    { mask_value: 'x', salt: 3, output_mode: 'count', sparse: true },
  ),
  ...each('layer', 'CategoryEncoding', { num_tokens: 3 }, { ...common, output_mode: 'count', sparse: true }),
  ...each(
    'layer',
    'Discretization',
    { num_bins: 3 },
    {
      ...common,
      bin_boundaries: [1, 2],
      epsilon: 0.5,
      output_mode: 'count',
      sparse: true,
    },
  ),
  ...each('layer', 'Normalization', {}, { ...common, axis: null, mean: 1, variance: 2, invert: true }),
  ...['Conv1D', 'Conv2D', 'Conv3D'].flatMap((name) =>
    each('layer', name, { filters: 4, kernel_size: 3 }, { ...ofConv, ...ofKernel, filters: 2, groups: 2 }),
  ),
  ...['Conv1DTranspose', 'Conv2DTranspose'].flatMap((name) =>
    each(
      'layer',
      name,
      { filters: 4, kernel_size: 3, strides: 2 },
      { ...ofConv, ...ofKernel, filters: 2, strides: 3, output_padding: 1 },
    ),
  ),
  ...['DepthwiseConv1D', 'DepthwiseConv2D'].flatMap((name) =>
    each('layer', name, { kernel_size: 3 }, { ...ofConv, ...ofDepthwise }),
  ),
  ...['SeparableConv1D', 'SeparableConv2D'].flatMap((name) =>
    each(
      'layer',
      name,
      { filters: 4, kernel_size: 3 },
      {
        ...ofConv,
        ...ofDepthwise,
        filters: 2,
        pointwise_initializer: of('HeNormal', {}),
        pointwise_regularizer: l2,
        pointwise_constraint: of('NonNeg', {}),
      },
    ),
  ),
  ...['1D', '2D', '3D'].flatMap((name) =>
    ['Max', 'Average'].flatMap((kind) =>
      each(
        'layer',
        `${kind}Pooling${name}`,
        {},
        { ...common, ...first, pool_size: 3, strides: 1, padding: 'same' },
      ),
    ),
  ),
  ...['1D', '2D'].flatMap((name) =>
    ['Max', 'Average'].flatMap((kind) =>
      each('layer', `Global${kind}Pooling${name}`, {}, { ...common, ...first, keepdims: true }),
    ),
  ),
  ...each(
    'layer',
    'Resizing',
    { height: 3, width: 3 },
    {
      ...common,
      ...first,
      height: 2,
      width: 2,
      interpolation: 'nearest',
      crop_to_aspect_ratio: true,
      pad_to_aspect_ratio: true,
      fill_mode: 'reflect',
      fill_value: 1,
      antialias: true,
    },
  ),
  ...each('layer', 'CenterCrop', { height: 3, width: 3 }, { ...common, ...first, height: 2, width: 2 }),
  ...each('layer', 'RandomFlip', {}, { ...common, ...seeded, ...first, mode: 'vertical' }),
  ...each('layer', 'RandomRotation', { factor: 0.1 }, { ...common, ...ofMoves, factor: [0, 0.2] }),
  ...each(
    'layer',
    'RandomZoom',
    { height_factor: 0.1 },
    { ...common, ...ofMoves, height_factor: 0.2, width_factor: 0.3 },
  ),
  ...each(
    'layer',
    'RandomTranslation',
    { height_factor: 0.1, width_factor: 0.1 },
    { ...common, ...ofMoves, height_factor: 0.2, width_factor: 0.3 },
  ),
  ...each(
    'layer',
    'RandomCrop',
    { height: 3, width: 3 },
    { ...common, ...seeded, ...first, height: 2, width: 2 },
  ),
  ...['RandomContrast', 'RandomBrightness'].flatMap((name) =>
    each(
      'layer',
      name,
      { factor: 0.1 },
      { ...common, ...seeded, ...first, factor: 0.2, value_range: [0, 1] },
    ),
  ),
  ...each('layer', 'ZeroPadding1D', {}, { ...common, ...first, padding: [1, 0] }),
  ...each('layer', 'ZeroPadding2D', {}, { ...common, ...first, padding: [1, 0] }),
  ...each('layer', 'Cropping1D', {}, { ...common, cropping: [2, 0] }),
  ...each(
    'layer',
    'Cropping2D',
    {},
    {
      ...common,
      ...first,
      cropping: [
        [1, 0],
        [0, 1],
      ],
    },
  ),
  ...each('layer', 'UpSampling1D', {}, { ...common, size: 3 }),
  ...each('layer', 'UpSampling2D', {}, { ...common, ...first, size: [3, 1], interpolation: 'bicubic' }),
  ...each('layer', 'SpatialDropout1D', { rate: 0.5 }, { ...common, ...seeded, rate: 0.25 }),
  ...each('layer', 'SpatialDropout2D', { rate: 0.5 }, { ...common, ...seeded, ...first, rate: 0.25 }),
  ...each(
    'layer',
    'Embedding',
    { input_dim: 4, output_dim: 2 },
    {
      ...common,
      input_dim: 5,
      output_dim: 3,
      mask_zero: true,
      embeddings_initializer: of('Ones', {}),
      embeddings_regularizer: l2,
      embeddings_constraint: of('NonNeg', {}),
      activity_regularizer: l2,
      lora_rank: 4,
      quantization_config: of('Int8', {}),
    },
  ),
  ...each('layer', 'Masking', {}, { ...common, mask_value: 1 }),
  ...each('layer', 'SimpleRNN', { units: 2 }, ofRecurrent),
  ...each(
    'layer',
    'LSTM',
    { units: 2 },
    { ...ofRecurrent, recurrent_activation: 'hard_sigmoid', unit_forget_bias: false },
  ),
  ...each(
    'layer',
    'GRU',
    { units: 2 },
    { ...ofRecurrent, recurrent_activation: 'hard_sigmoid', reset_after: false },
  ),
  ...each(
    'layer',
    'Bidirectional',
    { layer: of('LSTM', { name: 'one', units: 2 }) },
    {
      trainable: false,
      merge_mode: 'sum',
      layer: of('GRU', { name: 'one', units: 2 }),
      backward_layer: of('LSTM', { name: 'two', units: 2, go_backwards: true, activation: 'relu' }),
    },
  ),
  ...each(
    'layer',
    'TimeDistributed',
    { layer: of('Dense', { name: 'one', units: 2 }) },
    { trainable: false, layer: of('Dense', { name: 'one', units: 3 }) },
  ),
  ...each(
    'layer',
    'GroupQueryAttention',
    { head_dim: 3, num_query_heads: 4, num_key_value_heads: 2 },
    {
      ...common,
      ...ofProducts,
      head_dim: 2,
      num_query_heads: 6,
      num_key_value_heads: 1,
      dropout: 0.2,
      use_bias: false,
      use_gate: true,
      flash_attention: true,
      seed: 3,
    },
  ),
  ...each(
    'layer',
    'MultiHeadAttention',
    { num_heads: 2, key_dim: 3 },
    {
      ...common,
      ...ofProducts,
      num_heads: 3,
      key_dim: 2,
      value_dim: 4,
      dropout: 0.2,
      use_bias: false,
      output_shape: [5],
      attention_axes: [1, 2],
      flash_attention: true,
      seed: 3,
    },
  ),
  ...each(
    'layer',
    'Attention',
    {},
    { ...common, use_scale: true, score_mode: 'concat', dropout: 0.2, seed: 3 },
  ),
  ...each('layer', 'AdditiveAttention', {}, { ...common, use_scale: false, dropout: 0.2, seed: 3 }),
  ...each(
    'layer',
    'EinsumDense',
    { equation: 'abc,cd->abd', output_shape: [null, 3] },
    {
      ...common,
      ...ofProducts,
      equation: 'abc,ce->abe',
      output_shape: [null, 4],
      activation: 'relu',
      bias_axes: 'd',
      lora_rank: 2,
      lora_alpha: 2,
    },
  ),
  ...each('layer', 'Permute', { dims: [2, 1] }, { ...common, dims: [1, 2] }),
  ...each('layer', 'RepeatVector', { n: 2 }, { ...common, n: 3 }),
  ...['Identity', 'Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'].flatMap((name) =>
    each('layer', name, {}, common),
  ),
  ...each('layer', 'Concatenate', {}, { ...common, axis: 1 }),
  ...each('layer', 'Dot', { axes: 1 }, { ...common, axes: 2, normalize: true }),
  ...['GlorotUniform', 'GlorotNormal', 'HeUniform', 'HeNormal', 'LecunUniform', 'LecunNormal'].flatMap(
    (name) => inDense('kernel_initializer', name, seeded),
  ),
  ...inDense('kernel_initializer', 'VarianceScaling', {
    ...seeded,
    scale: 2,
    mode: 'fan_out',
    distribution: 'uniform',
  }),
  ...inDense('kernel_initializer', 'RandomUniform', { ...seeded, minval: -1, maxval: 1 }),
  ...inDense('kernel_initializer', 'RandomNormal', { ...seeded, mean: 1, stddev: 1 }),
  ...inDense('kernel_initializer', 'TruncatedNormal', { ...seeded, mean: 1, stddev: 1 }),
  ...inDense('kernel_initializer', 'Constant', { value: 1 }),
  ...inDense('kernel_initializer', 'Identity', { gain: 2 }),
  ...inDense('kernel_regularizer', 'L1', { l1: 0.5 }),
  ...inDense('kernel_regularizer', 'L2', { l2: 0.5 }),
  ...inDense('kernel_regularizer', 'L1L2', { l1: 0.5, l2: 0.5 }),
  ...inDense('kernel_constraint', 'MaxNorm', { max_value: 3, axis: -1 }),
  ...inDense('kernel_constraint', 'UnitNorm', { axis: -1 }),
  ...inDense('kernel_constraint', 'MinMaxNorm', { min_value: 0.5, max_value: 3, rate: 0.5, axis: -1 }),
  // tf.keras 2 has 'lr'.
  ...each('optimizer', 'Adam', {}, { lr: 0.5 }),
  ...each('optimizer', 'SGD', {}, { ...optimizer, momentum: 0.5, nesterov: true }),
  ...each('optimizer', 'RMSprop', {}, { ...optimizer, rho: 0.5, momentum: 0.5, epsilon: 1, centered: true }),
  ...each('optimizer', 'Adam', {}, { ...optimizer, beta_1: 0.5, beta_2: 0.5, epsilon: 1, amsgrad: true }),
  ...each('optimizer', 'AdamW', {}, { ...optimizer, beta_1: 0.5, beta_2: 0.5, epsilon: 1, amsgrad: true }),
  ...each('optimizer', 'Adagrad', {}, { ...optimizer, initial_accumulator_value: 0.5, epsilon: 1 }),
  ...each('loss', 'MeanSquaredError', {}, ofLoss),
  ...each('loss', 'Huber', {}, { ...ofLoss, delta: 2 }),
  ...each('loss', 'CosineSimilarity', {}, { ...ofLoss, axis: 0 }),
  ...each('loss', 'BinaryCrossentropy', {}, { ...ofLoss, from_logits: true, label_smoothing: 0.5, axis: 0 }),
  ...each(
    'loss',
    'CategoricalCrossentropy',
    {},
    { ...ofLoss, from_logits: true, label_smoothing: 0.5, axis: 0 },
  ),
  ...each(
    'loss',
    'SparseCategoricalCrossentropy',
    {},
    { ...ofLoss, from_logits: true, ignore_class: 1, axis: 0 },
  ),
  ...each('metric', 'BinaryAccuracy', {}, { threshold: 0.25 }),
  ...each('metric', 'TopKCategoricalAccuracy', {}, { k: 2 }),
  ...each('metric', 'SparseTopKCategoricalAccuracy', {}, { k: 2, from_sorted_ids: true }),
  ...each('metric', 'Precision', {}, thresholded),
  ...each('metric', 'Recall', {}, thresholded),
  ...each('metric', 'TruePositives', {}, { thresholds: 0.25 }),
  ...each(
    'metric',
    'AUC',
    {},
    {
      num_thresholds: 9,
      curve: 'PR',
      summation_method: 'minoring',
      thresholds: [0.25],
      multi_label: true,
      num_labels: 2,
      label_weights: [1, 2],
      from_logits: true,
    },
  ),
  ...each('metric', 'F1Score', {}, { average: 'micro', threshold: 0.25 }),
  ...each('metric', 'FBetaScore', {}, { average: 'micro', threshold: 0.25, beta: 2 }),
  ...each('metric', 'R2Score', {}, { class_aggregation: 'variance_weighted_average', num_regressors: 2 }),
  ...each('metric', 'BinaryCrossentropy', {}, { from_logits: true, label_smoothing: 0.5, axis: 0 }),
  ...each('metric', 'CosineSimilarity', {}, { axis: 0 }),
];

test.each(cases.map((one) => [one.what, one] as const))('%s', async (what, { kind, without, with: full }) => {
  const before = await read[kind](without);
  let after: unknown;
  try {
    after = await read[kind](full);
  } catch (error) {
    expect(error).toBeInstanceOf(WeftError);
    return;
  }
  expect(JSON.stringify(after), `${what} is dropped`).not.toBe(JSON.stringify(before));
});

test('every class of layers that files may name is in the table above', () => {
  const { Lambda: _, ...classes } = all;
  const tried = new Set(cases.map(({ with: { class_name: name } }) => name));
  expect(
    Object.keys(classes).filter((name) => /^[A-Z]/.test(name) && isKnownLayer(name) && !tried.has(name)),
  ).toEqual([]);
});
