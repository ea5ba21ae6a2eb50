/** Our layers, a row each: what users import, and what files are read into. */
export { Activation, type ActivationOptions, activation } from './activation.ts';
export {
  ELU,
  type ELUOptions,
  elu,
  LeakyReLU,
  type LeakyReLUOptions,
  leakyReLU,
  PReLU,
  type PReLUOptions,
  prelu,
  ReLU,
  type ReLUOptions,
  reLU,
  relu,
  Softmax,
  type SoftmaxOptions,
  softmax,
} from './activations.ts';
export {
  ActivityRegularization,
  type ActivityRegularizationOptions,
  activityRegularization,
} from './activity-regularization.ts';
export {
  AdditiveAttention,
  type AdditiveAttentionOptions,
  Attention,
  type AttentionOptions,
  additiveAttention,
  attention,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from './attention.ts';
export {
  RandomBrightness,
  type RandomBrightnessOptions,
  RandomContrast,
  type RandomContrastOptions,
  RandomCrop,
  type RandomCropOptions,
  RandomFlip,
  type RandomFlipOptions,
  RandomRotation,
  type RandomRotationOptions,
  RandomTranslation,
  type RandomTranslationOptions,
  RandomZoom,
  type RandomZoomOptions,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
} from './augmentation.ts';
export {
  CategoryEncoding,
  type CategoryEncodingOptions,
  categoryEncoding,
} from './category-encoding.ts';
export {
  Conv1D,
  type Conv1DOptions,
  Conv2D,
  type Conv2DOptions,
  Conv3D,
  type Conv3DOptions,
  conv1d,
  conv2d,
  conv3d,
} from './convolution.ts';
export { Dense, type DenseOptions, dense } from './dense.ts';
export {
  DepthwiseConv1D,
  type DepthwiseConv1DOptions,
  DepthwiseConv2D,
  type DepthwiseConv2DOptions,
  depthwiseConv1d,
  depthwiseConv2d,
  SeparableConv1D,
  type SeparableConv1DOptions,
  SeparableConv2D,
  type SeparableConv2DOptions,
  separableConv1d,
  separableConv2d,
} from './depthwise-convolution.ts';
export {
  Discretization,
  type DiscretizationOptions,
  discretization,
} from './discretization.ts';
export { Dropout, type DropoutOptions, dropout } from './dropout.ts';
export { EinsumDense, type EinsumDenseOptions, einsumDense } from './einsum-dense.ts';
export { Embedding, type EmbeddingOptions, embedding } from './embedding.ts';
export { Flatten, type FlattenOptions, flatten } from './flatten.ts';
export {
  GroupNormalization,
  type GroupNormalizationOptions,
  groupNormalization,
} from './group-normalization.ts';
export {
  GroupQueryAttention,
  type GroupQueryAttentionOptions,
  groupedQueryAttention,
} from './grouped-query-attention.ts';
export {
  Hashing,
  type HashingOptions,
  hashing,
} from './hashing.ts';
export { InputLayer, type InputOptions, input } from './input.ts';
export {
  IntegerLookup,
  type IntegerLookupOptions,
  integerLookup,
  StringLookup,
  type StringLookupOptions,
  stringLookup,
} from './lookup.ts';
export {
  Cropping1D,
  type Cropping1DOptions,
  Cropping2D,
  type Cropping2DOptions,
  cropping1d,
  cropping2D,
  cropping2d,
  UpSampling1D,
  type UpSampling1DOptions,
  UpSampling2D,
  type UpSampling2DOptions,
  upSampling1d,
  upSampling2d,
  ZeroPadding1D,
  type ZeroPadding1DOptions,
  ZeroPadding2D,
  type ZeroPadding2DOptions,
  zeroPadding1d,
  zeroPadding2d,
} from './margins.ts';
export { Masking, type MaskingOptions, masking } from './masking.ts';
export {
  Add,
  Average,
  add,
  average,
  Concatenate,
  type ConcatenateOptions,
  concatenate,
  Dot,
  type DotOptions,
  dot,
  Maximum,
  Minimum,
  Multiply,
  maximum,
  minimum,
  multiply,
  Subtract,
  subtract,
} from './merging.ts';
export {
  GaussianDropout,
  type GaussianDropoutOptions,
  GaussianNoise,
  type GaussianNoiseOptions,
  gaussianDropout,
  gaussianNoise,
} from './noise.ts';
export {
  BatchNormalization,
  type BatchNormalizationOptions,
  batchNormalization,
  LayerNormalization,
  type LayerNormalizationOptions,
  layerNormalization,
  RMSNormalization,
  type RMSNormalizationOptions,
  rmsNormalization,
  UnitNormalization,
  type UnitNormalizationOptions,
  unitNormalization,
} from './normalization.ts';
export {
  AveragePooling1D,
  AveragePooling2D,
  AveragePooling3D,
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  type GlobalPoolingOptions,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  MaxPooling1D,
  MaxPooling2D,
  MaxPooling3D,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  type Pooling1DOptions,
  type Pooling2DOptions,
  type Pooling3DOptions,
} from './pooling.ts';
export {
  Identity,
  identity,
  Lambda,
  type LambdaOptions,
  lambda,
  Permute,
  type PermuteOptions,
  permute,
  RepeatVector,
  type RepeatVectorOptions,
  repeatVector,
} from './rearranging.ts';
export {
  GRU,
  type GRUOptions,
  gru,
  LSTM,
  type LSTMOptions,
  lstm,
  SimpleRNN,
  type SimpleRNNOptions,
  simpleRNN,
} from './recurrent.ts';
export { Rescaling, type RescalingOptions, rescaling } from './rescaling.ts';
export { Reshape, type ReshapeOptions, reshape } from './reshape.ts';
export {
  CenterCrop,
  type CenterCropOptions,
  centerCrop,
  Resizing,
  type ResizingOptions,
  resizing,
} from './resizing.ts';
export {
  SpatialDropout1D,
  type SpatialDropout1DOptions,
  SpatialDropout2D,
  type SpatialDropout2DOptions,
  spatialDropout1d,
  spatialDropout2d,
} from './spatial-dropout.ts';
export { Normalization, type NormalizationOptions, normalization } from './standardization.ts';
export {
  TextVectorization,
  type TextVectorizationOptions,
  textVectorization,
} from './text-vectorization.ts';
export {
  Conv1DTranspose,
  type Conv1DTransposeOptions,
  Conv2DTranspose,
  type Conv2DTransposeOptions,
  conv1dTranspose,
  conv2dTranspose,
} from './transposed-convolution.ts';
export {
  Bidirectional,
  type BidirectionalOptions,
  bidirectional,
  TimeDistributed,
  type TimeDistributedOptions,
  timeDistributed,
} from './wrapping.ts';
